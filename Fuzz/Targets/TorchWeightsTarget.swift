// A PyTorch checkpoint: the archive, the pickle inside, and the tensors that the pickle claims. Whoever starts from published weights
// gives such a file to the program.
import Safetensors
import TorchWeights

struct TorchWeightsTarget: Target {
  static let name = "torch"

  /// The first byte: even a whole file; odd a pickle, with an archive and storages built around it so that no checksum stands in the way.
  func run(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let rest = Array(input.dropFirst())
    let bytes = first & 1 == 0 ? rest : archive([("a/data.pkl", rest)] + storages)
    let choices: [TorchFile.Weights] = [.best, .model, .ema]
    guard let file = try? TorchFile(parsing: bytes, weights: choices[Int(first >> 1) % 3]) else { return }
    var total = 0
    for entry in file.entries {
      let size = entry.shape.reduce(entry.dtype.size) { $0 * $1 }
      require(size == entry.data.count, "a tensor of another size than its data")
      total += size
    }
    require(total <= max(64 << 20, 4 * bytes.count), "tensors larger than any file allows")
    require(Set(file.entries.map(\.name)).count == file.entries.count, "two tensors of one name")
    var writer = file.safetensors()
    if let description = file.modelDescription { writer.metadata["model"] = description }
    guard let again = try? SafetensorsFile(parsing: writer.serialise()) else {
      fatalError("broken property: what was read cannot be written")
    }
    require(again.entries.map(\.data) == file.entries.map(\.data), "tensors changed")
  }

  /// Storages of 4 and 64 bytes and of none.
  private let storages: [(name: String, contents: [UInt8])] = [
    ("a/data/0", [0, 0, 128, 63]), ("a/data/1", (0..<64).map { UInt8($0) }), ("a/data/2", []),
  ]

  /// A zip archive of stored entries.
  private func archive(_ files: [(name: String, contents: [UInt8])]) -> [UInt8] {
    func little(_ value: Int, _ size: Int) -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    var (out, directory): ([UInt8], [UInt8]) = ([], [])
    for (name, contents) in files {
      let place = out.count
      let sizes = little(Int(checksum(contents)), 4) + little(contents.count, 4) + little(contents.count, 4) + little(name.utf8.count, 2)
      out += [0x50, 0x4b, 3, 4, 20, 0] + little(0, 8) + sizes + little(0, 2) + Array(name.utf8) + contents
      directory += [0x50, 0x4b, 1, 2, 20, 0, 20, 0] + little(0, 8) + sizes + little(0, 12) + little(place, 4) + Array(name.utf8)
    }
    let counts = little(files.count, 2) + little(files.count, 2)
    return out + directory + [0x50, 0x4b, 5, 6] + little(0, 4) + counts + little(directory.count, 4) + little(out.count, 4) + little(0, 2)
  }

  private func checksum(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = ~0
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
    }
    return ~crc
  }

  func seeds() -> [[UInt8]] {
    func text(_ value: String) -> [UInt8] { [0x8c, UInt8(value.utf8.count)] + Array(value.utf8) }
    func named(_ path: String) -> [UInt8] { Array("c\(path)\n".utf8) }
    func small(_ values: [UInt8]) -> [UInt8] { [0x28] + values.flatMap { [0x4b, $0] } + [0x74] }
    func dictionary(_ items: [UInt8]...) -> [UInt8] { [0x7d, 0x28] + items.joined() + [0x75] }
    func tensor(_ key: String, _ kind: String, count: UInt8, offset: UInt8 = 0, _ shape: [UInt8], _ strides: [UInt8]) -> [UInt8] {
      let storage = [0x28] + text("storage") + named("torch\n\(kind)Storage") + text(key) + text("cpu") + [0x4b, count, 0x74, 0x51]
      return named("torch._utils\n_rebuild_tensor_v2") + [0x28] + storage + [0x4b, offset] + small(shape) + small(strides)
        + [0x89] + named("collections\nOrderedDict") + [0x29, 0x52, 0x74, 0x52]
    }
    func module(_ name: String, _ parts: [UInt8]...) -> [UInt8] {
      named(name) + [0x29, 0x81, 0x7d, 0x28] + parts.joined() + [0x75, 0x62]
    }
    func program(_ body: [UInt8]) -> [UInt8] { [0x80, 4] + body + [0x2e] }
    let weights = tensor("1", "Half", count: 32, offset: 2, [2, 3, 2], [1, 4, 2])
    let state = dictionary(
      text("w") + weights, text("b") + tensor("0", "Float", count: 1, [], []), text("e") + tensor("2", "Long", count: 0, [0], [1]))
    let yaml = dictionary(text("nc") + [0x4b, 2], text("backbone") + [0x5d, 0x28, 0x4a, 255, 255, 255, 255] + text("Conv") + [0x65])
    let convolution = module("torch.nn.modules.conv\nConv2d", text("_parameters") + state, text("_modules") + dictionary())
    let model = module(
      "models.yolo\nDetectionModel", text("_parameters") + dictionary(text("x") + [0x4e]),
      text("_buffers") + dictionary(text("anchors") + tensor("1", "Float", count: 16, [2, 2], [2, 1]), text("scratch") + weights),
      text("_non_persistent_buffers_set") + [0x8f, 0x28] + text("scratch") + [0x90], text("_modules") + dictionary(text("0") + convolution),
      text("yaml") + yaml, text("names") + dictionary([0x4b, 0] + text("a"), [0x4b, 1] + text("b")),
      text("stride") + tensor("1", "Float", count: 16, [3], [1]))
    let whole = dictionary(text("model") + model, text("ema") + [0x4e], text("epoch") + [0x4b, 3], text("date") + text("2026-01-01"))
    return [
      [1] + program(state), [1] + program(whole), [3] + program(whole), [1] + program(dictionary(text("state_dict") + state)),
      [0] + archive([("a/data.pkl", program(state)), ("a/byteorder", Array("little".utf8))] + storages),
    ]
  }
}
