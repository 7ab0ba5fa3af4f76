// A weights file: header, tiling of the data, the flat layout, and back. The server's initial weights reach every site this way.
import Federation
import Safetensors

struct SafetensorsTarget: Target {
  static let name = "safetensors"

  /// The first byte: even a whole file, odd a header without its length.
  func run(_ input: [UInt8]) {
    guard let first = input.first else { return }
    var bytes = Array(input.dropFirst())
    if first & 1 == 1 {
      let end = bytes.lastIndex(of: UInt8(ascii: "}")).map { $0 + 1 } ?? bytes.count
      bytes = withUnsafeBytes(of: UInt64(end).littleEndian) { Array($0) } + bytes
    }
    guard let file = try? SafetensorsFile(parsing: bytes) else { return }
    var covered = 0
    for entry in file.entries {
      require(entry.count * entry.dtype.size == entry.data.count, "a tensor of another size than its data")
      covered += entry.data.count
      if let values = try? entry.floats() { require(values.count == entry.count, "values are missing") }
      if let values = try? entry.int64s() { require(values.count == entry.count, "values are missing") }
    }
    require(covered <= bytes.count, "tensors overlap")
    let layout = WeightsLayout(file)
    require(JobPlan.layoutDigest(layout).count == 32, "a layout without a digest")
    guard let (parameters, statistics) = try? layout.flatten(file) else {
      _ = file.firstNotFinite()
      return
    }
    require(parameters.count == layout.parameterCount && statistics.count == layout.statisticCount, "a flat vector of another size")
    let moments = PooledStatistics.moments(statistics, layout: layout)
    require(PooledStatistics.statistics(moments, layout: layout).count == statistics.count, "statistics are missing")
    guard let writer = try? layout.file(parameters: parameters, statistics: statistics, template: file) else {
      fatalError("broken property: a file does not fit its own layout")
    }
    guard let again = try? SafetensorsFile(parsing: writer.serialise()), let flat = try? WeightsLayout(again).flatten(again) else {
      fatalError("broken property: a written file cannot be read")
    }
    require(flat.parameters.map(\.bitPattern) == parameters.map(\.bitPattern), "parameters changed")
    require(flat.statistics.map(\.bitPattern) == statistics.map(\.bitPattern), "statistics changed")
  }

  func seeds() -> [[UInt8]] {
    let header = """
      {"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"b.running_mean":{"dtype":"F16",\
      "shape":[2],"data_offsets":[8,12]},"b.running_var":{"dtype":"BF16","shape":[2],"data_offsets":[12,16]},"n":{"dtype":"I64",\
      "shape":[],"data_offsets":[16,24]},"m.anchors":{"dtype":"F64","shape":[1],"data_offsets":[24,32]},"e\\u00e9":{"dtype":"U8",\
      "shape":[0,3],"data_offsets":[32,32]}}
      """
    let data = (0..<32).map { UInt8($0) }
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    // Trapped once: dimensions beside a zero that the layout's digest could not hold, or whose product overflows for F32.
    let found = [
      #"{"x":{"dtype":"F32","shape":[0,5000000000],"data_offsets":[0,0]}}"#,
      #"{"x":{"dtype":"F16","shape":[2305843009213693952,0],"data_offsets":[0,0]}}"#,
      #"{"x":{"dtype":"F16","shape":[0,4294967295,2147483647],"data_offsets":[0,0]}}"#,
    ]
    return [[0] + length + Array(header.utf8) + data, [1] + Array(header.utf8) + data] + found.map { [1] + Array($0.utf8) }
  }
}
