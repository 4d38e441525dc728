"""A volume in, findings out; knows no PACS, no folder of studies, no database, no torch."""

import os

# onnxruntime's wheels start an uploader on import unless this is set before; the hub clients look outside too.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
