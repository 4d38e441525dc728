"""What a reader's sentences say, apart from any language: codes and numbers, a kind of statement for each sentence."""

from dataclasses import dataclass
from typing import Literal

from pydicom.sr.coding import Code

Direction = Literal["left", "right", "anterior", "posterior", "inferior", "superior"]


@dataclass(frozen=True, kw_only=True)
class AsCoded:
    """What the codes and measurements of the finding say, and no more."""


@dataclass(frozen=True, kw_only=True)
class CodedOfNoKind:
    """As coded, and that no kind has enough probability to be named."""


@dataclass(frozen=True, kw_only=True)
class CodedAt:
    """As coded, and where its centre lies from the scanner's: LPS, mm."""

    place_mm: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class OfNoKindAt:
    """As coded, of no kind with enough probability, and where its centre lies from the scanner's: LPS, mm."""

    place_mm: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class NoRegion:
    """Nothing was marked as what the code names."""

    code: Code


@dataclass(frozen=True, kw_only=True)
class OneRegion:
    """One region was marked."""

    code: Code
    volume_ml: float


@dataclass(frozen=True, kw_only=True)
class SeveralRegions:
    """Several were, of this volume in all."""

    code: Code
    count: int
    volume_ml: float


@dataclass(frozen=True, kw_only=True)
class NotListed:
    """The smallest regions are in the segment alone."""

    count: int


@dataclass(frozen=True, kw_only=True)
class BrainVolume:
    """Of the brain in the images."""

    volume_ml: float


@dataclass(frozen=True, kw_only=True)
class BrainCutOff:
    """The images cut the brain off; estimated volume of the whole."""

    whole_ml: float


@dataclass(frozen=True, kw_only=True)
class NothingStandsOut:
    """No blob-like region of these radii stands out from its tissue."""

    least_mm: float
    most_mm: float


@dataclass(frozen=True, kw_only=True)
class ScoresAreAnOrder:
    """A score is an order among candidates, not a probability."""


@dataclass(frozen=True, kw_only=True)
class LearntOnSynthetic:
    """A technical demonstration: it learnt to tell two classes apart on synthetic lesions alone."""

    first: Code
    second: Code


@dataclass(frozen=True, kw_only=True)
class NoCandidate:
    """No dark lesion was found, so no probability of the class is given."""

    code: Code


@dataclass(frozen=True, kw_only=True)
class FromImage:
    """Probability of the class in the patient, from the image by this rule over candidates."""

    code: Code
    probability: float
    rule: str


@dataclass(frozen=True, kw_only=True)
class JoinedWithText:
    """The same joined with what a text says; `source` is in English."""

    text_probability: float
    source: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class FittedOn:
    """The text was joined by logistic regression, which was fitted on this; in English."""

    text: str


@dataclass(frozen=True, kw_only=True)
class ImageAlone:
    """No text was taken into it."""


@dataclass(frozen=True, kw_only=True)
class TextNotTaken:
    """No text was taken into it, and why; in English."""

    why: str


@dataclass(frozen=True, kw_only=True)
class NeitherMeansNothing:
    """A candidate of neither class gets a meaningless probability."""


@dataclass(frozen=True, kw_only=True)
class OfEachSlice:
    """Probability of the class in each slice of the finding, by its number from 1."""

    code: Code
    slices: tuple[tuple[int, float], ...]


@dataclass(frozen=True, kw_only=True)
class LikeliestSlice:
    """Which slice, numbered from 1, is the likeliest to show abnormal tissue, where, and its probability."""

    number: int
    count: int
    offset_mm: float
    direction: Direction
    probability: float


@dataclass(frozen=True, kw_only=True)
class HighestSlice:
    """The same with a score, which is no probability."""

    number: int
    count: int
    offset_mm: float
    direction: Direction
    score: float


@dataclass(frozen=True, kw_only=True)
class TextClass:
    """Of which class a text is; `origin` says whose text, in English."""

    origin: str
    code: Code
    probability: float


@dataclass(frozen=True, kw_only=True)
class TextOfNoClass:
    """A text is given no class: the most probable one has too little."""

    origin: str
    code: Code
    probability: float
    least: float


@dataclass(frozen=True, kw_only=True)
class OfEachClass:
    """Probability of every class."""

    classes: tuple[tuple[Code, float], ...]


@dataclass(frozen=True, kw_only=True)
class TextCut:
    """Only the first tokens of the text were read."""

    read: int
    whole: int


@dataclass(frozen=True, kw_only=True)
class TextDraft:
    """A draft about the text of a report; no image was read."""


@dataclass(frozen=True, kw_only=True)
class ClosedAnswer:
    """What a language model was asked, in English, and the probability that it gives to what the code names."""

    question: str
    code: Code
    probability: float


@dataclass(frozen=True, kw_only=True)
class WroteAboutSlice:
    """A language model wrote a draft about one slice, number `number` of `count`."""

    number: int
    count: int


@dataclass(frozen=True, kw_only=True)
class WroteAboutVolume:
    """A language model wrote a draft about the whole volume."""


@dataclass(frozen=True, kw_only=True)
class WroteAboutFinding:
    """A language model wrote a draft about one finding in the volume; `about` is its label."""

    about: str


@dataclass(frozen=True, kw_only=True)
class WroteAboutFindingOnSlice:
    """The same about one finding in one slice, number `number` of `count`."""

    about: str
    number: int
    count: int


@dataclass(frozen=True, kw_only=True)
class MarkedBy:
    """Which other bundle marked and measured what the model is asked about; `digest` is the beginning of its sha256."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class LiesIn:
    """In which part of the brain the finding lies, by the standard head laid over the image."""

    site: Code


@dataclass(frozen=True, kw_only=True)
class KindAnswer:
    """What a language model was asked about one finding, in English, and the likeliest kind; `about` is its label."""

    question: str
    about: str
    code: Code
    probability: float


@dataclass(frozen=True, kw_only=True)
class DraftCutOff:
    """The draft was cut off after so many tokens."""

    tokens: int


@dataclass(frozen=True, kw_only=True)
class Posed:
    """How a question was put; what follows is its answer."""

    mode: str


@dataclass(frozen=True, kw_only=True)
class Chose:
    """Which of a closed question's options a language model holds the likeliest, having looked at the whole volume."""

    option: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class ChoseOnSlice:
    """The same of one slice, number `number` of `count`: the one on which what is asked for is the likeliest."""

    option: str
    probability: float
    number: int
    count: int


@dataclass(frozen=True, kw_only=True)
class NothingLocalised:
    """A question was not put with what was found: no result of the study says where anything lies."""


@dataclass(frozen=True, kw_only=True)
class EarlierLeftOut:
    """The oldest of the questions that this one goes on from had no room."""

    count: int


Statement = (
    AsCoded
    | CodedOfNoKind
    | CodedAt
    | OfNoKindAt
    | NoRegion
    | OneRegion
    | SeveralRegions
    | NotListed
    | BrainVolume
    | BrainCutOff
    | NothingStandsOut
    | ScoresAreAnOrder
    | LearntOnSynthetic
    | NoCandidate
    | FromImage
    | JoinedWithText
    | FittedOn
    | ImageAlone
    | TextNotTaken
    | NeitherMeansNothing
    | OfEachSlice
    | LikeliestSlice
    | HighestSlice
    | TextClass
    | TextOfNoClass
    | OfEachClass
    | TextCut
    | TextDraft
    | ClosedAnswer
    | WroteAboutSlice
    | WroteAboutVolume
    | WroteAboutFinding
    | WroteAboutFindingOnSlice
    | MarkedBy
    | LiesIn
    | KindAnswer
    | DraftCutOff
    | Posed
    | Chose
    | ChoseOnSlice
    | NothingLocalised
    | EarlierLeftOut
)
"""All kinds; a language that the node speaks has a pattern for each."""
