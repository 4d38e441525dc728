"""The workshop: checkpoint or data to bundle, with proof; torch lives only here."""
