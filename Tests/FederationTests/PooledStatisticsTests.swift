// Pooled statistics: what the mean of moments gives back is the variance of all samples together.
import Safetensors
import Testing

@testable import Federation

@Suite struct PooledStatisticsTests {
  private func layout() throws -> WeightsLayout {
    var writer = SafetensorsWriter()
    writer.add("model.0.conv.weight", shape: [2], floats: [1, 2])
    writer.add("model.0.bn.running_mean", shape: [2], floats: [0, 0])
    writer.add("model.0.bn.running_var", shape: [2], floats: [1, 1])
    return WeightsLayout(try SafetensorsFile(parsing: writer.serialise()))
  }

  @Test func thereAndBack() throws {
    let layout = try layout()
    let statistics: [Float] = [0.5, -2, 0.25, 3]
    #expect(PooledStatistics.moments(statistics, layout: layout) == [0.5, -2, 0.5, 7])
    #expect(PooledStatistics.statistics([0.5, -2, 0.5, 7], layout: layout) == statistics)
  }

  /// Site A holds {−1, 1} around −3, site B {−1, 1} around 3: together variance 1 + 9, not the mean of the variances.
  @Test func theMeanOfMomentsIsThePooledVariance() throws {
    let layout = try layout()
    let (a, b): ([Float], [Float]) = ([-3, 0, 1, 1], [3, 0, 1, 1])
    let (ma, mb) = (PooledStatistics.moments(a, layout: layout), PooledStatistics.moments(b, layout: layout))
    let pooled = PooledStatistics.statistics(zip(ma, mb).map { ($0 + $1) / 2 }, layout: layout)
    #expect(pooled == [0, 0, 10, 1])
  }

  @Test func aVarianceIsNeverNegative() throws {
    #expect(PooledStatistics.statistics([1, 0, 0.5, 0], layout: try layout()) == [1, 0, 0, 0])
  }
}
