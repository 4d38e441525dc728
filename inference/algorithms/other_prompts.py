"""A tumour-localiser bundle with other texts: through its own text graph, without training; a bundle of its own."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.algorithms import Runtime
from inference.bundle import MANIFEST, Bundle
from inference.bundle_writer import write
from inference.errors import BundleError
from inference.language.prompts import Prompts, text_features
from inference.language.tokenizer import ReportTokenizer
from inference.manifests.localiser import FEATURES, PROMPTS, TEXT_OUTPUT, LocaliserManifest, Texts
from inference.parity import opened
from inference.session import Session

Array = NDArray[np.float32]


class TextEncoder:
    """Text to features (joint,), float32, through a text graph.

    Parameters
    ----------
    session
        Of the graph.
    tokenizer
        What lies before it.
    inputs
        Names of its inputs.
    """

    def __init__(self, session: Session, tokenizer: ReportTokenizer, inputs: tuple[str, ...]) -> None:
        self._session, self._tokenizer, self._inputs = session, tokenizer, inputs

    def __call__(self, text: str) -> Array:
        """Features of one text.

        Raises
        ------
        BundleError
            If the text is longer than the graph takes.
        """
        encoded = self._tokenizer.encode(text)
        if encoded.cut:
            raise BundleError(f"a prompt has {encoded.whole} tokens, more than the text graph takes: {text!r}")
        given = {name: getattr(encoded, name) for name in self._inputs}
        features: Array = self._session.run(given)[TEXT_OUTPUT][0].astype(np.float32)
        return features


def with_prompts(bundle: Bundle, prompts: Prompts, version: str, out: Path, runtime: Runtime) -> Bundle:
    """Write the bundle again with the features of other texts.

    Parameters
    ----------
    bundle
        Of kind tumour-localiser, with a text graph.
    prompts
        Texts of normal and of abnormal.
    version
        Of the new bundle, other than that of the old one.
    out
        Folder that NAME-VERSION is written to.

    Returns
    -------
    Bundle
        Without the calibrations and figures of the old one, which do not hold for other texts, and with its digest.

    Raises
    ------
    BundleError
        If the bundle is of another kind or has no text graph, the version is no version or the old one, the new folder
        is there already, or a prompt is too long.
    """
    manifest = bundle.manifest
    if not isinstance(manifest, LocaliserManifest) or manifest.texts is None:
        raise BundleError(f"{bundle.path.name}: no tumour-localiser bundle with a text graph: its prompts are fixed")
    if version == manifest.version or (out / f"{manifest.name}-{version}").exists():
        raise BundleError(f"{manifest.name}-{version} is there already: give the new bundle another version")
    encode = _encoder(bundle, manifest, manifest.texts, runtime)
    kept = {name: bundle.read(name) for name in bundle.hashes if name != MANIFEST}
    files = {**kept, FEATURES: npy(text_features(prompts, encode)), PROMPTS: prompts_json(prompts)}
    return write(out, _changed(manifest, bundle, version), files, {"MODEL_CARD.md": _card(bundle, version).encode()})


def npy(array: Array) -> bytes:
    """An array as the bytes of an .npy file."""
    data = io.BytesIO()
    np.save(data, array, allow_pickle=False)
    return data.getvalue()


def prompts_json(prompts: Prompts) -> bytes:
    """Texts as the bundle keeps them."""
    return prompts.model_dump_json(indent=2).encode() + b"\n"


def _encoder(bundle: Bundle, manifest: LocaliserManifest, texts: Texts, runtime: Runtime) -> TextEncoder:
    graph = manifest.graph("text")
    name = f"{bundle.path.name}/{texts.tokenizer}"
    tokenizer = ReportTokenizer(bundle.read(texts.tokenizer), name, texts.max_length)
    return TextEncoder(opened(bundle, graph, runtime), tokenizer, tuple(tensor.name for tensor in graph.inputs))


def _changed(manifest: LocaliserManifest, bundle: Bundle, version: str) -> LocaliserManifest:
    values = manifest.model_dump()
    segments = [{**segment, "calibration": None} for segment in values["segments"]]
    changes = {
        "version": version,
        "segments": segments,
        "image_calibration": None,
        "metrics": (),
        "prompts_changed_from": bundle.digest,
    }
    try:
        return LocaliserManifest.model_validate({**values, **changes})
    except ValueError as error:
        raise BundleError(f"{manifest.name}-{version}: not a version like 1.2.3") from error


def _card(bundle: Bundle, version: str) -> str:
    manifest = bundle.manifest
    return (
        f"# {manifest.title}\n\n"
        f"`{manifest.name}` {version} is `{bundle.path.name}` (digest {bundle.digest})\n"
        f"with other prompts, which lie in `{PROMPTS}`. Graphs and weights are the same. The figures and\n"
        "calibrations of that bundle do not hold for this one and are not in it; thresholds are unchanged. Before\n"
        "use, take figures of its own with `dicom-node evaluate`.\n"
    )
