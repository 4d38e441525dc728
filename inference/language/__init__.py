"""Text as numbers, for the readings whose input or output is language; no network, nothing learnt is kept."""
