// Every hash of the protocol (spec/01-notation-and-encodings.md, "Hashes"): BLAKE2b-256 over label ‖ 0x00 ‖ ctx ‖ fields. No
// label is a prefix of another up to its zero byte, and fields are of fixed size or length-prefixed: no two inputs collide.
import Masking
import Sodium

enum Transcript {
  static func context(_ plan: [UInt8]) -> [UInt8] { BLAKE2b.hash(label("context") + plan) }

  /// `secagg/v1/NAME` and a zero byte: what every hash and every signature begins with.
  static func label(_ name: String) -> [UInt8] { Array("secagg/v1/\(name)".utf8) + [0] }

  static func hash(_ name: String, _ context: [UInt8], _ write: (inout ByteWriter) -> Void) -> [UInt8] {
    var writer = ByteWriter()
    writer.fixed(label(name))
    writer.fixed(context)
    write(&writer)
    return BLAKE2b.hash(writer.bytes)
  }
}
