// A tensor as PyTorch describes it: a storage, an offset, a shape, strides. Invariant of a value of this type: every element lies
// inside its storage, and no size overflows.

import Safetensors

struct TorchTensor {
  /// Most elements of one tensor; yolov5x has 88 million in all.
  static let elementsMax = 1 << 31
  static let dimensionsMax = 32

  /// Name of the storage's entry below `data/`.
  let storage: String
  let kind: StorageKind
  /// Elements of the whole storage.
  let storageCount: Int
  let offset: Int
  let shape: [Int]
  let strides: [Int]
  let count: Int

  /// True if the elements lie one after another in row-major order.
  var isContiguous: Bool {
    var expected = 1
    for (size, stride) in zip(shape, strides).reversed() where size != 1 {
      guard stride == expected else { return false }
      expected *= size
    }
    return true
  }

  /// The tensor at `handle`, nil if there is something else.
  init?(_ reader: PickleReader, _ handle: Handle) throws(TorchWeightsError) {
    guard var record = reader.record(handle) else { return nil }
    if record.callable == .rebuildParameter {
      guard let inner = try reader.arguments(record).first, let tensor = reader.record(inner) else { return nil }
      record = tensor
    }
    guard record.callable == .rebuildTensor else { return nil }
    let arguments = try reader.arguments(record)
    guard arguments.count >= 4, case .persistent(let identification) = reader.pickle[arguments[0]],
      let identity = try reader.items(identification).map(Array.init), identity.count == 5,
      try reader.text(identity[0], bytesMax: 16) == "storage", case .global(let index) = reader.pickle[identity[1]],
      case .storage(let kind) = reader.pickle.globals[Int(index)], let key = try reader.text(identity[2], bytesMax: 64),
      let storageCount = reader.int(identity[4]), let offset = reader.int(arguments[1])
    else { throw TorchWeightsError(.inconsistentTensor, "a tensor is not described as torch.save does") }
    guard let shape = try Self.sizes(reader, arguments[2]), let strides = try Self.sizes(reader, arguments[3]), shape.count == strides.count
    else { throw TorchWeightsError(.inconsistentTensor, "a tensor has no shape, or other strides than its shape needs") }
    self.storage = key
    self.kind = kind
    self.storageCount = storageCount
    self.offset = offset
    self.shape = shape
    self.strides = strides
    count = try Self.checkedCount(shape, strides, offset, storageCount)
  }

  private static func sizes(_ reader: PickleReader, _ handle: Handle) throws(TorchWeightsError) -> [Int]? {
    guard let items = try reader.items(handle), items.count <= dimensionsMax else { return nil }
    var sizes: [Int] = []
    for item in items {
      guard let size = reader.int(item), size >= 0 else { return nil }
      sizes.append(size)
    }
    return sizes
  }

  /// The number of elements, once all are known to lie in the storage.
  private static func checkedCount(
    _ shape: [Int], _ strides: [Int], _ offset: Int, _ storageCount: Int
  ) throws(TorchWeightsError) -> Int {
    var extent = 1
    var last = offset
    for (size, stride) in zip(shape, strides) {
      // Dimensions beside a zero are bounded too: whoever multiplies them relies on it.
      let (product, overflow) = extent.multipliedReportingOverflow(by: max(size, 1))
      guard !overflow, product <= elementsMax else {
        throw TorchWeightsError(.inconsistentTensor, "a tensor has more than \(elementsMax) elements")
      }
      extent = product
      let (reach, far) = max(size - 1, 0).multipliedReportingOverflow(by: stride)
      let (sum, beyond) = last.addingReportingOverflow(reach)
      guard !far, !beyond else { throw TorchWeightsError(.inconsistentTensor, "a tensor's strides overflow") }
      last = sum
    }
    guard offset >= 0, storageCount >= 0 else { throw TorchWeightsError(.inconsistentTensor, "a tensor begins before its storage") }
    if shape.contains(0) { return 0 }
    guard last < storageCount else {
      throw TorchWeightsError(.inconsistentTensor, "a tensor reaches to element \(last) of a storage of \(storageCount)")
    }
    return extent
  }
}
