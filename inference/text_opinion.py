"""What a report's text says of a statement that an image is asked about too, as a probability; knows no image."""

from dataclasses import dataclass

from inference.image import Image
from inference.report_text import ReportText


@dataclass(frozen=True, kw_only=True)
class TextOpinion:
    """A probability and where it comes from.

    Attributes
    ----------
    probability
        In [0, 1], that the statement is true.
    source
        Which bundle read which text, in words and without patient data.
    """

    probability: float
    source: str

    def __post_init__(self) -> None:
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"a probability lies within [0, 1], got {self.probability}")


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageWithText:
    """An image, and a report whose text is to be asked beside it.

    Attributes
    ----------
    image, report
        Of one study.
    text_reader
        Name of the report-classifier bundle that reads the report.
    """

    image: Image
    report: ReportText
    text_reader: str
