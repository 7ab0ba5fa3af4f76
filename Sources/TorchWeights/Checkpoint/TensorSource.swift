// Where a checkpoint's tensors come from: the archive's storages, each checked once, and a budget of bytes that keeps a small file
// from asking for a large memory by views of one storage.

import Safetensors

struct TensorSource {
  /// Most bytes of all tensors together; and at least this many, or four times the file, are granted.
  static let bytesMax = 4 << 30
  static let bytesGranted = 64 << 20

  private let archive: ZipArchive
  private let folder: String
  private var storages: [String: ArraySlice<UInt8>] = [:]
  private var budget: Int

  /// - Parameter folder: the archive's top folder, with its slash.
  init(_ archive: ZipArchive, folder: String) {
    self.archive = archive
    self.folder = folder
    budget = min(Self.bytesMax, max(Self.bytesGranted, 4 * archive.bytes.count))
  }

  /// The tensor's elements in row-major order: a slice of the file where they lie so there.
  mutating func data(_ tensor: TorchTensor) throws(TorchWeightsError) -> ArraySlice<UInt8> {
    let storage = try storage(tensor)
    // Both factors are bounded: 2^31 elements of 16 bytes.
    let size = tensor.count * tensor.kind.width
    budget -= size
    guard budget >= 0 else { throw TorchWeightsError(.tooComplex, "the tensors are much larger than the file that holds them") }
    guard tensor.count > 0 else { return [] }
    guard tensor.isContiguous else { return tensor.rowMajor(storage)[...] }
    let start = storage.startIndex + tensor.offset * tensor.kind.width
    return storage[start..<(start + size)]
  }

  private mutating func storage(_ tensor: TorchTensor) throws(TorchWeightsError) -> ArraySlice<UInt8> {
    let bytes: ArraySlice<UInt8>
    if let known = storages[tensor.storage] {
      bytes = known
    } else {
      bytes = try archive.contents("\(folder)data/\(tensor.storage)")
      storages[tensor.storage] = bytes
    }
    let (size, overflow) = tensor.storageCount.multipliedReportingOverflow(by: tensor.kind.width)
    guard !overflow, size == bytes.count else {
      let claim = "\(tensor.storageCount) elements of \(tensor.kind.width) bytes"
      throw TorchWeightsError(
        .inconsistentTensor, "storage \"\(printable(tensor.storage))\" has \(bytes.count) bytes where \(claim) should be")
    }
    return bytes
  }
}
