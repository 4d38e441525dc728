"""What is remembered: spool, database and migrations, ledger (the only reader and writer), audit, privacy."""
