"""Networks, written for export."""
