// Bringing a strided tensor (a transposed or expanded view, channels-last weights) into row-major order. Tensors that are in order
// already are slices of the file and do not come here.

extension TorchTensor {
  /// The elements in row-major order.
  /// - Parameter source: the whole storage.
  func rowMajor(_ source: ArraySlice<UInt8>) -> [UInt8] {
    precondition(source.count == storageCount * kind.width)
    guard count > 0 else { return [] }
    return source.withUnsafeBytes { from in
      [UInt8](unsafeUninitializedCapacity: count * kind.width) { buffer, initialised in
        let to = UnsafeMutableRawBufferPointer(buffer)
        switch kind.width {
        case 1: gather(UInt8.self, from, to)
        case 2: gather(UInt16.self, from, to)
        case 4: gather(UInt32.self, from, to)
        default: gather(UInt64.self, from, to)
        }
        initialised = count * kind.width
      }
    }
  }

  /// Copies row by row; in bounds by the type's invariant.
  private func gather<Word: BitwiseCopyable>(_: Word.Type, _ from: UnsafeRawBufferPointer, _ to: UnsafeMutableRawBufferPointer) {
    let width = MemoryLayout<Word>.size
    let dimensions = zip(shape, strides).filter { $0.0 != 1 }
    let (length, step) = dimensions.last ?? (1, 1)
    let outer = dimensions.dropLast()
    var indices = [Int](repeating: 0, count: outer.count)
    var start = offset
    var written = 0
    while true {
      for index in 0..<length {
        let word = from.loadUnaligned(fromByteOffset: (start &+ index &* step) &* width, as: Word.self)
        to.storeBytes(of: word, toByteOffset: (written &+ index) &* width, as: Word.self)
      }
      written += length
      guard written < count else { return }
      var dimension = outer.count - 1
      while indices[dimension] == outer[dimension].0 - 1 {
        start -= indices[dimension] * outer[dimension].1
        indices[dimension] = 0
        dimension -= 1
      }
      indices[dimension] += 1
      start += outer[dimension].1
    }
  }
}
