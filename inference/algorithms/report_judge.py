"""A language model that a hospital supplies as judge of two reports: text alone, greedy, asked as it was taught."""

import re
from collections.abc import Sequence

import numpy as np

from inference.algorithms import Runtime
from inference.bundle import Bundle
from inference.errors import BundleError, UnsuitableTextError
from inference.findings import Algorithm
from inference.language.decoder import Decoder
from inference.language.tokenizer import read_tokenizer
from inference.language.writing import WritingLimits, written
from inference.manifests.judge import CANDIDATE, REFERENCE, JudgeManifest
from inference.parity import opened

_PLACES = re.compile(f"{re.escape(REFERENCE)}|{re.escape(CANDIDATE)}")


class ReportJudge:
    """A report-judge bundle, ready to compare; an `inference.evaluation.judge.Judge`.

    Parameters
    ----------
    bundle
        Verified.
    manifest
        Of the bundle.
    decoder
        With its table of tokens.

    Raises
    ------
    BundleError
        If its tokenizer cannot be read.
    """

    def __init__(self, bundle: Bundle, manifest: JudgeManifest, decoder: Decoder) -> None:
        name = f"{bundle.path.name}/{manifest.tokenizer}"
        self._algorithm, self._manifest, self._decoder = bundle.algorithm, manifest, decoder
        self._tokenizer = read_tokenizer(bundle.read(manifest.tokenizer), name)
        self._marks = [token.content for token in self._tokenizer.get_added_tokens_decoder().values()]

    @classmethod
    def opened(cls, bundle: Bundle, runtime: Runtime) -> "ReportJudge":
        """Load the decoder and let it compute the bundle's own inputs.

        Raises
        ------
        BundleError
            If the bundle is of another kind, or what is computed here is not what came with it.
        ProviderError
            If no allowed execution provider came up.
        """
        manifest = bundle.manifest
        if not isinstance(manifest, JudgeManifest):
            raise BundleError(f"{bundle.path.name}: not a report-judge bundle but {manifest.algorithm}")
        spec, path = manifest.graph("decoder"), bundle.checked(manifest.table)
        session = opened(bundle, spec, runtime)
        try:
            table = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise BundleError(f"{bundle.path.name}/{manifest.table}: not an array: {error}") from error
        return cls(bundle, manifest, Decoder(session, spec, table, manifest.max_tokens))

    @property
    def algorithm(self) -> Algorithm:
        """Which program and weights judge."""
        return self._algorithm

    def compare(self, reference: str, candidate: str) -> str:
        """The judge's answer about two reports; the tokenizer's marks in them are blanks to it.

        Raises
        ------
        UnsuitableTextError
            If both are longer than the decoder takes, or the answer was not ready in time.
        InferenceError
            If a run fails.
        """
        both = {REFERENCE: self._plain(reference), CANDIDATE: self._plain(candidate)}
        prompt = _PLACES.sub(lambda place: both[place[0]], self._manifest.prompt)
        tokens = tuple(self._tokenizer.encode(prompt).ids)
        if len(tokens) >= self._manifest.max_tokens:
            raise UnsuitableTextError(f"two reports of {len(tokens)} tokens with the prompt, too many for the judge")
        after = self._decoder.read(self._decoder.embedded(tokens), self._decoder.empty)
        limits = WritingLimits(max_tokens=self._manifest.max_answer, max_seconds=self._manifest.max_seconds)
        answer = written(self._decoder, after, self._decoded, frozenset(self._manifest.stops), limits)
        if answer.ending == "seconds":
            raise UnsuitableTextError("the judge's answer was not ready in time")
        return answer.text

    def _plain(self, report: str) -> str:
        for mark in self._marks:
            report = report.replace(mark, " ") if mark.strip() else report
        return report

    def _decoded(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(tokens), skip_special_tokens=True)
        return text
