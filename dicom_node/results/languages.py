"""The languages that results are written in."""

from collections.abc import Mapping

from dicom_node.results.words import Words
from dicom_node.results.words_de import GERMAN
from dicom_node.results.words_en import ENGLISH
from dicom_node.study import Language

WORDS: Mapping[Language, Words] = {"en": ENGLISH, "de": GERMAN}
"""By the value of `[node] language`."""
