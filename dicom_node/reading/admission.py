"""Which algorithms and bundles may serve under this configuration.

The rest is refused by name, before anything is read.
"""

from pathlib import Path

from dicom_node.config import Config, InferenceTable
from dicom_node.errors import ConfigError
from dicom_node.reading.task import TextReading
from inference.catalogue import Description, describe
from inference.errors import BundleError
from inference.inputs import TextInputs
from inference.manifests.lesions import LesionsManifest
from inference.manifests.report import ReportManifest


def bundles_dir(settings: InferenceTable) -> Path | None:
    """The site's folder of bundles, or None where only those that ship are used."""
    return Path(settings.bundles_dir) if settings.bundles_dir else None


def admit(name: str, settings: InferenceTable) -> Description:
    """Look up an algorithm or bundle, verify it, and hold it against what the configuration allows.

    Raises
    ------
    ConfigError
        If the name is unknown, a byte of the bundle changed, or the configuration does not let it serve.
    """
    try:
        description = describe(name, bundles_dir(settings))
    except BundleError as error:
        raise ConfigError(f"algorithm {name!r}: {error}") from error
    why_not = description.refusal(allow_synthetic=settings.allow_synthetic, allow_research=settings.allow_research)
    if why_not is not None:
        raise ConfigError(f"algorithm {name!r}: {why_not}")
    return description


def beside(description: Description, settings: InferenceTable) -> TextReading | None:
    """What reads the study's text beside an algorithm's images under this configuration; None: nothing does.

    Raises
    ------
    ConfigError
        If the algorithm says nothing that a text could be joined to, or the bundle for the text may not serve, reads no
        text, or tells another class than the algorithm asks for.
    """
    name = settings.text_readers.get(description.name)
    if name is None:
        return None
    reader = admit(name, settings)
    images, texts = (d.bundle.manifest if d.bundle else None for d in (description, reader))
    if not isinstance(images, LesionsManifest) or images.fusion is None:
        raise ConfigError(f"[inference] text_readers: {description.name} does not say how a text is joined")
    if not isinstance(texts, ReportManifest) or not isinstance(reader.inputs, TextInputs):
        raise ConfigError(f"[inference] text_readers: {name} reads no text")
    asked = images.classes[1].code
    if asked.code() not in {kind.code.code() for kind in texts.classes}:
        raise ConfigError(
            f"[inference] text_readers: {name} tells no class {asked.value} ({asked.meaning}), "
            f"which {description.name} asks for"
        )
    return TextReading(name=name, digest=reader.algorithm.digest, inputs=reader.inputs)


def admit_all(config: Config) -> dict[str, Description]:
    """Every algorithm that a rule names; raises ConfigError as `admit`, one line for each that may not serve."""
    descriptions: dict[str, Description] = {}
    faults: list[str] = []
    for name in dict.fromkeys(name for rule in config.rule for name in rule.algorithms):
        try:
            descriptions[name] = admit(name, config.inference)
            beside(descriptions[name], config.inference)
        except ConfigError as error:
            faults.append(str(error))
    if faults:
        raise ConfigError("\n".join(faults))
    return descriptions
