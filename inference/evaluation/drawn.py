"""What a mask that a person drew says of a lesion, measured as the node measures: side and size, largest first."""

from pydicom.sr.codedict import codes

from inference.evaluation.cases import Labelled
from inference.findings import Finding
from inference.imaging.components import components
from inference.imaging.midline import midline, side
from inference.measured import measured

MOST = 3
"""Parts that are told."""

_SIDES = {"left": codes.SCT.Left, "right": codes.SCT.Right}


def findings(labelled: Labelled) -> tuple[Finding, ...]:
    """The parts of a mask as findings: lesions, of a kind that the mask does not say.

    Parameters
    ----------
    labelled
        Image and mask.

    Raises
    ------
    ValueError
        If nobody drew a mask.
    """
    if labelled.truth is None:
        raise ValueError("there is no mask")
    image = labelled.image
    plane = midline(image.volume) if labelled.truth.any() else None
    found = []
    for number, part in enumerate(components(labelled.truth, image.volume.affine)[:MOST], start=1):
        points = part.indices @ part.affine[:3, :3].T + part.affine[:3, 3]
        lies = side(points, plane) if plane else None
        found.append(
            Finding(
                label=f"lesion {number}",
                code=codes.SCT.Lesion,
                laterality=_SIDES[lies] if lies else None,
                segment=0,
                region=part.region,
                measurements=measured(part, image),
            )
        )
    return tuple(found)
