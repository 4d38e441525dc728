"""Which algorithms and bundles may serve under this configuration.

The rest is refused by name, before anything is read.
"""

from pathlib import Path

from dicom_node.config import Config, InferenceTable
from dicom_node.errors import ConfigError
from inference.catalogue import Description, describe, refusal
from inference.errors import BundleError


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
    if description.bundle is not None:
        why_not = refusal(
            description.bundle, allow_synthetic=settings.allow_synthetic, allow_research=settings.allow_research
        )
        if why_not is not None:
            raise ConfigError(f"algorithm {name!r}: {why_not}")
    return description


def admit_all(config: Config) -> dict[str, Description]:
    """Every algorithm that a rule names; raises ConfigError as `admit`, one line for each that may not serve."""
    descriptions: dict[str, Description] = {}
    faults: list[str] = []
    for name in dict.fromkeys(name for rule in config.rule for name in rule.algorithms):
        try:
            descriptions[name] = admit(name, config.inference)
        except ConfigError as error:
            faults.append(str(error))
    if faults:
        raise ConfigError("\n".join(faults))
    return descriptions
