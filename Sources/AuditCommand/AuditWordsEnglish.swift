// The report in English.
import Ledger

extension AuditWords {
  static var english: AuditWords {
    AuditWords(
      language: "en",
      verdict: "Verdict", holds: "Every check that was made held.", isFalse: "A check was false.",
      holdsText:
        "The consortium's own key was used: nothing in this report rests on the server's word, except where the last section says so.",
      holdsUnpinnedText:
        "No consortium key was given: this report believes the first roster of the ledger. Repeat the audit with the roster and the key.",
      wholeLedger: "The ledger as a whole", entry: { "Entry \($0)" },
      entries: "Entries", released: "Rounds released", sites: "Sites in the roster", cosigned: "Sites that cosigned",
      newest: "Newest entry",
      needed: { "\($0) are needed" },
      meaning: "What is protected, and how much", noJobs: "No job was opened.", job: "Job",
      noNoise: "The sums of this job carry no noise. Single updates are hidden in the sum; what the sum tells of one site is not bounded.",
      noGuarantee: "No formal guarantee.", unitName: "Protected unit", rounds: "Rounds released",
      siteMeaning:
        "The unit is one whole site: whether its updates were there or replaced by zero makes this much difference at most to what the "
        + "server could see, together with as many sites as the roster lets collude, if the others added their noise. It is not a promise "
        + "about single patients beyond that.",
      recordMeaning:
        "The unit is one record (one image) of one site, added or removed. A patient with several images has less "
        + "protection: k images cost "
        + "what k-fold sensitivity costs. Sites with disjoint records have the largest of their figures, not the sum.",
      epsilonMeaning:
        "ε bounds by how much one unit can change the odds of anything that is published: e^ε times at most, but for a probability δ. 0 is "
        + "nothing, 1 is a factor of 2.7, 8 a factor of 3,000. Figures here were computed again from the noise and are rounded up.",
      unit: { $0 == .site ? "one site" : $0 == .record ? "one record" : "none" },
      ofBudget: { "of \($0) allowed" }, reservedDetail: { "\($0) attempts paid for" },
      budgetOverTime: "Privacy budget over time", round: "Round", spent: "ε so far", limit: "allowed",
      budgetCaption:
        "Every attempt that was reserved is paid for, also if it was aborted, unless a certificate shows that nobody could open it.",
      whoTookPart: "Who took part", noRoster: "The ledger has no roster.", index: "Index", name: "Site", invited: "Invited",
      inSum: "In the sum",
      droppedOut: "Dropped out", takingPartCaption: "Counted over all attempts that reached a sum's survivors, by the newest roster.",
      rosterLine: {
        "Roster number \($0). The protocol holds if at most \($1) sites collude with the server; \($2) sites must agree on the ledger."
      },
      everyAttempt: "Every attempt", entryColumn: "Entry", attempt: "Attempt", state: "What became of it", epsilonTotal: "ε so far",
      attemptsCaption: "Survivors of invited. A site that dropped out is not in the sum.",
      fate: { ["reserved": "reserved", "aborted": "aborted, paid for", "released": "released", "refunded": "refunded"][$0] ?? $0 },
      onlyNewest: { "The newest 300 of \($0) attempts; `secagg-audit verify --json` lists all." },
      refusals: "Refusals and aborted attempts", noRefusals: "None.", time: "Time", what: "What", who: "Who", code: "Code",
      siteRefused: "A site refused an attempt", nobody: "nobody is named",
      refusalsCaption: "Codes are those of the protocol (spec/03). Who was silent is the server's word.",
      site: { "site \($0)" }, aborted: { "\($0.job), round \($0.round), attempt \($0.attempt) ended in phase \($0.phase.rawValue)" },
      whatEachLearns: "What each party could learn", party: "Party", learns: "Sees", never: "Does not see",
      parties: [
        [
          "Server", "who took part and when; masked inputs; the sum of each released round and the weights that follow from it",
          "any single site's update, images, labels, number of records",
        ],
        ["Another site", "the weights of every round; who took part", "any other site's update"],
        ["Colluding sites with the server", "the sum over the honest survivors", "a single honest site's update"],
        [
          "Whoever reads this ledger", "indices of sites, who dropped out, refusal codes, digests, privacy figures",
          "updates, weights, data, timing of a site",
        ],
      ],
      checks: "Every check", result: "Result", check: "What was checked", detail: "Detail",
      checksCaption: "Details are in English, as the command prints them.",
      outcome: { $0 == .held ? "held" : $0 == .failed ? "FALSE" : "not made" },
      claim: { $0.claim }, cause: { $0.check.claim + ": false" },
      notGuaranteed: "What no ledger can show",
      limits: [
        "That a site clipped, sampled and added noise as it should, or trained on true data: nothing in a sum shows it.",
        "That a site which fell silent really did: silence is the server's word.",
        "That nothing was cut off behind the newest quorum of cosignatures, unless a newer checkpoint of a site was given to this audit.",
        "That the released weights follow from the sum: every site that applies the same sum checks that for itself.",
        "What was paid at a site that trained a round again: it stands in that site's own budget.",
        "Anything about traffic, or against more colluding sites than the roster says.",
      ])
  }
}
