// Certificates, their names and their files.
import Foundation
import TLSIdentity
import Testing

@Suite struct CertificateTests {
  private func folder() throws -> String {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("secagg-tls-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }

  private func code(_ body: () throws -> Void) -> TLSIdentityError.Code? {
    do {
      try body()
      return nil
    } catch {
      return (error as? TLSIdentityError)?.code
    }
  }

  @Test func aMintedCertificateSaysWhoAndWhere() throws {
    let server = try TLSCredentials.mint(name: "hub", role: .server(hosts: ["Hub.Example", "10.0.0.7", "::1"]))
    let certificate = server.certificate
    #expect(certificate.name.text == "hub" && certificate.uri == "secagg://hub")
    #expect(certificate.names(host: "hub.example") && certificate.names(host: "HUB.example") && certificate.names(host: "10.0.0.7"))
    #expect(certificate.names(host: "::1") && certificate.names(host: "[::1]") && certificate.names(host: "0:0:0:0:0:0:0:1"))
    #expect(!certificate.names(host: "example") && !certificate.names(host: "x.hub.example") && !certificate.names(host: "10.0.0.8"))
    try certificate.checkValidity()
    #expect(certificate.notAfter.timeIntervalSince(certificate.notBefore) == 825 * 86_400 + 300)
    #expect(try PeerCertificate(der: certificate.der) == certificate)
    #expect(try PeerCertificate(pem: certificate.pem) == certificate)
    let site = try TLSCredentials.mint(name: "hub", role: .site)
    #expect(site.certificate.fingerprint != certificate.fingerprint)
    #expect(site.certificate.dnsNames.isEmpty && site.certificate.addresses.isEmpty)
  }

  @Test func descriptionsHoldNoKey() throws {
    let site = try TLSCredentials.mint(name: "site-1", role: .site)
    var text = ""
    dump(site, to: &text)
    for shown in [text, "\(site)", String(reflecting: site)] {
      #expect(shown.contains(site.certificate.fingerprint.description))
      #expect(!shown.lowercased().contains("private"))
    }
  }

  @Test(arguments: ["", "-a", "a-", ".a", "A", "ä", "a b", "a/b", "secagg://a", String(repeating: "a", count: 64)])
  func unusableNamesAreRefused(name: String) {
    #expect(code { _ = try TLSCredentials.mint(name: name, role: .site) } == .unusableName)
  }

  @Test(arguments: [[], [""], ["a b"], ["http://x"], ["*.example"], Array(repeating: "a", count: 33)])
  func unusableHostsAreRefused(hosts: [String]) {
    #expect(code { _ = try TLSCredentials.mint(name: "hub", role: .server(hosts: hosts)) } == .unusableName)
  }

  @Test func validityIsJudged() throws {
    let now = Date()
    let certificate = try TLSCredentials.mint(name: "a", role: .site, notBefore: now - 100, notAfter: now + 100).certificate
    #expect(code { try certificate.checkValidity(at: now) } == nil)
    #expect(code { try certificate.checkValidity(at: now - 200) } == .outsideValidity)
    #expect(code { try certificate.checkValidity(at: now + 200) } == .outsideValidity)
    for days in [0, -1, 3_651, .max] {
      #expect(code { _ = try TLSCredentials.mint(name: "a", role: .site, days: days) } == .outsideValidity)
    }
  }

  @Test func cutOrChangedBytesAreNoCertificate() throws {
    let der = try TLSCredentials.mint(name: "a", role: .site).certificate.der
    for length in 0..<der.count { #expect(code { _ = try PeerCertificate(der: Array(der[..<length])) } == .malformedCertificate) }
    #expect(code { _ = try PeerCertificate(der: der + [0]) } == .malformedCertificate)
    #expect(code { _ = try PeerCertificate(der: [UInt8](repeating: 48, count: 20_000)) } == .malformedCertificate)
    #expect(code { _ = try PeerCertificate(pem: "") } == .malformedCertificate)
    // Any single changed byte: another certificate or none, never a trap.
    for index in der.indices {
      var changed = der
      changed[index] ^= 0x55
      if let other = try? PeerCertificate(der: changed) { #expect(other.fingerprint != CertificateFingerprint(ofDER: der)) }
    }
  }

  @Test func fingerprintsAreReadAsTheyAreWritten() throws {
    let print = CertificateFingerprint(ofDER: [1, 2, 3])
    #expect(CertificateFingerprint(parsing: print.description) == print)
    #expect(CertificateFingerprint(parsing: print.description.uppercased().replacingOccurrences(of: ":", with: "")) == print)
    #expect(CertificateFingerprint(bytes: print.bytes) == print)
    #expect(print.description.hasPrefix("03:90:58:c6"))
    for bad in ["", "03", print.description + "00", String(print.description.dropLast()), "g" + print.description.dropFirst()] {
      #expect(CertificateFingerprint(parsing: bad) == nil)
    }
    #expect(CertificateFingerprint(bytes: [1]) == nil)
  }

  @Test func filesComeBackAndTheKeyIsTheOwnersAlone() throws {
    let path = try folder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let site = try TLSCredentials.mint(name: "a", role: .site)
    let (certificate, key) = (path + "/a.pem", path + "/a.key.pem")
    try site.save(certificateFile: certificate, keyFile: key)
    #expect(try TLSCredentials.load(certificateFile: certificate, keyFile: key).certificate == site.certificate)
    let mode = try #require(FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int)
    #expect(mode == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == ["a.key.pem", "a.pem"])
  }

  @Test func badFilesAreRefusedWithTheirPlace() throws {
    let path = try folder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let (certificate, key) = (path + "/a.pem", path + "/a.key.pem")
    let site = try TLSCredentials.mint(name: "a", role: .site)
    try site.save(certificateFile: certificate, keyFile: key)
    let before = try Data(contentsOf: URL(fileURLWithPath: key))

    // A key is never overwritten.
    let other = try TLSCredentials.mint(name: "b", role: .site)
    #expect(code { try other.save(certificateFile: path + "/b.pem", keyFile: key) } == .file)
    #expect(try Data(contentsOf: URL(fileURLWithPath: key)) == before)
    #expect(!FileManager.default.fileExists(atPath: path + "/b.pem"))

    try other.save(certificateFile: path + "/b.pem", keyFile: path + "/b.key.pem")
    func load(_ certificate: String, _ key: String) -> TLSIdentityError.Code? {
      code { _ = try TLSCredentials.load(certificateFile: path + certificate, keyFile: path + key) }
    }
    #expect(load("/a.pem", "/b.key.pem") == .keyMismatch)
    #expect(load("/none.pem", "/a.key.pem") == .file)
    #expect(load("/a.pem", "/none.pem") == .file)
    #expect(load("/a.key.pem", "/a.key.pem") == .malformedCertificate)
    #expect(load("/a.pem", "/../a.key.pem") == .file)
    #expect(code { try site.save(certificateFile: path + "/no/a.pem", keyFile: path + "/no/a.key.pem") } == .file)

    try Data(before.prefix(before.count / 2)).write(to: URL(fileURLWithPath: path + "/cut.key.pem"))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path + "/cut.key.pem")
    #expect(load("/a.pem", "/cut.key.pem") == .malformedKey)
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: key)
    #expect(load("/a.pem", "/a.key.pem") == .keyFileExposed)
    let text = try String(contentsOfFile: certificate, encoding: .utf8)
    try text.prefix(100).write(toFile: path + "/cut.pem", atomically: true, encoding: .utf8)
    #expect(load("/cut.pem", "/b.key.pem") == .malformedCertificate)
    try (text + text).write(toFile: path + "/two.pem", atomically: true, encoding: .utf8)
    #expect(load("/two.pem", "/b.key.pem") == .malformedCertificate)
  }
}
