"""The small tokenizer of a reader trained here: pieces of the texts it learns, any other text byte by byte.

Digits stand alone, so that a number is read and copied digit by digit.
"""

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from inference.manifests.talk import QUESTION, Chat

BEGIN, END = "<s>", "</s>"


def tokenizer_of(texts: Iterable[str], size: int) -> bytes:
    """tokenizer.json with at most `size` tokens, learnt from texts; the same texts give the same bytes."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[BEGIN, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sorted(set(texts)), trainer)
    begin = tokenizer.token_to_id(BEGIN)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", pair=f"{BEGIN} $A $B", special_tokens=[(BEGIN, begin)]
    )
    data: str = tokenizer.to_str(pretty=False)
    return data.encode()


def chat_of(data: bytes) -> Chat:
    """The chat that goes with it: image, question, end of line, answer."""
    end = Tokenizer.from_str(data.decode()).token_to_id(END)
    if end is None:
        raise ValueError(f"the tokenizer has no {END}")
    return Chat(before="", after=f"{QUESTION}\n", stops=(end,))
