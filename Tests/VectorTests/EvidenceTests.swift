// The evidence cases of spec/vectors: what an independent program takes for shown, and what it does not.
import SecAgg
import Testing

@Suite struct EvidenceVectorTests {
  @Test("[EV-01] to [EV-04], [RF-02], [RF-03]", arguments: Vector.all("evidence")) func evidence(_ it: Vector) throws {
    let roster = try it.roster()
    var verdict = "success"
    do throws(Refusal) {
      let evidence = try Evidence(decoding: it.bytes("evidence"))
      let found = try evidence.check(roster)
      #expect((found.culprit ?? SiteID(.max)) == it.site("culprit") && found.claim.rawValue == it.text("rule"))
      #expect(evidence.encoded() == it.bytes("evidence"))
    } catch { verdict = error.code.rawValue }
    #expect(it.codes.contains(verdict), "\(it.text("what")): \(verdict)")
  }
}
