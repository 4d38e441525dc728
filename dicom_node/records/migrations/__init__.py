"""Steps that bring an older ledger to this version's tables, each in one transaction."""
