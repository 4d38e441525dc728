"""An image read together with the report's text: what the text's bundle says joins what the image's bundle says."""

from inference.algorithms import Reader, TextReader
from inference.algorithms.lesion_classifier import LesionClassifier
from inference.algorithms.report_classifier import ReportClassifier
from inference.errors import BundleError, UnsuitableTextError
from inference.findings import Findings
from inference.text_opinion import ImageWithText, TextOpinion


def read_joined(reader: Reader | TextReader, text_reader: Reader | TextReader, given: ImageWithText) -> Findings:
    """Read both.

    Parameters
    ----------
    reader
        Of the image: a brain-lesions bundle that says how a text is joined.
    text_reader
        Of the text: a report-classifier bundle one of whose classes has the code of the reader's second class.
    given
        Image and report. A text that cannot be read leaves the image alone, and the narrative says why.

    Raises
    ------
    BundleError
        If the two bundles do not go together.
    UnsuitableImageError
        If the image is not what the reader was made for.
    """
    if not isinstance(reader, LesionClassifier) or not isinstance(text_reader, ReportClassifier):
        raise BundleError(f"{text_reader.algorithm.name} cannot be asked beside {reader.algorithm.name}")
    told = text_reader.algorithm
    try:
        found = text_reader.probabilities(given.report)
    except UnsuitableTextError as error:
        return reader.read(given.image, str(error))
    code = reader.asked
    if code not in found:
        raise BundleError(f"{told.name} {told.version} tells no class {code.value} ({code.meaning}) from a text")
    source = f"{given.report.origin}, read by {told.name} {told.version} ({told.digest[:12]})"
    return reader.read(given.image, TextOpinion(probability=found[code], source=source))
