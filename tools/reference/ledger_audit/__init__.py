"""An auditor of ledgers, written from spec/15-ledger.md and the pages that it names; it shares no code with the Swift auditor."""
