"""How results are rendered for each destination: by its profile, narrowed to what it answered that it takes."""

from collections.abc import Sequence

from dicom_node.config import Config, DestinationTable
from dicom_node.errors import ConfigError
from dicom_node.records.answers import Answer
from dicom_node.records.ledger import Ledger
from dicom_node.results.profiles import PROFILES, Profile
from dicom_node.results.rendering import GENERIC_RENDERING, Rendering, choose
from dicom_node.results.segmentation_form import SegForm

Shared = dict[Rendering, tuple[str, ...]]
"""Each rendering that is needed, and the names of the destinations that share it."""


def profile_of(destination: DestinationTable) -> Profile:
    """The rules of a destination; those of `auto` are `generic`."""
    return PROFILES["generic" if destination.profile == "auto" else destination.profile]


def rendering_of(destination: DestinationTable, answer: Answer | None) -> Rendering:
    """What a destination gets; `answer` None: it was never asked, so the best of its profile."""
    return choose(
        profile_of(destination),
        answer.accepted if answer is not None and destination.asked else None,
        seg_form=_wanted_form(destination),
        secondary_capture=destination.secondary_capture,
    )


def check_forms(config: Config) -> None:
    """Raise ConfigError where a destination is to get a form of segmentation that its viewer does not show."""
    for destination in config.destination:
        form, profile = _wanted_form(destination), profile_of(destination)
        if form is not None and form not in profile.seg_forms:
            raise ConfigError(
                f"[[destination]] {destination.name!r} segmentation = {form.value!r}: {profile.name} does not show it; "
                f"it shows {', '.join(profile.seg_forms)}"
            )


def shared_renderings(names: Sequence[str], config: Config, ledger: Ledger) -> Shared:
    """The renderings that a workitem's destinations need.

    The generic one alone where it has none, or none that is still configured: results are kept all the same.
    """
    known = {destination.name: destination for destination in config.destination}
    shared: Shared = {}
    for name in names:
        rendering = GENERIC_RENDERING
        if destination := known.get(name):
            rendering = rendering_of(destination, ledger.answer_of(destination, config.node.ae_title))
        shared[rendering] = (*shared.get(rendering, ()), name)
    return shared or {GENERIC_RENDERING: ()}


def _wanted_form(destination: DestinationTable) -> SegForm | None:
    return None if destination.segmentation == "auto" else SegForm(destination.segmentation)
