"""What bundle.json of mini-volume-report says: series, preprocessing, what is asked, evidence; no figures."""

from collections.abc import Mapping
from typing import Any

from export_onnx.training import volume_words as words
from export_onnx.training.record import LEARNING, TEMPLATE_LICENCE, exporter
from inference import operations as ops
from inference.bundle import load
from inference.catalogue import shipped_bundles_dir
from inference.concept import Concept
from inference.inputs import Inputs
from inference.manifests.identity import BundleReference, SourceCheckpoint, TrainingRun
from inference.manifests.talk import Chat, KindOption, KindQuestion, Request

NAME, VERSION = "mini-volume-report", "0.1.0"
EVIDENCE = "lesion-segmenter-0.1.0"
"""The bundle whose masks and measurements hold what this one says."""

SHAPE = (32, 64, 64)

PREPROCESS: tuple[ops.Operation, ...] = (
    ops.Orient(code="HPL", reformat=True),
    ops.CropForeground(margin_mm=0.0),
    ops.WindowPercentile(lower=1.0, upper=99.5, scope="volume", foreground=True),
    ops.Resize(shape=SHAPE, antialias=True),
)

INPUTS = Inputs(
    modality=("MR",),
    body_part=("HEAD", "BRAIN", "SKULL"),
    weighting=("T1",),
    min_slices=20,
    min_matrix=64,
    max_spacing_mm=6.0,
    min_extent_mm=120.0,
)

KIND_CODES = {
    "hyperintense": Concept(scheme="99DICOMNODE", value="hyperintense-lesion", meaning="Hyperintense lesion"),
    "hypointense": Concept(scheme="99DICOMNODE", value="hypointense-lesion", meaning="Hypointense lesion"),
    "ring": Concept(scheme="99DICOMNODE", value="ring-lesion", meaning="Ring lesion"),
}


def values(chat: Chat, checkpoint: SourceCheckpoint, run: TrainingRun) -> Mapping[str, Any]:
    """Keys of bundle.json but for graphs, limits and parity."""
    evidence = load(shipped_bundles_dir / EVIDENCE)
    reference = BundleReference(name=evidence.manifest.name, version=evidence.manifest.version, digest=evidence.digest)
    return {
        "schema_version": 1,
        "name": NAME,
        "version": VERSION,
        "title": "Report of lesions in the brain on T1-weighted MR; technical demonstration, learnt on synthetic heads",
        "algorithm": "volume-report",
        "source": "dicom-node",
        "family": LEARNING,
        "licence": TEMPLATE_LICENCE,
        "training": "synthetic-findings",
        "source_checkpoint": checkpoint,
        "training_run": run,
        "exporter": exporter(),
        "inputs": INPUTS,
        "preprocess": PREPROCESS,
        "chat": chat,
        "evidence": reference,
        "locate": True,
        "kinds": KindQuestion(
            id="kind",
            text=words.KIND_OF_MARKED,
            options=tuple(KindOption(text=kind, code=code) for kind, code in KIND_CODES.items()),
        ),
        "requests": (
            Request(id="findings", text=words.REPORT, max_tokens=160),
            Request(id="lesion", text=words.REPORT_OF_MARKED, max_tokens=64, about="finding"),
        ),
        "max_seconds": 120.0,
    }
