"""A tiny report-judge bundle: decoder, table and tokenizer of another one that speaks, with a prompt of its own."""

from pathlib import Path

from inference.bundle import Bundle, parity_names
from inference.bundle_writer import write
from inference.manifests.judge import JudgeManifest
from inference.manifests.talk import TABLE, TOKENIZER, Talk

PROMPT = "Compare.\nReference: {reference}\nCandidate: {candidate}\nAnswer:"


def written(folder: Path, of: Bundle, prompt: str = PROMPT) -> Bundle:
    """The bundle tiny-judge-1.0.0 in a folder."""
    talk = of.manifest
    assert isinstance(talk, Talk)
    decoder = talk.graph("decoder")
    names = [decoder.file, decoder.data or "", TABLE, TOKENIZER, *parity_names("decoder")]
    shared = ("schema_version", "title", "source", "family", "licence", "training", "source_checkpoint", "exporter")
    manifest = JudgeManifest.model_validate(
        {
            **{name: getattr(talk, name) for name in (*shared, "parity")},
            "name": "tiny-judge",
            "version": "1.0.0",
            "algorithm": "report-judge",
            "graphs": (decoder,),
            "prompt": prompt,
            "stops": talk.chat.stops,
            "max_tokens": talk.max_tokens,
            "max_answer": 16,
        }
    )
    return write(folder, manifest, {name: of.read(name) for name in names}, {"MODEL_CARD.md": b"# Tiny\n"})
