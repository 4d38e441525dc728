"""The small network that looks and speaks: what it sees is read once, texts go on from there, answers alone count."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")

import torch

from export_onnx.models.decoder import DecoderSizes
from export_onnx.models.mini_talker import MiniTalker, Texts
from export_onnx.models.mini_vision import MiniSizes
from export_onnx.training.mini_talk import marks_loss, on_cells
from export_onnx.training.talk_batches import Encoder, Taught
from export_onnx.training.talk_tokenizer import chat_of, tokenizer_of
from inference.language.chat import ChatTokenizer
from inference.language.tokenizer import read_tokenizer

TEXTS = ["Is there a lesion?", "yes", "no", "There is a lesion of 23 mm.", "Where is it?"]
SIZES = MiniSizes(
    shape=(8, 16, 16),
    channels=1,
    stages=((8, (2, 2, 2), 1), (16, (2, 2, 2), 0)),
    kinds=3,
    marked_at=0,
    pool=2,
    width=16,
    blocks=1,
    heads=2,
)
DECODER = DecoderSizes(vocabulary=300, hidden=16, inner=32, layers=2, heads=2, shared_heads=1, head=8, epsilon=1e-5)


@pytest.fixture
def network() -> MiniTalker:
    torch.manual_seed(0)
    return MiniTalker(SIZES, DECODER).eval()


@pytest.fixture(scope="module")
def tokenizer() -> bytes:
    return tokenizer_of(TEXTS, 300)


@pytest.fixture(scope="module")
def encoder(tokenizer: bytes) -> Encoder:
    return Encoder(tokenizer, chat_of(tokenizer))


def test_any_text_comes_back_and_digits_stand_alone(tokenizer: bytes) -> None:
    read = read_tokenizer(tokenizer, "tokenizer")
    for text in ("There is a lesion of 23 mm.", "größer als 1000 mm, 日本 👩"):
        assert read.decode(read.encode(text).ids) == text
    tokens = read.encode("2345", add_special_tokens=False).tokens
    assert tokens == list("2345")
    assert tokenizer == tokenizer_of(reversed(TEXTS), 300)


def test_the_answer_and_the_end_are_learnt_and_the_question_is_not(tokenizer: bytes, encoder: Encoder) -> None:
    chat = chat_of(tokenizer)
    tokens = ChatTokenizer(tokenizer, "tokenizer", chat)
    made = encoder.texts(
        [[Taught(question="Where is it?", answer="no"), Taught(question="Is there a lesion?", answer="yes")]]
    )
    for row, (question, answer) in enumerate((("Where is it?", "no"), ("Is there a lesion?", "yes"))):
        asked, wanted = tokens.after(question), tokens.answer(question, answer)
        written = made.tokens[0, row][made.answers[0, row]].tolist()
        assert tuple(written) == (*wanted, chat.stops[0])
        assert tuple(made.tokens[0, row, : len(asked)].tolist()) == asked
    assert tuple(made.before.tolist()) == tokens.before


def test_the_loss_is_that_of_reading_image_and_text_in_one(network: MiniTalker, encoder: Encoder) -> None:
    image = torch.rand(2, 1, *SIZES.shape, generator=torch.Generator().manual_seed(1))
    pair = [
        Taught(question="Where is it?", answer="no", weight=2.0),
        Taught(question="Is there a lesion?", answer="yes"),
    ]
    texts = encoder.texts([pair, pair[::-1]])
    with torch.no_grad():
        loss, marks = network(image, texts)
        features = network.vision(image)
        wanted = []
        for i in range(2):
            for j in range(2):
                tokens = torch.cat([texts.before, texts.tokens[i, j]])
                embedded = network.embed_tokens(tokens)
                whole = torch.cat([embedded[: len(texts.before)], features[i], embedded[len(texts.before) :]])[None]
                logits = network._read(whole, None)[0][0]
                after = logits[-texts.tokens.shape[2] - 1 : -1].log_softmax(dim=1)
                of_text = -after[torch.arange(len(after)), texts.tokens[i, j]][texts.answers[i, j]].mean()
                wanted.append(of_text * texts.weights[i, j])
    assert loss.item() == pytest.approx(float(sum(wanted) / texts.weights.sum()), rel=1e-5)
    assert marks.shape == (2, 3, *SIZES.cells(0))


def test_filling_up_changes_nothing(network: MiniTalker, encoder: Encoder) -> None:
    image = torch.rand(1, 1, *SIZES.shape, generator=torch.Generator().manual_seed(1))
    texts = encoder.texts([[Taught(question="Where is it?", answer="no")]])
    longer = Texts(
        before=texts.before,
        tokens=torch.cat([texts.tokens, texts.tokens[:, :, :3]], dim=2),
        answers=torch.cat([texts.answers, torch.zeros(1, 1, 3, dtype=torch.bool)], dim=2),
        weights=texts.weights,
    )
    with torch.no_grad():
        assert network(image, longer)[0].item() == pytest.approx(network(image, texts)[0].item(), rel=1e-5)


def test_marks_nobody_knows_count_for_nothing() -> None:
    marks = torch.zeros(2, 1, 4, 4)
    marks[0, 0, 1, 1] = 1.0
    cells = on_cells(marks, (2, 2))
    assert cells[0, 0].tolist() == [[1.0, 0.0], [0.0, 0.0]]
    logits = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 1, 2, 2), dtype=np.float32))
    alone = marks_loss(logits[:1], cells[:1])
    unknown = torch.cat([cells[:1], torch.full((1, 1, 2, 2), -1.0)])
    assert marks_loss(logits, unknown).item() == pytest.approx(alone.item())
    assert marks_loss(logits, cells).item() != pytest.approx(alone.item())
