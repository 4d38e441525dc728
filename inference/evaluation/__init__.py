"""Metrics and statistics of bundles over labelled cases: numpy and scipy, no network, no torch."""
