"""What every test runs under: no telemetry, valid values enforced when writing."""

import inference  # noqa: F401  (sets the environment before anything imports onnxruntime)
