"""Viewers of others, started by tests: what they need served, and what they are told to do."""
