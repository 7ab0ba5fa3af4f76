// The words of the report in each language. Sentences that have figures in them are functions.
import Ledger

struct AuditWords {
  let language: String
  let verdict, holds, isFalse, holdsText, holdsUnpinnedText, wholeLedger: String
  let entry: (Int) -> String
  let entries, released, sites, cosigned, newest: String
  let needed: (Int) -> String
  let meaning, noJobs, job, noNoise, noGuarantee, unitName, rounds, siteMeaning, recordMeaning, epsilonMeaning: String
  let unit: (PrivacyUnit) -> String
  let ofBudget: (String) -> String
  let reservedDetail: (Int) -> String
  let budgetOverTime, round, spent, limit, budgetCaption: String
  let whoTookPart, noRoster, index, name, invited, inSum, droppedOut, takingPartCaption: String
  let rosterLine: (Int, Int, Int) -> String
  let everyAttempt, entryColumn, attempt, state, epsilonTotal, attemptsCaption: String
  let fate: (String) -> String
  let onlyNewest: (Int) -> String
  let refusals, noRefusals, time, what, who, code, siteRefused, nobody, refusalsCaption: String
  let site: (UInt32) -> String
  let aborted: (RoundAborted) -> String
  let whatEachLearns, party, learns, never: String
  let parties: [[String]]
  let checks, result, check, detail, checksCaption: String
  let outcome: (CheckResult.Outcome) -> String
  let claim: (AuditCheck) -> String
  let cause: (Cause) -> String
  let notGuaranteed: String
  let limits: [String]
}
