"""Made-up heads with known findings, for the demo, the tests and the training; the same seed makes the same head."""
