"""Tells of which class a report's text is, with any BERT-like graph; classes and codes come from its bundle."""

import numpy as np
from numpy.typing import NDArray
from pydicom.sr.coding import Code

from inference.algorithms import Runtime
from inference.bundle import Bundle
from inference.errors import BundleError, InferenceError, UnsuitableTextError
from inference.findings import Algorithm, Finding, Findings, Narrative, Sentence
from inference.inputs import TextInputs
from inference.language.tokenizer import Encoded, ReportTokenizer
from inference.manifests.report import ReportManifest
from inference.measured import probability_of
from inference.parity import opened
from inference.report_text import ReportText
from inference.session import Session
from inference.statements import OfEachClass, Statement, TextClass, TextCut, TextDraft, TextOfNoClass

LABEL = "report class"
"""Tracking Identifier of the finding."""

_MARKS = 2  # a text without words still has the marks of its beginning and end


class ReportClassifier:
    """A report-classifier bundle, ready to read.

    Parameters
    ----------
    bundle
        Verified.
    session
        Of its graph.

    Raises
    ------
    BundleError
        If the bundle is of another kind, or its tokenizer cannot be read.
    """

    def __init__(self, bundle: Bundle, session: Session) -> None:
        if not isinstance(bundle.manifest, ReportManifest):
            raise BundleError(f"{bundle.path.name}: not a report-classifier bundle but {bundle.manifest.algorithm}")
        self._bundle = bundle
        self._manifest = bundle.manifest
        self._session = session
        name = f"{bundle.path.name}/{self._manifest.tokenizer}"
        self._tokenizer = ReportTokenizer(bundle.read(self._manifest.tokenizer), name, self._manifest.max_length)

    @classmethod
    def opened(cls, bundle: Bundle, runtime: Runtime) -> "ReportClassifier":
        """Load the graph and let it compute the bundle's own inputs, which warms it up.

        Raises
        ------
        BundleError
            If what it computes here is not what came with the bundle.
        ProviderError
            If no allowed execution provider came up.
        """
        return cls(bundle, opened(bundle, bundle.manifest.graph("text"), runtime))

    @property
    def algorithm(self) -> Algorithm:
        """Which program and weights speak."""
        return self._bundle.algorithm

    @property
    def inputs(self) -> TextInputs:
        """Which text it reads."""
        return self._manifest.inputs

    @property
    def provider(self) -> str:
        """Execution provider in use, as ONNX Runtime names it."""
        return self._session.provider

    def read_text(self, report: ReportText) -> Findings:
        """Classify one report.

        Returns
        -------
        Findings
            Without segments. One finding, of the most probable class, where its probability reaches the manifest's
            `least_probability`; else none. The narrative gives the probability of every class.

        Raises
        ------
        UnsuitableTextError
            If the text is empty, longer than the manifest allows, or holds no word.
        InferenceError
            If the run fails, or gives values that are not numbers.
        """
        encoded = self._encoded(report)
        probabilities = self._probabilities(encoded)
        best = int(np.argmax(probabilities))
        kind, probability = self._manifest.classes[best], float(probabilities[best])
        named = probability >= self._manifest.least_probability
        finding = Finding(label=LABEL, code=kind.code.code(), probability=probability)
        return Findings(
            algorithm=self.algorithm,
            segments=(),
            findings=(finding,) if named else (),
            narrative=Narrative(sentences=self._sentences(report, encoded, probabilities, named=named)),
            measurements=tuple(
                probability_of(kind.code.code(), kind.label, float(value))
                for kind, value in zip(self._manifest.classes, probabilities, strict=True)
            ),
        )

    def probabilities(self, report: ReportText) -> dict[Code, float]:
        """Probability of each class by its code; raises as `read_text`."""
        found = self._probabilities(self._encoded(report))
        return {kind.code.code(): float(value) for kind, value in zip(self._manifest.classes, found, strict=True)}

    def scores(self, text: str) -> dict[str, float]:
        """Probability of each class by its label; raises as `read_text`."""
        found = self._probabilities(self._encoded(ReportText(text=text, origin="a text")))
        return {kind.label: float(value) for kind, value in zip(self._manifest.classes, found, strict=True)}

    def _encoded(self, report: ReportText) -> Encoded:
        length, most = len(report.text), self._manifest.inputs.max_characters
        if not report.text.strip():
            raise UnsuitableTextError("the report's text is empty")
        if length > most:
            raise UnsuitableTextError(f"the report has {length} characters, the bundle reads at most {most}")
        encoded = self._tokenizer.encode(report.text)
        if encoded.whole <= _MARKS:
            raise UnsuitableTextError("the report's text holds no word")
        return encoded

    def _probabilities(self, encoded: Encoded) -> NDArray[np.float64]:
        """(class,), float64, sum 1."""
        graph = self._manifest.graph("text")
        given = {tensor.name: getattr(encoded, tensor.name) for tensor in graph.inputs}
        logits = self._session.run(given)[graph.outputs[0].name][0].astype(np.float64)
        if not np.isfinite(logits).all():
            raise InferenceError(f"{graph.file} gave values that are not numbers")
        scaled = logits / self._manifest.temperature
        raised = np.exp(scaled - scaled.max())
        found: NDArray[np.float64] = raised / raised.sum()
        return found

    def _sentences(
        self, report: ReportText, encoded: Encoded, probabilities: NDArray[np.float64], *, named: bool
    ) -> tuple[Sentence, ...]:
        cited = LABEL if named else None
        best = int(np.argmax(probabilities))
        code, sure = self._manifest.classes[best].code.code(), float(probabilities[best])
        if named:
            first = f"The text of {report.origin} is classified as {code.meaning}, probability {_percent(sure)}."
            says: Statement = TextClass(origin=report.origin, code=code, probability=sure)
        else:
            least = self._manifest.least_probability
            first = (
                f"The text of {report.origin} is given no class: the most probable one, {code.meaning}, has "
                f"{_percent(sure)}, and {_percent(least)} is needed."
            )
            says = TextOfNoClass(origin=report.origin, code=code, probability=sure, least=least)
        pairs = [(k.code.code(), float(value)) for k, value in zip(self._manifest.classes, probabilities, strict=True)]
        told = f"Probabilities: {'; '.join(f'{k.meaning} {_percent(value)}' for k, value in pairs)}."
        lines = [
            Sentence(text=first, finding=cited, says=says),
            Sentence(text=told, finding=cited, says=OfEachClass(classes=tuple(pairs))),
        ]
        if encoded.cut:
            read, whole = int(encoded.input_ids.shape[1]), encoded.whole
            text = f"Only the first {read} of the report's {whole} tokens were read."
            lines.append(Sentence(text=text, finding=cited, says=TextCut(read=read, whole=whole)))
        draft = "This is a draft about the text of a report; no image was read."
        return (*lines, Sentence(text=draft, finding=cited, says=TextDraft()))


def _percent(probability: float) -> str:
    return f"{100 * probability:.1f} %"
