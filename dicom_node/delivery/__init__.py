"""The way out: a sender to each destination, retry as a value."""
