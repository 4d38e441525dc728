"""What this node can read with: algorithms in code and bundles on disk, by name; opens one on demand.

Naming, describing and judging a bundle loads no ONNX Runtime; only `open_reader` does.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from inference.algorithms import Reader, Runtime, TextReader
from inference.bundle import MANIFEST, Bundle, load
from inference.errors import BundleError
from inference.findings import Algorithm, stricter
from inference.inputs import Inputs, TextInputs, narrowed
from inference.manifest import Manifest
from inference.manifests.identity import BundleReference
from inference.manifests.lesions import LesionsManifest
from inference.manifests.talk import Talk

if TYPE_CHECKING:
    from inference.algorithms.learnt_brain import LearntFinder

shipped_bundles_dir = Path(__file__).parent / "bundles"
"""Bundles that come with the program."""

TALKERS = frozenset({"image-dialogue", "volume-report"})
"""Kinds of bundles that look and speak."""

CLASSICAL = "brain-lesions"
"""The algorithm that is no bundle; the brain it looks into is found by one."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """One entry of the catalogue.

    Attributes
    ----------
    name
        As rules name it.
    algorithm, inputs
        Who speaks, and which series, or which text, it reads.
    bundle
        Verified; None for an algorithm without weights.
    evidence
        The bundle that marks and measures what this one speaks of, verified; None: there is no such.
    """

    name: str
    algorithm: Algorithm
    inputs: Inputs | TextInputs
    bundle: Bundle | None
    evidence: Bundle | None = None

    @property
    def draws(self) -> Manifest | None:
        """Manifest of the bundle whose masks come back; None for an algorithm without weights."""
        drawing = self.evidence or self.bundle
        return drawing.manifest if drawing else None

    def refusal(self, *, allow_synthetic: bool, allow_research: bool) -> str | None:
        """As `refusal`, of every bundle that it reads with."""
        bundles = (bundle for bundle in (self.bundle, self.evidence) if bundle)
        said = (refusal(b, allow_synthetic=allow_synthetic, allow_research=allow_research) for b in bundles)
        return next((why_not for why_not in said if why_not is not None), None)


def names(bundles_dir: Path | None) -> tuple[str, ...]:
    """Every name that `describe` knows without a version, sorted.

    Parameters
    ----------
    bundles_dir
        Folder of the site's bundles beside those that ship; None: only those that ship.

    Raises
    ------
    BundleError
        If the folder is not there.
    """
    return tuple(sorted({CLASSICAL, *(name for name, _ in _folders(bundles_dir))}))


def speakers(bundles_dir: Path | None) -> tuple[str, ...]:
    """Names of the bundles that look and speak, as their manifests say unverified; raises BundleError as `names`."""
    return tuple(sorted({name for name, path in _folders(bundles_dir) if _speaks(path / MANIFEST)}))


def describe(name: str, bundles_dir: Path | None) -> Description:
    """Look up an algorithm or a bundle, and verify the latter.

    Parameters
    ----------
    name
        "brain-lesions", a bundle's name (the highest version there is), or NAME-VERSION.
    bundles_dir
        As in `names`.

    Raises
    ------
    BundleError
        If the name is unknown, the same NAME-VERSION lies in both folders, or the bundle does not hold together.
    """
    if name == CLASSICAL:
        from inference.algorithms import brain_lesions

        extractor = load(_folder(brain_lesions.EXTRACTOR, bundles_dir)).algorithm
        return Description(
            name=name, algorithm=brain_lesions.algorithm(extractor), inputs=brain_lesions.INPUTS, bundle=None
        )
    bundle = load(_folder(name, bundles_dir))
    evidence = _evidence(bundle, bundles_dir)
    alone = Description(name=name, algorithm=bundle.algorithm, inputs=bundle.manifest.inputs, bundle=bundle)
    return alone if evidence is None else _with_evidence(alone, evidence)


def _with_evidence(alone: Description, evidence: Bundle) -> Description:
    """As strict as the evidence, and reading what that reads too."""
    inputs, other = alone.inputs, evidence.manifest.inputs
    if isinstance(inputs, TextInputs) or isinstance(other, TextInputs):
        raise BundleError(f"{alone.name} takes its evidence from {evidence.path.name}, which reads no images")
    algorithm = stricter(alone.algorithm, evidence.algorithm)
    return replace(alone, algorithm=algorithm, inputs=narrowed(inputs, other), evidence=evidence)


def open_reader(name: str, bundles_dir: Path | None, runtime: Runtime) -> Reader | TextReader:
    """Make an algorithm ready to read: weights loaded, provider checked, the bundle's own outputs computed again.

    Raises
    ------
    BundleError
        As `describe`, or if the outputs on this machine are not those that came with the bundle.
    ProviderError
        If no allowed execution provider came up.
    """
    if name == CLASSICAL:
        from inference.algorithms.brain_lesions import EXTRACTOR, BrainLesions

        return BrainLesions(_finder(load(_folder(EXTRACTOR, bundles_dir)), runtime))
    return open_bundle(load(_folder(name, bundles_dir)), bundles_dir, runtime)


def open_bundle(bundle: Bundle, bundles_dir: Path | None, runtime: Runtime) -> Reader | TextReader:
    """As `open_reader`; `bundles_dir` is where the bundle's own references are looked up."""
    if bundle.manifest.algorithm == "report-classifier":
        from inference.algorithms.report_classifier import ReportClassifier

        return ReportClassifier.opened(bundle, runtime)
    if bundle.manifest.algorithm == "brain-lesions":
        return _lesion_classifier(bundle, bundles_dir, runtime)
    if bundle.manifest.algorithm == "tumour-localiser":
        from inference.algorithms.tumour_localiser import TumourLocaliser

        return TumourLocaliser.opened(bundle, runtime)
    if bundle.manifest.algorithm == "report-judge":
        raise BundleError(f"{bundle.path.name} judges reports and reads no study: it serves `evaluate --judge` alone")
    if bundle.manifest.algorithm in TALKERS:
        return _talker(bundle, bundles_dir, runtime)
    from inference.algorithms.segment import Segmenter

    return Segmenter.opened(bundle, runtime)


def _talker(bundle: Bundle, bundles_dir: Path | None, runtime: Runtime) -> Reader:
    named = _evidence(bundle, bundles_dir)
    evidence = None if named is None else open_bundle(named, bundles_dir, runtime)
    if isinstance(evidence, TextReader):
        raise BundleError(
            f"{bundle.path.name} takes its evidence from {evidence.algorithm.name}, which reads no images"
        )
    if bundle.manifest.algorithm == "volume-report":
        from inference.algorithms.volume_report import VolumeReport

        return VolumeReport.opened(bundle, runtime, evidence)
    from inference.algorithms.image_dialogue import ImageDialogue

    return ImageDialogue.opened(bundle, runtime, evidence)


def _lesion_classifier(bundle: Bundle, bundles_dir: Path | None, runtime: Runtime) -> Reader:
    from inference.algorithms.brain_finder import ClassicalFinder
    from inference.algorithms.lesion_classifier import LesionClassifier

    manifest = bundle.manifest
    wanted = manifest.extractor if isinstance(manifest, LesionsManifest) else None
    if wanted is None:
        return LesionClassifier.opened(bundle, runtime, ClassicalFinder())
    extractor = _referenced(wanted, f"{bundle.path.name} finds the brain with", bundles_dir)
    return LesionClassifier.opened(bundle, runtime, _finder(extractor, runtime))


def _evidence(bundle: Bundle, bundles_dir: Path | None) -> Bundle | None:
    """The bundle that marks and measures what a bundle speaks of; None: it names none."""
    wanted = bundle.manifest.evidence if isinstance(bundle.manifest, Talk) else None
    if wanted is None:
        return None
    evidence = _referenced(wanted, f"{bundle.path.name} takes its evidence from", bundles_dir)
    if isinstance(evidence.manifest, Talk):
        raise BundleError(f"{bundle.path.name} takes its evidence from {evidence.path.name}, which itself only speaks")
    return evidence


def _referenced(wanted: BundleReference, who: str, bundles_dir: Path | None) -> Bundle:
    """Exactly the bundle that another one names."""
    bundle = load(_folder(f"{wanted.name}-{wanted.version}", bundles_dir))
    if bundle.digest != wanted.digest:
        raise BundleError(
            f"{who} {bundle.path.name} of digest {wanted.digest[:12]}, the one here has {bundle.digest[:12]}"
        )
    return bundle


def _finder(extractor: Bundle, runtime: Runtime) -> "LearntFinder":
    from inference.algorithms.learnt_brain import LearntFinder
    from inference.algorithms.segment import Segmenter

    return LearntFinder(Segmenter.opened(extractor, runtime))


def refusal(bundle: Bundle, *, allow_synthetic: bool, allow_research: bool) -> str | None:
    """Why the configuration does not let a bundle serve, in words, or None where it does."""
    manifest = bundle.manifest
    label = f"{manifest.name} {manifest.version}"
    if manifest.training == "synthetic-findings" and not allow_synthetic:
        return f"{label} learnt from synthetic findings; [inference] allow_synthetic = true accepts it"
    if manifest.licence.clinical_use == "forbidden" and not allow_research:
        return f"the licence of {label} forbids clinical use; [inference] allow_research = true accepts it"
    return None


def _folder(name: str, bundles_dir: Path | None) -> Path:
    folders = _folders(bundles_dir)
    found = [(version, path) for base, path in folders for version in (_version(path),) if name in (base, path.name)]
    if not found:
        raise BundleError(f"no algorithm or bundle is called {name!r}; known: {', '.join(names(bundles_dir))}")
    highest = max(version for version, _ in found)
    paths = [path for version, path in found if version == highest]
    if len(paths) > 1:
        raise BundleError(f"{paths[0].name} lies in {' and in '.join(str(path.parent) for path in paths)}: remove one")
    return paths[0]


def _folders(bundles_dir: Path | None) -> list[tuple[str, Path]]:
    """Name without version and folder of everything that looks like a bundle."""
    if bundles_dir is not None and not bundles_dir.is_dir():
        raise BundleError(f"the folder of bundles is not there: {bundles_dir}")
    places = dict.fromkeys(place.resolve() for place in (shipped_bundles_dir, bundles_dir) if place is not None)
    return [
        (path.name.rpartition("-")[0], path)
        for place in places
        for path in sorted(place.iterdir())
        if path.is_dir() and _version(path)
    ]


def _speaks(manifest: Path) -> bool:
    try:
        return json.loads(manifest.read_bytes())["algorithm"] in TALKERS
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _version(path: Path) -> tuple[int, ...]:
    """Numbers after the last hyphen of the folder's name; empty where it has none."""
    name, _, version = path.name.rpartition("-")
    numbers = version.split(".")
    return tuple(int(n) for n in numbers) if name and len(numbers) == 3 and all(n.isdigit() for n in numbers) else ()
