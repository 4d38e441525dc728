"""CLIP's tokenizer as one file of the `tokenizers` library, from whichever files a checkpoint has."""

from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from export_onnx.checkpoint import json_object
from export_onnx.errors import CheckpointError
from inference.errors import BundleError
from inference.language.tokenizer import ReportTokenizer

ONE, VOCABULARY, MERGES = "tokenizer.json", "vocab.json", "merges.txt"
BEGIN, END = "<|startoftext|>", "<|endoftext|>"

_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def tokenizer_of(folder: Path, vocabulary: int, positions: int) -> tuple[bytes, tuple[str, ...]]:
    """tokenizer.json, and the names of the files it was made of.

    Parameters
    ----------
    vocabulary, positions
        Tokens that the network knows, and most that it takes.

    Raises
    ------
    CheckpointError
        If the files are missing, no tokenizer, or know more tokens than the network.
    """
    if (folder / ONE).is_file():
        files: tuple[str, ...] = (ONE,)
        data = (folder / ONE).read_bytes()
    elif (folder / VOCABULARY).is_file() and (folder / MERGES).is_file():
        files = (VOCABULARY, MERGES)
        data = _made(folder).to_str().encode()
    else:
        raise CheckpointError(f"{folder.name}: no tokenizer; looked for {ONE}, or {VOCABULARY} with {MERGES}")
    try:
        tokenizer = ReportTokenizer(data, f"{folder.name}/{files[0]}", positions)
    except BundleError as error:
        raise CheckpointError(str(error)) from error
    if tokenizer.size > vocabulary:
        raise CheckpointError(f"{folder.name}: the tokenizer has {tokenizer.size} tokens, the network {vocabulary}")
    return data, files


def _made(folder: Path) -> Tokenizer:
    """From vocabulary and merges, as transformers makes it."""
    vocabulary = json_object(folder / VOCABULARY)
    if BEGIN not in vocabulary or END not in vocabulary:
        raise CheckpointError(f"{folder.name}/{VOCABULARY}: {BEGIN} and {END} are needed")
    lines = (folder / MERGES).read_text(encoding="utf-8").splitlines()
    pairs = [tuple(line.split(" ")) for line in lines if line and not line.startswith("#version")]
    if any(len(pair) != 2 for pair in pairs):
        raise CheckpointError(f"{folder.name}/{MERGES}: each line merges two tokens")
    tokenizer = Tokenizer(
        models.BPE(vocab=vocabulary, merges=pairs, end_of_word_suffix="</w>", unk_token=END)  # type: ignore[arg-type]
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(
        (END, vocabulary[END]), (BEGIN, vocabulary[BEGIN]), trim_offsets=False, add_prefix_space=False
    )
    tokenizer.add_special_tokens([BEGIN, END])
    return tokenizer
