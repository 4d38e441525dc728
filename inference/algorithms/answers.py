"""How a bundle that looks and speaks answers a question: closed ones by an option, others in its own words, guarded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from inference.algorithms.talked import announced, present, printable
from inference.asked import Asked, Mode, Told
from inference.errors import UnsuitableTextError
from inference.findings import Algorithm, Findings, Narrative, Sentence
from inference.language.conversation import Conversation, Seen
from inference.language.guard import guard
from inference.language.modes import placed, put
from inference.manifests.talk import Question, Talk
from inference.statements import (
    Chose,
    ChoseOnSlice,
    EarlierLeftOut,
    NothingLocalised,
    Posed,
    WroteAboutSlice,
)

CANCELLED = "who asked is gone"
"""Why an answer was broken off."""

ANSWER_TOKENS = 256
"""Most that an answer takes; a decoder with room for fewer than four times as many keeps a quarter of it for one."""

_POSED: dict[Mode, str] = {
    "zero-shot": "Asked of the image alone.",
    "instructed": "Asked with what the results of this study found.",
    "chain-of-thought": "Asked to be answered step by step.",
}
_ONE_LEFT = "The oldest of the earlier questions had no room."


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """What is looked at; `about` is the slice, None for the whole volume."""

    seen: Seen
    about: WroteAboutSlice | None = None


def closed(questions: Sequence[Question], text: str) -> Question | None:
    """The bundle's closed question that is asked, by its name or in its words; None where it is another one."""
    wanted = " ".join(text.split()).casefold()
    return next((q for q in questions if wanted in (q.id, " ".join(q.text.split()).casefold())), None)


class Answering:
    """One question to one bundle.

    Parameters
    ----------
    conversation, manifest, algorithm
        Of the bundle.
    asked
        The question.
    told, cancelled
        As in `inference.asked.Answerer.answered`.
    """

    def __init__(
        self,
        conversation: Conversation,
        manifest: Talk,
        algorithm: Algorithm,
        asked: Asked,
        told: Told,
        cancelled: Callable[[], bool],
    ) -> None:
        self._conversation = conversation
        self._manifest = manifest
        self._asked = asked
        self._told = told
        self._cancelled = cancelled
        self._question = closed(manifest.questions, asked.text)
        self._coded = Findings(
            algorithm=algorithm, segments=(), findings=asked.found, narrative=Narrative(sentences=())
        )

    @property
    def is_closed(self) -> bool:
        """Whether it is answered by an option, for which every view is looked at."""
        return self._question is not None

    def answered(self, views: Sequence[View]) -> Findings:
        """The answers, one for each mode; raises UnsuitableTextError as `inference.asked.Answerer.answered`.

        Parameters
        ----------
        views
            All of them for a closed question, one for another.
        """
        found = self._coded
        for mode in self._asked.modes:
            found = _longer(found, Sentence(text=_POSED[mode], says=Posed(mode=mode)))
            found = self._in_mode(mode, views, found)
        return found

    def _in_mode(self, mode: Mode, views: Sequence[View], before: Findings) -> Findings:
        if mode == "instructed" and not placed(self._asked.found):
            text = "Not answered this way: no result of this study says where anything lies."
            return _longer(before, Sentence(text=text, says=NothingLocalised()))
        prompt, left = self._fitted(mode, views[0].seen)
        if left:
            text = f"The oldest {left} of the earlier questions had no room." if left > 1 else _ONE_LEFT
            before = _longer(before, Sentence(text=text, says=EarlierLeftOut(count=left)))
        if self._question is not None:
            return _longer(before, self._chosen(mode, prompt, self._question, views))
        return self._written(mode, prompt, views[0], before)

    def _fitted(self, mode: Mode, seen: Seen) -> tuple[str, int]:
        """The words that leave room for an answer, and how many of the oldest questions fell away for them."""
        wanted, room = self._answer_tokens, 0
        for left in range(len(self._asked.earlier) + 1):
            prompt = put(self._asked.text, mode, self._asked.found, self._asked.earlier[left:])
            room = self._room(seen, prompt)
            if room >= wanted:
                return prompt, left
        raise UnsuitableTextError(
            f"the question is too long: {room} of {self._manifest.max_tokens} tokens are left beside it and the image, "
            f"an answer needs {wanted}"
        )

    @property
    def _answer_tokens(self) -> int:
        return max(1, min(ANSWER_TOKENS, self._manifest.max_tokens // 4))

    def _room(self, seen: Seen, prompt: str) -> int:
        try:
            return self._conversation.room(seen, prompt)
        except ValueError as error:
            raise UnsuitableTextError("the question holds a mark by which the model ends or begins a text") from error

    def _chosen(self, mode: Mode, prompt: str, question: Question, views: Sequence[View]) -> Sentence:
        """On the slice on which what is asked for is the likeliest, as a reading has it."""
        choices = [(self._conversation.answered(view.seen, question, prompt), view.about) for view in views]
        choice, about = max(choices, key=lambda pair: present(question, pair[0]))
        option, probability = question.options[choice.best].text.strip(), choice.probabilities[choice.best]
        self._told(mode, option)
        text = f'The likeliest answer to choose from is "{option}", probability {100.0 * probability:.1f} %'
        if about is None:
            return Sentence(text=f"{text}.", says=Chose(option=option, probability=probability))
        says = ChoseOnSlice(option=option, probability=probability, number=about.number, count=about.count)
        return Sentence(text=f"{text}, on slice {about.number} of {about.count}.", says=says)

    def _written(self, mode: Mode, prompt: str, view: View, before: Findings) -> Findings:
        def told(piece: str) -> None:
            self._told(mode, piece)

        written = self._conversation.written(
            view.seen, prompt, self._answer_tokens, told=told, cancelled=self._cancelled
        )
        if written.ending == "cancelled":
            raise UnsuitableTextError(CANCELLED)
        if written.ending == "seconds":
            raise UnsuitableTextError(f"the answer was not ready within {self._manifest.max_seconds:g} s")
        return guard([printable(written.text)], _longer(before, *announced(written, view.about)))


def _longer(findings: Findings, *sentences: Sentence) -> Findings:
    return replace(findings, narrative=Narrative(sentences=(*findings.narrative.sentences, *sentences)))
