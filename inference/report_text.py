"""One report as an algorithm sees it: its text, and in words whose text that is; knows no document."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ReportText:
    """The text of one report.

    Attributes
    ----------
    text
        As written, paragraphs on lines of their own. Patient data: never in a message, a log or a result.
    origin
        Whose text it is, for a sentence and without patient data: "the Basic Text SR in series 5, verified".
    """

    text: str
    origin: str

    def __repr__(self) -> str:
        return f"ReportText({len(self.text)} characters of {self.origin})"
