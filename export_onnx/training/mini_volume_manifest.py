"""What bundle.json of mini-volume-report says: series, preprocessing, what is asked, evidence; no figures."""

from collections.abc import Mapping
from typing import Any

from export_onnx.training import volume_words as words
from export_onnx.training.record import LEARNING, TEMPLATE_LICENCE, exporter
from export_onnx.training.talk_card import Words
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

CARD = Words(
    made=(
        "M3D's contract on a small grid: a volume in, features of its parts out, a decoder of Llama's kind behind "
        "them, with a tokenizer of its own. It learnt from made-up heads and has never seen a patient. "
        "It exists to take a report out of a language model by the path that every later one takes."
    ),
    reads=f"T1-weighted MR of the head, laid on {' x '.join(map(str, SHAPE))} voxels",
    gives=(
        f"what {EVIDENCE} marks and measures, each finding with its kind (hyperintense, hypointense, ring) and that "
        "kind's probability, and a report as a draft, each sentence held against what was marked"
    ),
    explained=(
        "Made-up heads that were neither learnt from nor looked at before, each on its own grid, through the reader a "
        "node uses. `vqa_closed_accuracy` is over all questions, of two and of four options; `_of_` a kind over those "
        "of the kind; `_localised` are the same with the place of the largest lesion in the prompt. "
        "`report_rule_score` counts lesions whose side, part of the brain and size (within 20 %) are all right."
    ),
    command="dicom-node evaluate mini-volume-report DATA/mini-volume-report-test --prompt-mode both --json",
    units="heads",
    limits=(
        (
            "Trained and tested on synthetic heads alone: the figures say that the path works, and nothing of "
            "patients. Refused unless the configuration says `allow_synthetic = true`."
        ),
        "It sees voxels of about 5 x 3 x 3 mm: what is measured of a finding is measured by the evidence, not by it.",
        "It knows no words but those of its training: another question gets an answer that means nothing.",
    ),
)
"""What the card says of this bundle alone."""


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
