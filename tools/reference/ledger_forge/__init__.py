"""Makes ledgers for tests, good ones and forged ones (spec/15-ledger.md). Nothing is random: keys are hashes of their names."""
