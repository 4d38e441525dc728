"""One file for each kind of checkpoint a hospital may bring: what it must hold, and how it becomes a bundle."""
