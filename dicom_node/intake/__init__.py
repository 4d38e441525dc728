"""The way in: listener, pre-scan and closing (is the study complete?)."""
