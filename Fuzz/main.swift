// The fuzzing program (tools/fuzz builds and runs it): one binary, its target named by FUZZ_TARGET, its arguments libFuzzer's.
// `--list` prints the targets, `--seeds FOLDER` writes the target's valid inputs there.
import Foundation

let targets: [any Target.Type] = [
  MessageTarget.self, PlanTarget.self, SiteTarget.self, ServerTarget.self, PackingTarget.self,
  RosterTarget.self, EnrolmentTarget.self, JobTarget.self, YAMLTarget.self, JournalTarget.self, SafetensorsTarget.self,
  WireTarget.self, EvidenceTarget.self, TorchWeightsTarget.self, JPEGTarget.self, PNGTarget.self, LabelTarget.self, DatasetTarget.self,
]

// libFuzzer's own entry point behind its `main`, which SwiftPM's entry point takes the place of.
@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

if CommandLine.arguments.dropFirst().first == "--list" {
  for target in targets { print(target.name) }
  exit(0)
}
let wanted = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
guard let type = targets.first(where: { $0.name == wanted }) else {
  FileHandle.standardError.write(Data("FUZZ_TARGET names one of: \(targets.map { $0.name }.joined(separator: " "))\n".utf8))
  exit(64)
}
nonisolated(unsafe) let target = try type.init()

if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "--seeds" {
  for (index, seed) in try target.seeds().enumerated() {
    try Data(seed).write(to: URL(fileURLWithPath: CommandLine.arguments[2]).appendingPathComponent("seed-\(index)"))
  }
  exit(0)
}

var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
exit(
  runFuzzer(&count, &arguments) { bytes, count in
    target.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
  })
