// The ways to compute one and the same mask stream. A fast path is taken only after it gave the reference's bytes on this
// machine, in this process: a wrong kernel costs speed, never a wrong sum.
import CKernels
import Crypto
import CryptoExtras
import Foundation
import Sodium

public enum MaskPath: String, CaseIterable, Sendable {
  /// swift-crypto's AES-CTR (BoringSSL: constant time everywhere). The reference and the portable fallback.
  case portable
  case aesni
  case vaes256
  case vaes512
  case armv8

  /// Names the path to take instead of the fastest; an unknown or unavailable one is ignored in favour of `portable`.
  public static let environmentVariable = "SECAGG_MASK_PATH"

  public var isAvailable: Bool { kernel.map { mask_path_available($0) == 1 } ?? true }

  public static var available: [MaskPath] { allCases.filter(\.isAvailable) }

  /// The fastest available path that proved itself, or the one that the environment names.
  public static let preferred: MaskPath = {
    if let name = ProcessInfo.processInfo.environment[environmentVariable] {
      guard let named = MaskPath(rawValue: name), named.isAvailable, named.provesItself() else { return .portable }
      return named
    }
    return [.vaes512, .vaes256, .aesni, .armv8].first { $0.isAvailable && $0.provesItself() } ?? .portable
  }()

  private var kernel: Int32? {
    switch self {
    case .portable: nil
    case .aesni: Int32(MASK_PATH_AESNI.rawValue)
    case .vaes256: Int32(MASK_PATH_VAES256.rawValue)
    case .vaes512: Int32(MASK_PATH_VAES512.rawValue)
    case .armv8: Int32(MASK_PATH_ARMV8.rawValue)
    }
  }

  /// What the path keeps of a seed: round keys, or the seed itself.
  func expand(_ seed: borrowing SecretBytes) -> SecretBytes {
    guard let kernel else { return seed.duplicate() }
    var keys = SecretBytes(count: Int(MASK_ROUND_KEYS_BYTES))
    keys.withUnsafeMutableBytes { keys in
      seed.withUnsafeBytes { seed in
        mask_expand_key(kernel, seed.bindMemory(to: UInt8.self).baseAddress, keys.bindMemory(to: UInt8.self).baseAddress)
      }
    }
    return keys
  }

  /// target[4 i + j] ±= word j of block firstBlock + i, for i below `blocks`.
  func apply(
    _ operation: MaskStream.Operation, _ keys: borrowing SecretBytes, _ prefix: CounterPrefix, firstBlock: UInt32,
    blocks: Int, to target: UnsafeMutablePointer<UInt32>
  ) {
    guard let kernel else {
      PortableMask.apply(operation, keys, prefix, firstBlock: firstBlock, blocks: blocks, to: target)
      return
    }
    keys.withUnsafeBytes { keys in
      mask_apply(
        kernel, target, blocks, keys.bindMemory(to: UInt8.self).baseAddress, prefix.bytes, firstBlock,
        operation == .subtract ? 1 : 0)
    }
  }

  /// Compares this path with the reference over every remainder of its vector width and both operations.
  func provesItself() -> Bool {
    let seed = SecretBytes(copying: (0..<32).map { UInt8(truncatingIfNeeded: $0 * 37 + 11) })
    let (own, reference) = (MaskStream(seed: seed, path: self), MaskStream(seed: seed, path: .portable))
    for operation in [MaskStream.Operation.add, .subtract] {
      for (first, count) in [(0, 4096), (3, 517), (MaskStream.chunkCoordinates - 70, 333)] {
        var left = [UInt32](repeating: 0x8000_0001, count: count)
        var right = left
        own.apply(operation, section: 0x0102_0304, startingAt: first, to: &left)
        reference.apply(operation, section: 0x0102_0304, startingAt: first, to: &right)
        guard left == right else { return false }
      }
    }
    return true
  }
}

/// The reference: encrypt zeros with the library, then add.
enum PortableMask {
  // 64 KiB of stream at a time stays in the second-level cache.
  private static let zeros = Data(count: 1 << 16)

  static func apply(
    _ operation: MaskStream.Operation, _ key: borrowing SecretBytes, _ prefix: CounterPrefix, firstBlock: UInt32,
    blocks: Int, to target: UnsafeMutablePointer<UInt32>
  ) {
    let key = key.withUnsafeBytes { SymmetricKey(data: $0) }
    var done = 0
    while done < blocks {
      let count = min(zeros.count / 16, blocks - done)
      let counter = withUnsafeBytes(of: (firstBlock + UInt32(done)).bigEndian, Array.init)
      guard let nonce = try? AES._CTR.Nonce(nonceBytes: prefix.bytes + counter),
        let stream = try? AES._CTR.encrypt(zeros.prefix(16 * count), using: key, nonce: nonce)
      else { preconditionFailure("a counter block has 16 bytes and a key 32") }
      stream.withUnsafeBytes { stream in
        for index in 0..<4 * count {
          let word = UInt32(littleEndian: stream.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
          let old = target[4 * done + index]
          target[4 * done + index] = operation == .add ? old &+ word : old &- word
        }
      }
      done += count
    }
  }
}
