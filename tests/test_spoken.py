"""Every language says every statement and every code, and says nothing that is not there."""

import ast
import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicom_node.results import narrative_report, outcome_report, spoken, text_report
from dicom_node.results.languages import WORDS
from dicom_node.results.spoken import in_words
from dicom_node.results.words import Words, key
from dicom_node.results.words_de import GERMAN
from dicom_node.results.words_en import ENGLISH
from dicom_node.study import Language, Outcome
from inference import statements as said
from inference.bundle import load
from inference.catalogue import shipped_bundles_dir
from inference.concept import Concept
from inference.findings import Finding, Findings, Measurement, Narrative, Sentence
from inference.manifests.lesions import LesionsManifest
from inference.measured import probability_of
from inference.statements import Statement
from tests import phantoms

ROOT = Path(__file__).parent.parent
FOREIGN = {language: words for language, words in WORDS.items() if words.patterns is not None}
TUMOUR, BLEEDING = Code("108369006", "SCT", "Neoplasm"), Code("274100004", "SCT", "Cerebral hemorrhage")
CAVERNOMA = Code("416824008", "SCT", "Cavernous hemangioma")
PLACE = (31.4, -12.0, 44.0)

GERMAN_OF: dict[Statement, str] = {
    said.AsCoded(): "Tumor, linke Hirnhälfte, 12,4 mL, Längsachse 31 mm, Wahrscheinlichkeit 93 %.",
    said.CodedOfNoKind(): "Tumor, linke Hirnhälfte, 12,4 mL, Längsachse 31 mm, Wahrscheinlichkeit 93 %, "
    "keiner Art mit ausreichender Wahrscheinlichkeit zuzuordnen.",
    said.CodedAt(place_mm=PLACE): "Tumor, linke Hirnhälfte, 12,4 mL, Längsachse 31 mm, Wahrscheinlichkeit 93 %, "
    "Mittelpunkt 31 mm links, 12 mm ventral, 44 mm kranial der Scannermitte.",
    said.OfNoKindAt(place_mm=PLACE): "Tumor, linke Hirnhälfte, 12,4 mL, Längsachse 31 mm, Wahrscheinlichkeit 93 %, "
    "keiner Art mit ausreichender Wahrscheinlichkeit zuzuordnen, "
    "Mittelpunkt 31 mm links, 12 mm ventral, 44 mm kranial der Scannermitte.",
    said.NoRegion(code=TUMOUR): "Tumor: keine Region markiert.",
    said.OneRegion(code=TUMOUR, volume_ml=12.36): "Tumor: eine Region markiert, 12,4 mL.",
    said.SeveralRegions(code=TUMOUR, count=3, volume_ml=24.0): "Tumor: 3 Regionen markiert, zusammen 24,0 mL.",
    said.NotListed(count=2): "Weitere kleine Regionen nur im Segment, hier nicht aufgeführt: 2.",
    said.BrainVolume(volume_ml=1423.4): "Abgebildetes Hirnvolumen: 1423 mL.",
    said.BrainCutOff(whole_ml=1511.0): "Das Gehirn ist in den Bildern angeschnitten; geschätztes Gesamtvolumen "
    "1511 mL.",
    said.NothingStandsOut(least_mm=2.0, most_mm=15.0): "Keine rundliche Region von 2 bis 15 mm Radius hebt sich ab.",
    said.ScoresAreAnOrder(): "Der Score gibt eine Reihenfolge der Kandidaten an, keine Wahrscheinlichkeit.",
    said.LearntOnSynthetic(first=CAVERNOMA, second=BLEEDING): "Technische Demonstration: Die Unterscheidung "
    "Kavernom oder Hirnblutung wurde nur an künstlich erzeugten Läsionen gelernt.",
    said.NoCandidate(code=BLEEDING): "Keine dunkle Läsion gefunden, daher keine Wahrscheinlichkeitsangabe "
    "(Hirnblutung).",
    said.FromImage(
        code=BLEEDING, probability=0.031, rule="max"
    ): "Hirnblutung: Wahrscheinlichkeit nach den Bildern 3 % (Regel: max).",
    said.JoinedWithText(text_probability=0.8, source="the Enhanced SR in series 5", probability=0.001): "Zusammen mit "
    "dem Text („the Enhanced SR in series 5“: 80 %): unter 1 %.",
    said.FittedOn(text="made up"): "Verknüpft durch logistische Regression, angepasst an Text: „made up“.",
    said.ImageAlone(): "Nur aus dem Bild; es wurde kein Text einbezogen.",
    said.TextNotTaken(why="the text is empty"): "Nur aus dem Bild; es wurde kein Text einbezogen "
    "(„the text is empty“).",
    said.NeitherMeansNothing(): "Für Kandidaten, die keines von beiden sind, ist die Wahrscheinlichkeit ohne "
    "Bedeutung.",
    said.OfEachSlice(code=BLEEDING, slices=((4, 0.93), (5, 0.998))): "Wahrscheinlichkeit (Hirnblutung) "
    "nach Schichtnummer: 4: 93 %; 5: über 99 %.",
    said.LikeliestSlice(
        number=12, count=30, offset_mm=31.4, direction="superior", probability=0.93
    ): "Am ehesten auffällig: Schicht 12 von 30, 31 mm kranial der Scannermitte, Wahrscheinlichkeit 93 %.",
    said.HighestSlice(
        number=12, count=30, offset_mm=31.4, direction="posterior", score=0.456
    ): "Am ehesten auffällig: Schicht 12 von 30, 31 mm dorsal der Scannermitte, Score 0,46 (Reihenfolge der Schichten, "
    "keine Wahrscheinlichkeit).",
    said.TextClass(origin="a report", code=TUMOUR, probability=0.93): "Einordnung des Textes („a report“): Tumor, "
    "Wahrscheinlichkeit 93 %.",
    said.TextOfNoClass(origin="a report", code=TUMOUR, probability=0.43, least=0.5): "Der Text („a report“) ist keiner "
    "Klasse zuzuordnen: die wahrscheinlichste, Tumor, erreicht 43 %; nötig sind 50 %.",
    said.OfEachClass(classes=((TUMOUR, 0.6), (BLEEDING, 0.4))): "Wahrscheinlichkeiten: Tumor: 60 %; Hirnblutung: 40 %.",
    said.TextCut(read=64, whole=130): "Gelesen wurden nur die ersten 64 von 130 Token des Textes.",
    said.TextDraft(): "Entwurf zum Text eines Befundberichts; Bilder wurden nicht ausgewertet.",
    said.ClosedAnswer(question="Is there a tumour?", code=TUMOUR, probability=0.93): "Auf die Frage "
    "„Is there a tumour?“ gibt das Modell an: Tumor, Wahrscheinlichkeit 93 %.",
    said.WroteAboutSlice(number=4, count=7): "Ein Sprachmodell hat über Schicht 4 von 7 einen Entwurf geschrieben, "
    "den niemand geprüft hat.",
    said.WroteAboutVolume(): "Ein Sprachmodell hat über das ganze Volumen einen Entwurf geschrieben, "
    "den niemand geprüft hat.",
    said.WroteAboutFinding(about="lesion 1"): "Ein Sprachmodell hat über „lesion 1“ einen Entwurf geschrieben, "
    "den niemand geprüft hat.",
    said.WroteAboutFindingOnSlice(about="lesion 1", number=4, count=7): "Ein Sprachmodell hat über „lesion 1“ auf "
    "Schicht 4 von 7 einen Entwurf geschrieben, den niemand geprüft hat.",
    said.MarkedBy(name="marker", version="0.1.0", digest="0123456789ab"): "Markiert und gemessen hat marker 0.1.0 "
    "(0123456789ab).",
    said.LiesIn(site=codes.SCT.FrontalLobe): "Frontallappen: Lage nach dem Standardkopf, der über das Bild gelegt "
    "wurde.",
    said.KindAnswer(question="What is it?", about="lesion 1", code=TUMOUR, probability=0.93): "Auf die Frage "
    "„What is it?“ zu „lesion 1“ gibt das Modell an: Tumor, Wahrscheinlichkeit 93 %.",
    said.DraftCutOff(tokens=12): "Der Entwurf wurde nach 12 Token abgebrochen.",
    said.Posed(mode="zero-shot"): "Art der Frage: zero-shot.",
    said.Chose(option="Yes", probability=0.93): "Die wahrscheinlichste der möglichen Antworten ist „Yes“, "
    "Wahrscheinlichkeit 93 %.",
    said.ChoseOnSlice(option="Yes", probability=0.93, number=4, count=7): "Die wahrscheinlichste der möglichen "
    "Antworten ist „Yes“, Wahrscheinlichkeit 93 %, auf Schicht 4 von 7.",
    said.NothingLocalised(): "So nicht beantwortet: Kein Ergebnis dieser Studie gibt an, wo etwas liegt.",
    said.EarlierLeftOut(count=2): "Für die ältesten der früheren Fragen war kein Platz, Anzahl: 2.",
}


def _tumour(**changes: Any) -> Finding:
    finding = Finding(
        label="tumour 1",
        code=TUMOUR,
        site=codes.SCT.Brain,
        laterality=codes.SCT.Left,
        probability=0.93,
        measurements=(
            Measurement(code=codes.SCT.Volume, value=12_360.0, unit=codes.UCUM.CubicMillimeter),
            Measurement(code=codes.SCT.LongAxis, value=31.2, unit=codes.UCUM.Millimeter),
        ),
    )
    return replace(finding, **changes)


def _findings(*sentences: Sentence) -> Findings:
    return replace(phantoms.nothing(), findings=(_tumour(),), narrative=Narrative(sentences=sentences))


def test_every_statement_is_in_the_table_below() -> None:
    assert {type(statement) for statement in GERMAN_OF} == set(get_args(Statement))


@pytest.mark.parametrize("statement", GERMAN_OF, ids=lambda s: type(s).__name__)
def test_a_statement_in_german(statement: Statement) -> None:
    one = spoken.spoken(_findings(Sentence(text="In English.", finding="tumour 1", says=statement)), "de")[0]
    assert (one.text, one.finding, one.language) == (GERMAN_OF[statement], "tumour 1", "de")


@pytest.mark.parametrize("language", FOREIGN)
def test_every_language_has_a_pattern_for_every_statement_and_leaves_no_value_out(language: Language) -> None:
    patterns = FOREIGN[language].patterns or {}
    assert set(patterns) == set(get_args(Statement))
    for kind, pattern in patterns.items():
        used = {name for _, name, _, _ in Formatter().parse(pattern) if name is not None}
        assert used - {"finding"} == {field.name for field in fields(kind)}, kind.__name__


def test_english_keeps_the_readers_own_sentences() -> None:
    sentence = Sentence(text="Tumour 1: left brain.", finding="tumour 1", says=said.AsCoded())
    assert [s.text for s in spoken.spoken(_findings(sentence), "en")] == ["Tumour 1: left brain."]


def test_what_is_known_in_english_alone_comes_last_and_is_known_as_english() -> None:
    findings = _findings(
        Sentence(text="Something new."),
        Sentence(text="Seen.", finding="tumour 1"),
        Sentence(text="x", says=said.TextDraft()),
    )
    told = spoken.spoken(findings, "de")
    assert [(s.finding, s.language) for s in told] == [
        (None, "de"),
        ("tumour 1", "de"),
        (None, "en"),
        ("tumour 1", "en"),
    ]
    assert told[1].text == GERMAN_OF[said.AsCoded()]
    assert [s.text for s in told[2:]] == ["Something new.", "Seen."]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"laterality": None}, "Tumor, Gehirn, 12,4 mL, Längsachse 31 mm, Wahrscheinlichkeit 93 %"),
        ({"site": None, "measurements": ()}, "Tumor, links, Wahrscheinlichkeit 93 %"),
        ({"site": codes.SCT.Thalamus, "laterality": codes.SCT.Right, "measurements": (), "probability": None},
         "Tumor, rechter Thalamus"),
        ({"site": Code("71341001", "SCT", "Femur"), "measurements": (), "probability": None}, "Tumor, Femur links"),
        ({"code": BLEEDING, "site": None, "laterality": None, "measurements": (
            Measurement(code=codes.SCT.Volume, value=0.654, unit=Code("mL", "UCUM", "mL")),
            Measurement(code=codes.SCT.ShortAxis, value=6.44, unit=codes.UCUM.Millimeter),
            Measurement(code=Code("candidate-score", "99DICOMNODE", ""), value=0.4, unit=Code("1", "UCUM", "no units")),
            Measurement(code=Code("aih-probability", "99DICOMNODE", ""), value=93.0, unit=codes.UCUM.Percent),
            Measurement(code=Code("ccm-probability", "99DICOMNODE", ""), value=7.0, unit=codes.UCUM.Percent),
            Measurement(code=Code("1", "99X", "Stiffness"), value=12.345, unit=Code("kPa", "UCUM", "kilopascal")),
        )}, ("Hirnblutung, 0,65 mL, Kurzachse 6,4 mm, Wahrscheinlichkeit 93 %, Kandidaten-Score 0,40, "
            "Wahrscheinlichkeit eines Kavernoms 7 %, Stiffness 12,35 kPa")),
    ],
)  # fmt: skip
def test_a_finding_in_german(changes: dict[str, Any], text: str) -> None:
    assert in_words(_tumour(**changes), GERMAN) == text


def test_a_finding_in_english() -> None:
    assert in_words(_tumour(), ENGLISH) == "Neoplasm, Left Brain, 12.4 mL, Long axis 31 mm, probability 93 %"


# -- no code is forgotten ------------------------------------------------------------------------------------------


def _of_bundles() -> Iterator[Code]:
    """Whatever a shipped bundle can say: every concept in its manifest, and the measurements named after classes."""
    for folder in shipped_bundles_dir.iterdir():
        if not folder.is_dir():
            continue
        manifest = load(folder).manifest
        yield from _concepts(json.loads(manifest.model_dump_json()))
        if isinstance(manifest, LesionsManifest):
            second = manifest.classes[1]
            yield probability_of(second.code.code(), second.label, 0.5).code


def _concepts(value: Any) -> Iterator[Code]:
    if isinstance(value, dict):
        if set(Concept.model_fields) == set(value):
            yield Concept.model_validate(value).code()
        for inner in value.values():
            yield from _concepts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _concepts(inner)


def _of_source(*paths: Path) -> Iterator[Code]:
    """Every code that is written down in these modules: `Code("...", "...", "...")` and `codes.SCHEME.Keyword`."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Code":
                values = [a.value for a in node.args if isinstance(a, ast.Constant)]
                if len(values) == len(node.args) == 3:
                    yield Code(*(str(value) for value in values))
            elif (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Attribute)
                and isinstance(node.value.value, ast.Name)
                and node.value.value.id == "codes"
            ):
                yield getattr(getattr(codes, node.value.attr), node.attr)


def _readers() -> list[Path]:
    folder = ROOT / "inference"
    return [p for p in folder.rglob("*.py") if p.relative_to(folder).parts[0] not in {"evaluation", "synthetic"}]


def _writers() -> list[Path]:
    modules = (narrative_report, outcome_report, text_report)
    return [Path(str(module.__file__)) for module in modules]


FAMILIES = {"123110", "123101", "123109", "123102", "123103", "123104", "123105", "123106", "123107", "123108"}
"""Kinds of algorithm (CID 7162): said in SEG and Contributing Equipment alone."""


@pytest.mark.parametrize("language", FOREIGN)
def test_every_code_that_can_be_said_has_a_name(language: Language) -> None:
    sources = {*_of_bundles(), *_of_source(*_readers(), *_writers())}
    assert len(sources) > 30
    words = FOREIGN[language]
    missing = {code for code in sources if key(code) not in words.names and code.value not in FAMILIES}
    assert not missing, (
        f"{language} has no name for {sorted((c.scheme_designator, c.value, c.meaning) for c in missing)}"
    )


@pytest.mark.parametrize("language", FOREIGN)
def test_every_site_that_can_be_found_has_both_sides(language: Language) -> None:
    sites = {*_of_source(ROOT / "inference" / "imaging" / "sites.py"), codes.SCT.Brain}
    known = {site for site, _ in FOREIGN[language].sided}
    assert {key(site) for site in sites} == known
    for site in known:
        both = {FOREIGN[language].sided[site, key(side)] for side in (codes.SCT.Left, codes.SCT.Right)}
        assert len(both) == 2


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_names_fit_code_meaning_and_every_outcome_has_a_sentence(words: Words) -> None:
    assert all(0 < len(name) <= 64 for name in words.names.values())
    assert set(words.no_result) == set(Outcome) - {Outcome.RESULT}
    assert set(words.training) == set(words.training_on_text) == {"real", "synthetic-appearance", "synthetic-findings"}
    assert "RESEARCH USE" in words.research
    assert set(WORDS) == set(get_args(Language))


@given(st.floats(0, 1), st.floats(1e-3, 2e6), st.floats(0.1, 250))
def test_german_has_no_decimal_point(probability: float, mm3: float, mm: float) -> None:
    text = in_words(
        _tumour(
            probability=probability,
            measurements=(
                Measurement(code=codes.SCT.Volume, value=mm3, unit=codes.UCUM.CubicMillimeter),
                Measurement(code=codes.SCT.LongAxis, value=mm, unit=codes.UCUM.Millimeter),
            ),
        ),
        GERMAN,
    )
    assert "." not in text
