"""bundle.json of a `report-judge` bundle: a language model that compares two reports, with the prompt it learnt."""

from typing import Literal, Self

from pydantic import Field, model_validator

from inference.graph import RelativePath
from inference.inputs import TextInputs
from inference.manifests.base import Declared
from inference.manifests.identity import Memory
from inference.manifests.talk import TABLE, TOKENIZER, check_decoder

REFERENCE, CANDIDATE = "{reference}", "{candidate}"
"""Where the reports stand in a prompt."""


class JudgeManifest(Declared):
    """A graph of role `decoder`, its table of tokens and tokenizer, and what it is asked.

    Attributes
    ----------
    prompt
        As the judge was taught, both reports once in it, marks of turns included; the tokenizer adds that of the
        beginning.
    stops
        Tokens that end an answer.
    max_tokens
        Most that the decoder takes: prompt and answer.
    max_answer
        Most that it writes.
    max_seconds
        For one answer.

    Raises
    ------
    pydantic.ValidationError
        If there is another graph, or a report is missing from the prompt, or twice in it.
    """

    algorithm: Literal["report-judge"]
    inputs: TextInputs = TextInputs()
    limits: Memory = Memory()
    tokenizer: RelativePath = TOKENIZER
    table: RelativePath = TABLE
    prompt: str
    stops: tuple[int, ...] = Field(min_length=1)
    max_tokens: int = Field(ge=8, le=1_048_576)
    max_answer: int = Field(default=2048, ge=1)
    max_seconds: float = Field(default=600.0, gt=0)

    @model_validator(mode="after")
    def _asks_about_both(self) -> Self:
        if any(self.prompt.count(place) != 1 for place in (REFERENCE, CANDIDATE)):
            raise ValueError(f"a judge's prompt has {REFERENCE} and {CANDIDATE} once each")
        return self

    @model_validator(mode="after")
    def _graph_speaks(self) -> Self:
        if [graph.role for graph in self.graphs] != ["decoder"]:
            raise ValueError("a report-judge bundle has one graph, of role 'decoder'")
        check_decoder(self.graph("decoder"))
        return self
