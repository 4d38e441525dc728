"""How the shipped bundles were trained, from data to card, one command each."""
