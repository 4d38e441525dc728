"""bundle.json, one file for each kind of bundle; `inference/manifest.py` tells them apart."""
