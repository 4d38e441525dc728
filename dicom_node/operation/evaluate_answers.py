"""`dicom-node evaluate` on folders of questions: how a bundle that looks and speaks answers them, beside guesses."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dicom_node.errors import ConfigError
from inference.algorithms.image_dialogue import ImageDialogue
from inference.errors import DataError
from inference.evaluation.answer_figures import answered
from inference.evaluation.answers import Answer
from inference.evaluation.questions import FOLDS, Pixels, Question, holds_questions, questions
from inference.findings import Algorithm


class PictureReader:
    """A dialogue bundle as a reader of pictures with no place in a patient."""

    def __init__(self, dialogue: ImageDialogue) -> None:
        self._dialogue = dialogue

    @property
    def algorithm(self) -> Algorithm:
        """Who answers."""
        return self._dialogue.algorithm

    def answer(self, question: str, options: Sequence[str], image: Pixels) -> Answer:
        """Answer one question about one picture, (row, column, 3), uint8; raises InferenceError if a run fails."""
        text, probabilities = self._dialogue.asked(image, question, options)
        return Answer(text=text, options=dict(zip(options, probabilities, strict=True)))


def evaluate_answers(
    dialogue: ImageDialogue, folders: Sequence[Path], fold: int | None, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """Figures of a bundle's answers.

    Parameters
    ----------
    folders
        Each `train.json` and `images/`, a subset.
    fold
        Questions of this part, by picture, are asked; those of the others say what the majority is.

    Returns
    -------
    dict
        {"bundle", "digest", "subsets"}, each as `inference.evaluation.answer_figures.subset`; the last is "all".

    Raises
    ------
    ConfigError
        If the fold is none of them.
    DataError
        If a folder holds no such questions, or they cannot be read.
    """
    if fold is None or not 1 <= fold <= FOLDS:
        raise ConfigError(f"answers are evaluated by fold: --fold 1 to {FOLDS}; the others say what the majority is")
    if strange := [folder.name for folder in folders if not holds_questions(folder)]:
        raise DataError(f"{', '.join(strange)}: {dialogue.algorithm.name} answers questions (train.json and images/)")
    reader, asked = PictureReader(dialogue), {folder.name: questions(folder) for folder in folders}
    subsets = [answered(reader, name, *_divided(each, fold), progress) for name, each in asked.items()]
    if len(subsets) == 1:
        subsets.append({**subsets[0], "name": "all"})
    else:
        every = [question for each in asked.values() for question in each]
        subsets.append(answered(reader, "all", *_divided(every, fold), progress))
    algorithm = dialogue.algorithm
    return {"bundle": f"{algorithm.name}-{algorithm.version}", "digest": algorithm.digest, "subsets": subsets}


def _divided(each: Sequence[Question], fold: int) -> tuple[list[Question], list[Question]]:
    return [q for q in each if q.fold == fold], [q for q in each if q.fold != fold]
