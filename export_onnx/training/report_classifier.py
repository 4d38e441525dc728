"""A report classifier from labelled reports: repeated trainings, best epoch on validation, mean and spread on test."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from export_onnx import package
from export_onnx.checkpoint import Checkpoint, check_keys
from export_onnx.errors import CheckpointError
from export_onnx.recipes import bert, wordpiece
from export_onnx.recipes.declaration import Declaration
from export_onnx.training.loop import Schedule, train
from export_onnx.training.record import MADE_AT
from export_onnx.training.report_cohort import Division, Report, divided, read
from export_onnx.training.report_sentences import made_up
from export_onnx.training.shipped import Order
from inference.bundle import MANIFEST, Bundle
from inference.language.tokenizer import ReportTokenizer
from inference.manifests.identity import Licence, Metric, TrainingRun

NAME, VERSION = "report-classifier", "0.1.0"
TABLE, BASE = "reports.csv", "base"
"""In the data folder: the labelled reports, and the BERT to start from; without the latter a tiny one is made."""

_BATCH, _SEED = 16, 1
_TINY = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4}
_TINY_TOKENS, _TINY_VOCABULARY = 128, 800


@dataclass(frozen=True, kw_only=True, eq=False)
class _Start:
    """Where every repeat starts: configuration, weights of the encoder (empty: random), tokenizer."""

    config: dict[str, Any]
    encoder: dict[str, Tensor]
    tokenizer: str
    learning_rate: float


def run(order: Order) -> Bundle:
    """From labelled reports to the bundle with its figures.

    Raises
    ------
    ExportError
        If there are no reports, too few patients, or the BERT to start from is not one.
    """
    quick = order.quick and not (order.data / TABLE).exists()
    reports = made_up(240, _SEED) if quick else read(order.data / TABLE)
    parts = divided(reports, _SEED)
    labels = sorted({report.label for report in reports})
    start = _start(order.data / BASE, labels, parts.training)
    repeats, epochs = (2, 3) if order.quick else (order.repeats, order.epochs)
    ends = []
    for number in range(repeats):
        state, validation = _fitted(start, parts, labels, epochs, seed=_SEED + number)
        accuracy = _accuracy(_network(start, state), _batches(start, parts.test, labels))
        order.report(
            f"repeat {number + 1} of {repeats}: accuracy {validation:.3f} on validation, {accuracy:.3f} on test"
        )
        ends.append((validation, accuracy, state))
    accuracies = [accuracy for _, accuracy, _ in ends]
    spread = float(np.std(accuracies, ddof=1)) if repeats > 1 else 0.0
    order.report(f"accuracy on test, {repeats} repeats: mean {np.mean(accuracies):.3f}, spread (SD) {spread:.3f}")
    best = max(range(repeats), key=lambda number: ends[number][0])
    figures = _figures(parts, accuracies, best, spread)
    return _written(order, start, ends[best][2], figures, synthetic=quick, steps=_steps(parts, epochs))


def _start(base: Path, labels: Sequence[str], reports: Sequence[Report]) -> _Start:
    classes = {"id2label": dict(enumerate(labels)), "label2id": {label: n for n, label in enumerate(labels)}}
    if not base.is_dir():
        tokenizer = _vocabulary(reports)
        size = Tokenizer.from_str(tokenizer).get_vocab_size()
        config: dict[str, Any] = {**_TINY, **classes, "vocab_size": size, "max_position_embeddings": _TINY_TOKENS}
        return _Start(config=config, encoder={}, tokenizer=tokenizer, learning_rate=1e-3)
    checkpoint = Checkpoint.read(base)
    if not checkpoint.architecture.startswith("Bert"):
        raise CheckpointError(f"{base.name}: architecture {checkpoint.architecture}, a BERT is needed to start from")
    config = {**checkpoint.config, **classes}
    tokenizer, _ = wordpiece.tokenizer_of(base, config["vocab_size"])
    return _Start(config=config, encoder=_encoder(checkpoint, config), tokenizer=tokenizer, learning_rate=3e-5)


def _vocabulary(reports: Sequence[Report]) -> str:
    """A WordPiece tokenizer of the training reports, made by way of a vocab.txt as a checkpoint would bring it."""
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.trainers import WordPieceTrainer

    marks = [wordpiece.PAD, wordpiece.UNKNOWN, wordpiece.BEGIN, wordpiece.END, wordpiece.MASK]
    raw = Tokenizer(WordPiece(unk_token=wordpiece.UNKNOWN))
    raw.normalizer, raw.pre_tokenizer = BertNormalizer(lowercase=True), BertPreTokenizer()
    trainer = WordPieceTrainer(vocab_size=_TINY_VOCABULARY, special_tokens=marks, show_progress=False)
    raw.train_from_iterator([report.text for report in reports], trainer)
    tokens = [*marks, *sorted(set(raw.get_vocab()) - set(marks))]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / wordpiece.VOCABULARY).write_text("\n".join(tokens) + "\n", encoding="utf-8")
        return wordpiece.tokenizer_of(Path(folder), len(tokens))[0]


def _encoder(checkpoint: Checkpoint, config: dict[str, Any]) -> dict[str, Tensor]:
    """Tensors of the encoder by their name in the classifier; the heads of the pretraining are left behind."""
    expected = {
        n for n in bert.built(config).state_dict() if n.startswith("bert.") and not n.startswith("bert.pooler.")
    }
    named = {n if n.startswith(("bert.", "cls.", "classifier.")) else f"bert.{n}": n for n in checkpoint.tensors}
    kept = {n: old for n, old in named.items() if n.startswith("bert.") and not n.startswith("bert.pooler.")}
    check_keys(set(kept) - {"bert.embeddings.position_ids"}, expected, checkpoint.path.name)
    return {n: checkpoint.tensors[kept[n]].float() for n in expected}


def _network(start: _Start, state: dict[str, Tensor]) -> nn.Module:
    """The classifier; tensors that `state` lacks keep their random start."""
    network = bert.built(start.config)
    network.load_state_dict(state, strict=False)
    return bert.Logits(network)


_Batch = tuple[Tensor, Tensor, Tensor]


def _batches(start: _Start, reports: Sequence[Report], labels: Sequence[str]) -> list[_Batch]:
    """(input_ids, attention_mask, class) of 16 reports each, padded to the longest of them."""
    longest = int(start.config.get("max_position_embeddings", 512))
    tokenizer = ReportTokenizer(start.tokenizer.encode(), "tokenizer.json", longest)
    return [_batch(tokenizer, reports[first : first + _BATCH], labels) for first in range(0, len(reports), _BATCH)]


def _batch(tokenizer: ReportTokenizer, reports: Sequence[Report], labels: Sequence[str]) -> _Batch:
    encoded = [torch.from_numpy(tokenizer.encode(report.text).input_ids[0]) for report in reports]
    ids = nn.utils.rnn.pad_sequence(encoded, batch_first=True)
    mask = nn.utils.rnn.pad_sequence([torch.ones_like(one) for one in encoded], batch_first=True)
    return ids, mask, torch.tensor([labels.index(report.label) for report in reports])


def _fitted(
    start: _Start, parts: Division, labels: Sequence[str], epochs: int, seed: int
) -> tuple[dict[str, Tensor], float]:
    """Weights of the epoch that does best on validation, and its accuracy there."""
    torch.manual_seed(seed)
    network = _network(start, start.encoder)
    steps, validation = _steps(parts, 1), _batches(start, parts.validation, labels)
    best: tuple[float, dict[str, Tensor]] = (-1.0, {})
    batches: list[_Batch] = []

    def loss(network: nn.Module, step: int) -> Tensor:
        if step % steps == 0:
            order = np.random.default_rng((seed, step)).permutation(len(parts.training))
            batches[:] = _batches(start, [parts.training[int(n)] for n in order], labels)
        ids, mask, kinds = batches[step % steps]
        return nn.functional.cross_entropy(network(ids, mask), kinds)

    def progress(step: int, _: float) -> None:
        nonlocal best
        if step % steps == 0:
            accuracy = _accuracy(network, validation)
            if accuracy > best[0]:
                inner = {n.removeprefix("network."): t.clone() for n, t in network.state_dict().items()}
                best = (accuracy, inner)
            network.train()

    schedule = Schedule(seed=seed, iterations=steps * epochs, learning_rate=start.learning_rate)
    with tempfile.TemporaryDirectory() as folder:
        train(network, schedule, loss, Path(folder) / "checkpoint.pt", progress)
    return best[1], best[0]


def _steps(parts: Division, epochs: int) -> int:
    return epochs * -(-len(parts.training) // _BATCH)


def _accuracy(network: nn.Module, batches: Sequence[_Batch]) -> float:
    network.eval()
    with torch.inference_mode():
        right = [network(ids, mask).argmax(dim=1) == kinds for ids, mask, kinds in batches]
    return float(torch.cat(right).float().mean())


def _figures(parts: Division, accuracies: list[float], best: int, spread: float) -> dict[str, Any]:
    counts = [sum(r.label == label for r in parts.test) for label in {r.label for r in parts.test}]
    return {
        "n_reports": len(parts.test),
        "n_patients": len({report.patient for report in parts.test}),
        "class_accuracy": {"value": accuracies[best], "majority": max(counts) / len(parts.test)},
        "repeats": {"n": len(accuracies), "mean": float(np.mean(accuracies)), "sd": spread, "all": accuracies},
    }


def _written(
    order: Order, start: _Start, state: dict[str, Tensor], figures: dict[str, Any], *, synthetic: bool, steps: int
) -> Bundle:
    """Save as Hugging Face would, go the way of every checkpoint, and add run and figures."""
    folder = order.out / f"{NAME}-{VERSION}-checkpoint"
    network = bert.built(start.config)
    network.load_state_dict(state)
    network.save_pretrained(folder)  # type: ignore[operator]
    (folder / wordpiece.WHOLE).write_text(start.tokenizer, encoding="utf-8")
    declaration = Declaration(
        name=NAME,
        version=VERSION,
        title="Class of a report's text" + ("; plumbing only, learnt from made-up sentences" if synthetic else ""),
        source="dicom-node",
        licence=Licence(name="as the data and the base allow", clinical_use="research"),
        training="synthetic-findings" if synthetic else "real",
        made_at=MADE_AT,
    )
    with tempfile.TemporaryDirectory() as draft:
        made = bert.export(folder, Path(draft), declaration, bert.ReportOptions())
        files = {name: made.read(name) for name in made.hashes if name != MANIFEST}
        card = (made.path / "MODEL_CARD.md").read_bytes()
    ran = TrainingRun(
        command=order.command,
        seed=_SEED,
        data=("made-up sentences" if synthetic else "labelled reports of the site") + ", divided by patient",
        parameters=sum(tensor.numel() for tensor in state.values()),
        iterations=steps,
    )
    accuracy = figures["class_accuracy"]
    metric = Metric(
        name="class_accuracy",
        value=accuracy["value"],
        n=figures["n_patients"],
        unit="patients",
        split="test",
        baselines={"majority": accuracy["majority"]},
    )
    manifest = made.manifest.model_copy(update={"training_run": ran, "metrics": (metric,)})
    notes = {"metrics.json": json.dumps(figures, indent=2).encode() + b"\n", "MODEL_CARD.md": card}
    return package.write(order.out, manifest, files, notes)
