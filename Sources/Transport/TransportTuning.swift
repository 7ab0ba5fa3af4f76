// HTTP/2 settings that both halves share. Measured on one machine with mutual TLS: the default window carries 160 MB/s, one of
// 8 MiB carries 0.7 to 1.3 GB/s.

package enum TransportTuning {
  /// The window that a receiver opens for a stream, bytes.
  package static let windowBytes = 8 << 20
  /// The longest HTTP/2 frame, bytes.
  package static let http2FrameBytes = 256 << 10
}
