// The audit as a page for people who do not read logs: English first, then the same in Chinese. Every figure is the auditor's own.
import CommandLineKit
import Ledger

struct AuditPage {
  let report: AuditReport
  /// Whether the consortium's key was given.
  let isPinned: Bool

  init(_ report: AuditReport, isPinned: Bool) { (self.report, self.isPinned) = (report, isPinned) }

  func html() -> String {
    let origin = report.checkpoint?.checkpoint.origin ?? ""
    var page = Report(title: "Audit of a ledger · 账本审计报告", subtitle: origin)
    for words in [AuditWords.english, .chinese] {
      page.language(words.language)
      verdict(&page, words)
      unit(&page, words)
      budget(&page, words)
      takingPart(&page, words)
      rounds(&page, words)
      trouble(&page, words)
      learned(&page, words)
      checks(&page, words)
      limits(&page, words)
    }
    return page.html()
  }

  private func verdict(_ page: inout Report, _ words: AuditWords) {
    page.heading(words.verdict)
    if let bad = report.firstBad {
      let place = bad.index.map { words.entry($0) } ?? words.wholeLedger
      page.note("\(place) · \(bad.fault.cause.rawValue) · \(words.cause(bad.fault.cause))", title: words.isFalse, tone: .bad)
    } else {
      page.note(isPinned ? words.holdsText : words.holdsUnpinnedText, title: words.holds, tone: isPinned ? .good : .warning)
    }
    let rounds = report.state.rounds
    page.facts([
      Report.Fact(words.entries, "\(report.checkpoint?.checkpoint.size ?? 0)"),
      Report.Fact(words.released, "\(rounds.count { $0.fate == "released" })"),
      Report.Fact(words.sites, "\(report.state.roster?.sites.count ?? 0)"),
      Report.Fact(words.cosigned, "\(report.cosigners.count)", detail: report.state.roster.map { words.needed($0.quorum) } ?? ""),
      Report.Fact(
        words.newest, String(CivilTime.text(report.state.time).prefix(10)), detail: String(CivilTime.text(report.state.time).suffix(9))),
    ])
  }

  private func unit(_ page: inout Report, _ words: AuditWords) {
    page.heading(words.meaning)
    let jobs = report.state.jobSummaries
    if jobs.isEmpty { page.paragraph(words.noJobs) }
    for job in jobs {
      page.heading("\(words.job) \(job.name)", level: 3)
      guard let privacy = job.privacy else {
        page.note(words.noNoise, title: words.noGuarantee, tone: .warning)
        continue
      }
      page.facts([
        Report.Fact(words.unitName, words.unit(job.unit)),
        Report.Fact("ε", Figures.epsilon(privacy.epsilon), detail: words.ofBudget(Figures.plain(privacy.budget))),
        Report.Fact("δ", Figures.plain(privacy.delta)),
        Report.Fact(words.rounds, "\(job.released)", detail: words.reservedDetail(job.reserved)),
      ])
      page.paragraph(job.unit == .site ? words.siteMeaning : words.recordMeaning)
    }
    page.paragraph(words.epsilonMeaning)
  }

  private func budget(_ page: inout Report, _ words: AuditWords) {
    let jobs = report.state.jobSummaries.filter { $0.privacy != nil }
    guard !jobs.isEmpty else { return }
    page.heading(words.budgetOverTime)
    for job in jobs {
      let points = report.state.rounds.filter { $0.job == job.name && $0.fate == "released" }
        .compactMap { round in round.epsilonTotal.map { Plot.Point(Double(round.round), $0) } }
      guard points.count > 1 else { continue }
      var plot = Plot(job.name, x: words.round, y: "ε", series: [Plot.Series(words.spent, points)])
      if let limit = job.privacy?.budget { plot.levels = [Plot.Level(y: limit, label: words.limit)] }
      plot.height = 280
      page.figure(plot, caption: words.budgetCaption)
    }
  }

  private func takingPart(_ page: inout Report, _ words: AuditWords) {
    page.heading(words.whoTookPart)
    guard let roster = report.state.roster else { return page.paragraph(words.noRoster) }
    page.paragraph(words.rosterLine(Int(clamping: roster.serial), roster.colluders, roster.quorum))
    var table = Table([
      .init(words.index, .right), .init(words.name), .init(words.invited, .right), .init(words.inSum, .right),
      .init(words.droppedOut, .right),
    ])
    let rounds = report.state.rounds
    for site in roster.sites {
      let invited = rounds.filter { $0.invited.contains(site.index) }
      let present = invited.count { $0.survivors.contains(site.index) }
      table.add(["\(site.index)", site.name, "\(invited.count)", "\(present)", "\(invited.count - present)"])
    }
    page.table(table, caption: words.takingPartCaption)
  }

  private func rounds(_ page: inout Report, _ words: AuditWords) {
    page.heading(words.everyAttempt)
    var table = Table([
      .init(words.entryColumn, .right), .init(words.job), .init(words.round, .right), .init(words.attempt, .right), .init(words.state),
      .init(words.inSum, .right), .init(words.droppedOut), .init("ε", .right), .init(words.epsilonTotal, .right),
    ])
    let rounds = report.state.rounds
    // A page that prints: of very long ledgers the newest.
    for round in rounds.suffix(300) {
      table.add([
        "\(round.index)", round.job, "\(round.round)", "\(round.attempt)", words.fate(round.fate),
        "\(round.survivors.count)/\(round.invited.count)",
        round.dropped.map(String.init).joined(separator: ", "), Figures.epsilon(round.epsilonRound), Figures.epsilon(round.epsilonTotal),
      ])
    }
    page.table(table, caption: rounds.count > 300 ? words.onlyNewest(rounds.count) : words.attemptsCaption)
  }

  private func trouble(_ page: inout Report, _ words: AuditWords) {
    page.heading(words.refusals)
    let (refusals, aborts) = (report.state.refusals, report.state.aborts)
    guard !refusals.isEmpty || !aborts.isEmpty else { return page.paragraph(words.noRefusals) }
    var table = Table([.init(words.entryColumn, .right), .init(words.time), .init(words.what), .init(words.who), .init(words.code)])
    let lines =
      refusals.map { ($0.index, $0.time, words.siteRefused, words.site($0.refusal.site), $0.refusal.code) }
      + aborts.map { item in
        (item.index, item.time, words.aborted(item.abort), item.abort.site.map(words.site) ?? words.nobody, item.abort.code)
      }
    for line in lines.sorted(by: { $0.0 < $1.0 }).suffix(300) {
      table.add(["\(line.0)", CivilTime.text(line.1), line.2, line.3, line.4])
    }
    page.table(table, caption: words.refusalsCaption)
  }

  private func learned(_ page: inout Report, _ words: AuditWords) {
    page.heading(words.whatEachLearns)
    var table = Table([.init(words.party), .init(words.learns), .init(words.never)])
    for row in words.parties { table.add(row) }
    page.table(table)
  }

  private func checks(_ page: inout Report, _ words: AuditWords) {
    page.heading(words.checks)
    var table = Table([.init(words.result), .init(words.check), .init(words.detail)])
    for result in report.results {
      table.add([words.outcome(result.outcome), words.claim(result.check), result.detail])
    }
    page.table(table, caption: words.checksCaption)
  }

  private func limits(_ page: inout Report, _ words: AuditWords) {
    page.heading(words.notGuaranteed)
    for line in words.limits { page.note(line) }
  }
}
