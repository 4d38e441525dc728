"""Running the node: supervision, clock, check, demo, `process`, status."""
