// What no sampler may do, read from the sources: floating point between bytes and integers, or randomness that was not handed in.
import Testing

@Suite struct SamplerRuleTests {
  /// [NS-06]; a stream from a seed that was handed in is handed in itself.
  @Test func samplersUseIntegersAndWhatTheyAreHanded() throws {
    let files = SourceTree.swiftSources.filter { $0.path.contains("DPAccountant/Sampling/") }
    try #require(files.count >= 8)
    for file in files {
      for word in ["Double", "Float", "CGFloat", "RandomStream()", "RandomBytes", ".random(", "import Foundation"] {
        #expect(!file.text.contains(word), "\(file.path) uses \(word)")
      }
    }
  }
}
