// Who the other side is. The roster pins exact certificates, so there is no chain to build: the leaf's bytes must be the pinned ones,
// within their validity, under the right name; TLS itself proves that the peer holds the key. Only the leaf counts, whatever else is sent.
import Foundation
import NIOCore
import NIOSSL
import Synchronization
import TLSIdentity

/// Keeps the first failure of a connection: later ones are mostly its echo.
package final class FirstFailure: Sendable {
  private let stored = Mutex<TransportError?>(nil)

  package init() {}
  package var error: TransportError? { stored.withLock { $0 } }
  package func record(_ error: TransportError) { stored.withLock { $0 = $0 ?? error } }
}

package enum PeerVerification {
  /// Reads the leaf that the peer sent.
  package static func leaf(_ chain: [NIOSSLCertificate]) throws(TLSIdentityError) -> PeerCertificate {
    guard let first = chain.first, let der = try? first.toDERBytes() else {
      throw TLSIdentityError(.malformedCertificate, "the other side sent no certificate", hint: "check that it runs SecAgg with mutual TLS")
    }
    return try PeerCertificate(der: der)
  }

  /// A site's check of the server: exactly the pinned certificate, valid now, naming the host that was dialled.
  package static func checkServer(
    _ chain: [NIOSSLCertificate], pinned: PeerCertificate, endpoint: ServerEndpoint, now: Date
  ) throws(TransportError) {
    do {
      let leaf = try leaf(chain)
      guard leaf.der == pinned.der else {
        throw TransportError(
          .serverIdentity, "\(endpoint) answers with the certificate \(leaf.fingerprint), which the roster does not name",
          hint: "expected \(pinned.fingerprint) of \(pinned.name): check the address, or get the current roster; do not go on by hand")
      }
      try leaf.checkValidity(at: now)
      guard leaf.names(host: endpoint.host) else {
        let hosts = (leaf.dnsNames + leaf.addresses.map { $0.map(String.init).joined(separator: $0.count == 4 ? "." : ":") }).joined(
          separator: ", ")
        throw TransportError(
          .serverIdentity, "the certificate of \(leaf.name) does not name \(endpoint.host)", hint: "it names \(hosts): use one of these")
      }
    } catch let error as TransportError {
      throw error
    } catch let error as TLSIdentityError {
      throw TransportError(.serverIdentity, "the certificate that \(endpoint) answers with was refused: \(error.reason)", hint: error.hint)
    } catch {
      throw TransportError(.handshake, "\(endpoint): \(error)", hint: "report this as a bug")
    }
  }
}

/// Puts what the TLS library reports into words.
package enum TLSFailure {
  /// - Parameter afterHandshake: the peer's view may still end badly then; TLS 1.3 judges a client's certificate last.
  package static func describe(_ error: any Error, endpoint: ServerEndpoint, afterHandshake: Bool) -> TransportError {
    let text = "\(error)"
    let alerts = [
      "CERTIFICATE_REQUIRED", "ALERT_CERTIFICATE", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA", "ALERT_ACCESS_DENIED",
      "ALERT_UNSUPPORTED_CERTIFICATE",
    ]
    if alerts.contains(where: text.contains) {
      return TransportError(
        .ownCertificateRefused, "\(endpoint) refused this site's certificate",
        hint: "compare its fingerprint with the server's roster, and its validity with the clock")
    }
    if text.contains("eofDuringHandshake") || text.contains("uncleanShutdown") || error is ChannelError || error is IOError {
      let place = afterHandshake ? "after" : "during"
      return TransportError(
        .connectionLost, "\(endpoint) closed the connection \(place) the TLS handshake", hint: "see the server's log for the cause")
    }
    return TransportError(
      .handshake, "the TLS handshake with \(endpoint) failed: \(text.prefix(300))",
      hint: "check that a SecAgg server listens there, and that both sides speak TLS 1.3")
  }
}
