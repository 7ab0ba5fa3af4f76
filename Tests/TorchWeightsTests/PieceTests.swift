// The pieces by themselves: the checksum against its definition, strided copies against the plainest loop, the allow-list.

import Safetensors
import TestSupport
import Testing

@testable import TorchWeights

@Suite struct PieceTests {
  @Test func checksumIsCRC32() {
    #expect(checksum(Array("123456789".utf8)[...]) == 0xcbf4_3926)
    var generator = SeededGenerator(seed: 3)
    for length in 0..<70 {
      let bytes: [UInt8] = (0..<(length + 3)).map { _ in .random(in: 0...255, using: &generator) }
      // Unaligned too.
      #expect(checksum(bytes[3...]) == Fixtures.slowChecksum(Array(bytes[3...])))
    }
  }

  @Test func checksumNoticesEveryBit() {
    let bytes = (0..<24).map { UInt8($0 * 7) }
    let right = checksum(bytes[...])
    for bit in 0..<(bytes.count * 8) {
      var wrong = bytes
      wrong[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(checksum(wrong[...]) != right)
    }
  }

  /// 600 random views (shape, strides, offset, width) against one division and remainder an element.
  @Test func copiesStridedViews() throws {
    var generator = SeededGenerator(seed: 11)
    for _ in 0..<600 {
      let shape = (0..<Int.random(in: 0...4, using: &generator)).map { _ in Int.random(in: 1...4, using: &generator) }
      let strides = shape.map { _ in Int.random(in: 0...5, using: &generator) }
      let offset = Int.random(in: 0...3, using: &generator)
      let last = zip(shape, strides).reduce(offset) { $0 + ($1.0 - 1) * $1.1 }
      let type = try #require([ElementType.u8, .f16, .f32, .i64].randomElement(using: &generator))
      let source = [UInt8]((0..<((last + 1) * type.size)).map { _ in .random(in: 0...255, using: &generator) })
      let tensor = try view(shape, strides, offset, count: last + 1, type)
      var expected: [UInt8] = []
      for number in 0..<shape.reduce(1, *) {
        var (rest, place) = (number, offset)
        for (size, stride) in zip(shape, strides).reversed() {
          place += rest % size * stride
          rest /= size
        }
        expected += source[(place * type.size)..<((place + 1) * type.size)]
      }
      #expect(tensor.rowMajor(source[...]) == expected, "\(shape) \(strides)")
      if tensor.isContiguous { #expect(Array(source[(offset * type.size)...].prefix(expected.count)) == expected) }
    }
  }

  /// A tensor by way of a pickle, as only a pickle makes them.
  private func view(_ shape: [Int], _ strides: [Int], _ offset: Int, count: Int, _ type: ElementType) throws -> TorchTensor {
    func number(_ value: Int) -> [UInt8] { [0x4a] + (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    func tuple(_ values: [Int]) -> [UInt8] { [0x28] + values.flatMap { number($0) } + [0x74] }
    let storage: [ElementType: String] = [.u8: "Byte", .f16: "Half", .f32: "Float", .i64: "Long"]
    let kind = try #require(storage[type])
    let program =
      [0x80, 2] + Array("ctorch._utils\n_rebuild_tensor_v2\n((X\u{7}\0\0\0storagectorch\n\(kind)Storage\nX\u{1}\0\0\0".utf8)
      + Array("0X\u{3}\0\0\0cpu".utf8) + number(count) + [0x74, 0x51] + number(offset) + tuple(shape) + tuple(strides) + [
        0x89, 0x4e, 0x74, 0x52,
      ]
      + [0x2e]
    let pickle = try PickleMachine.run(program)
    return try #require(try TorchTensor(PickleReader(pickle), pickle.root))
  }

  @Test(arguments: [
    ("models.yolo", "Detect"), ("models.common", "C3"), ("models.experimental", "Ensemble"), ("models.yolo", "Detect.forward"),
    ("torch.nn.modules.conv", "Conv2d"), ("utils.activations", "FReLU"), ("torch", "HalfStorage"), ("torch", "float16"),
    ("collections", "OrderedDict"), ("__builtin__", "set"), ("numpy._core.multiarray", "scalar"), ("pathlib", "WindowsPath"),
  ])
  func knowsTheNamesOfCheckpoints(_ module: String, _ name: String) {
    #expect(throws: Never.self) { try Global(module: module, name: name) }
  }

  @Test(arguments: [
    ("posix", "system"), ("nt", "system"), ("os", "system"), ("builtins", "eval"), ("builtins", "open"), ("builtins", "compile"),
    ("sys", "modules"), ("models.yolo", "attempt_load"), ("models.yolo", "_Private"), ("models", "Yolo"), ("models.yolo.deep", "Detect"),
    ("models.yolo", "Detect.__init__ "), ("models.yolo", "Detect..forward"), ("models.yolo", ""), ("", "Detect"),
    ("models.yolo ", "Detect"),
    ("torch.nn", "Module"), ("torch.nn.modulesX.conv", "Conv2d"), ("torch.nn.modules", "Module"), ("torch", "load"), ("torch", "tensor"),
    ("torch.serialization", "load"), ("numpy", "load"), ("numpy.core.multiarray", "fromfile"), ("collections", "Counter"),
    ("datetime", "timezone"),
    ("pathlib", "os"), ("functools", "partial"), ("operator", "attrgetter"), ("runpy", "_run_code"), ("models.yolo", "Détect"),
    ("models.yolo", "Ärger"),
  ])
  func refusesOtherNames(_ module: String, _ name: String) {
    #expect(throws: TorchWeightsError.self) { try Global(module: module, name: name) }
  }

  @Test func boundsWhatAPickleMayAskFor() {
    let values = [0x80, 2] + [UInt8](repeating: 0x5d, count: Pickle.valuesMax + 1)
    #expect(throws: TorchWeightsError(.tooComplex, "the pickle has more than \(Pickle.valuesMax) values")) { try PickleMachine.run(values) }
    #expect(throws: TorchWeightsError.self) { try PickleMachine.run([UInt8](repeating: 0, count: Pickle.bytesMax + 1)) }
  }

  /// A deep stack and many tuples above it: each step must touch only what it takes.
  @Test func worksInTimeProportionalToThePickle() throws {
    let program: [UInt8] =
      [0x80, 2, 0x28] + [UInt8](repeating: 0x4e, count: 1_000_000)
      + Array(repeatElement([0x28, 0x4e, 0x74, 0x30], count: 1_000_000).joined())
      + [0x74, 0x2e]
    let pickle = try PickleMachine.run(program)
    guard case .tuple(_, let count) = pickle[pickle.root] else { throw TorchWeightsError(.malformedPickle, "no tuple") }
    #expect(count == 1_000_000)
  }
}
