"""Text token by token over a decoder with a known answer: stops, limits, a word from outside, whole characters."""

from collections.abc import Sequence
from itertools import count

import numpy as np
import pytest

from inference.errors import BundleError, InferenceError
from inference.language.choice import chosen
from inference.language.decoder import Decoder, Read
from inference.language.writing import WritingLimits, Written, written
from tests.decoders import RuleSession, decoder

STOP = 0
WORD = [*b"a \xc3\xa9 \xf0\x9f\xa7\xa0."]  # each byte a token


def decode(tokens: Sequence[int]) -> str:
    return bytes(tokens).decode("utf-8", errors="replace")


def chain(tokens: Sequence[int]) -> dict[int, dict[int, float]]:
    """Each token is followed by the next one."""
    return {one: {other: 5.0} for one, other in zip(tokens, [*tokens[1:], STOP], strict=True)}


def started(made: Decoder, token: int = 1) -> Read:
    return made.read(made.embedded((token,)), made.empty)


def write(rule: dict[int, dict[int, float]], *, most: int = 50, max_tokens: int = 100, **further: object) -> Written:
    made = decoder(RuleSession(rule), max_tokens)
    limits = WritingLimits(max_tokens=most, max_seconds=10.0)
    return written(made, started(made), decode, frozenset({STOP}), limits, **further)  # type: ignore[arg-type]


def test_pieces_are_whole_characters_and_together_the_text() -> None:
    pieces: list[str] = []
    text = write({1: {WORD[0]: 1.0}, **chain_of_bytes()}, told=pieces.append)
    assert (text.text, text.tokens, text.ending) == ("a é.", tuple(b"a \xc3\xa9."), "stop")
    assert pieces == ["a", " ", "é", "."]


def chain_of_bytes() -> dict[int, dict[int, float]]:
    return chain([*b"a \xc3\xa9."])


def test_half_a_character_at_the_end_is_left_out() -> None:
    text = write({1: {WORD[0]: 1.0}, **chain_of_bytes()}, most=3)
    assert (text.text, text.tokens, text.ending) == ("a ", tuple(b"a \xc3"), "tokens")


def test_of_equally_likely_tokens_the_lowest_number_is_written() -> None:
    assert write({1: {70: 2.0, 66: 2.0, 68: 2.0}, 66: {STOP: 1.0}}).tokens == (66,)


def test_no_longer_than_the_decoder_takes() -> None:
    text = write({1: {65: 1.0}, 65: {65: 1.0}}, max_tokens=6)
    assert (len(text.tokens), text.ending) == (5, "tokens")


def test_seconds_are_counted_between_tokens() -> None:
    ticks = count(0.0, 4.0)
    text = write({1: {65: 1.0}, 65: {65: 1.0}}, clock=lambda: next(ticks))
    assert (text.tokens, text.ending) == ((65, 65), "seconds")


def test_a_word_from_outside_ends_it() -> None:
    asked = count()
    text = write({1: {65: 1.0}, 65: {65: 1.0}}, cancelled=lambda: next(asked) == 3)
    assert (text.text, text.ending) == ("AAA", "cancelled")


def test_limits_are_above_zero() -> None:
    for tokens, seconds in ((0, 1.0), (1, 0.0), (1, float("nan"))):
        with pytest.raises(ValueError, match="above 0"):
            WritingLimits(max_tokens=tokens, max_seconds=seconds)


def test_an_option_is_as_likely_as_all_its_tokens() -> None:
    """Logits of 2 and 1 after the question, then 3 for the second token of the first option."""
    made = decoder(RuleSession({1: {10: 2.0, 20: 1.0}, 10: {11: 3.0}}))
    choice = chosen(made, started(made), [(10, 11), (20,)])
    first = np.log(np.exp(2.0) / (np.exp(2.0) + np.exp(1.0) + 298)) + np.log(np.exp(3.0) / (np.exp(3.0) + 299))
    second = np.log(np.exp(1.0) / (np.exp(2.0) + np.exp(1.0) + 298))
    assert choice.best == 1
    expected = np.exp([first, second]) / np.exp([first, second]).sum()
    assert choice.probabilities == pytest.approx(tuple(expected), rel=1e-12)
    assert sum(choice.probabilities) == pytest.approx(1.0, abs=1e-12)


def test_of_equally_likely_options_the_first_is_the_answer() -> None:
    made = decoder(RuleSession({}))
    choice = chosen(made, started(made), [(30,), (20,), (10,)])
    assert (choice.best, choice.probabilities) == (0, (1 / 3, 1 / 3, 1 / 3))


def test_an_option_that_begins_another_is_refused() -> None:
    made = decoder(RuleSession({}))
    with pytest.raises(ValueError, match="option 1 is the beginning of another"):
        chosen(made, started(made), [(10,), (10, 11)])
    with pytest.raises(ValueError, match="at least two options"):
        chosen(made, started(made), [(10,)])


def test_questions_go_on_from_one_cache() -> None:
    session = RuleSession({})
    made = decoder(session)
    seen = made.read(made.embedded((7, 8, 9)), made.empty)
    session.read.clear()
    before = {name: array.copy() for name, array in seen.cache.arrays.items()}
    for question in ((1, 2), (3,)):
        chosen(made, made.read(made.embedded(question), seen.cache), [(10, 11), (20,)])
    assert session.read == [1, 2, 10, 3, 10]  # the image's tokens are not read again
    assert all((seen.cache.arrays[name] == array).all() for name, array in before.items())


def test_what_the_decoder_does_not_take_is_an_error() -> None:
    made = decoder(RuleSession({1: {65: float("nan")}}), 4)
    with pytest.raises(InferenceError, match="not numbers"):
        started(made)
    with pytest.raises(InferenceError, match="5 tokens, the decoder takes at most 4"):
        made.read(made.embedded((2,) * 5), made.empty)
    with pytest.raises(BundleError, match="token 300 is none of the decoder's 300"):
        made.embedded((300,))
