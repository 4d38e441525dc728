"""Checks before an object may leave, one idea a file: they read what was written, repair nothing and quote no value."""
