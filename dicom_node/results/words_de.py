"""German: what codes are called, one side of a site, and a pattern for each statement, as a radiologist would write."""

from pydicom.sr.coding import Code

from dicom_node.results.words import DraftWords, Key, Words
from dicom_node.study import Outcome
from inference import statements as said

_BRAIN, _STEM, _CEREBELLUM = ("SCT", "12738006"), ("SCT", "119238007"), ("SCT", "113305005")
_THALAMUS, _GANGLIA = ("SCT", "42695009"), ("99DICOMNODE", "basal-ganglia")
_FRONTAL, _PARIETAL, _TEMPORAL, _OCCIPITAL = (
    ("SCT", value) for value in ("83251001", "16630005", "78277001", "31065004")
)
_LEFT, _RIGHT = ("SCT", "7771000"), ("SCT", "24028007")

_SEEN: dict[Key, str] = {
    ("SCT", "52988006"): "Läsion",
    ("SCT", "108369006"): "Tumor",
    ("SCT", "393564001"): "Gliom",
    ("SCT", "302820008"): "Meningeom",
    ("SCT", "254956000"): "Hypophysenadenom",
    ("SCT", "416824008"): "Kavernom",
    ("SCT", "274100004"): "Hirnblutung",
    ("SCT", "50960005"): "Blutung",
    ("SCT", "49755003"): "Morphologisch auffällige Struktur",
    ("SCT", "91723000"): "Anatomische Struktur",
}
_WHERE: dict[Key, str] = {
    _BRAIN: "Gehirn",
    _FRONTAL: "Frontallappen",
    _PARIETAL: "Parietallappen",
    _TEMPORAL: "Temporallappen",
    _OCCIPITAL: "Okzipitallappen",
    _STEM: "Hirnstamm",
    _CEREBELLUM: "Kleinhirn",
    _THALAMUS: "Thalamus",
    _GANGLIA: "Basalganglien",
    _LEFT: "links",
    _RIGHT: "rechts",
    ("SCT", "272741003"): "Seite",
}
_MEASURED: dict[Key, str] = {
    ("SCT", "118565006"): "Volumen",
    ("SCT", "103339001"): "Längsachse",
    ("SCT", "103340004"): "Kurzachse",
    ("DCM", "111012"): "Sicherheit des Befunds",
    ("DCM", "111013"): "Sicherheit der Beurteilung",
    ("99DICOMNODE", "candidate-score"): "Kandidaten-Score",
    ("99DICOMNODE", "study-score"): "Höchster Kandidaten-Score",
    ("99DICOMNODE", "from-image"): "Wahrscheinlichkeit aus dem Bild allein",
    ("99DICOMNODE", "from-text"): "Wahrscheinlichkeit aus dem Text allein",
    ("99DICOMNODE", "slice-probability"): "Höchste Wahrscheinlichkeit einer Schicht",
    ("99DICOMNODE", "slice-score"): "Höchster Score einer Schicht, keine Wahrscheinlichkeit",
    ("99DICOMNODE", "whole-brain-volume"): "Geschätztes Volumen des ganzen Gehirns",
    ("99DICOMNODE", "ccm-probability"): "Wahrscheinlichkeit eines Kavernoms",
    ("99DICOMNODE", "aih-probability"): "Wahrscheinlichkeit einer Hirnblutung",
    ("UCUM", "mm3"): "Kubikmillimeter",
    ("UCUM", "mm"): "Millimeter",
    ("UCUM", "mL"): "Milliliter",
    ("UCUM", "%"): "Prozent",
    ("UCUM", "1"): "ohne Einheit",
    ("UCUM", "{score}"): "Score",
}
_HEADINGS: dict[Key, str] = {
    ("LN", "18748-4"): "Befundbericht Bildgebung",
    ("LN", "55112-7"): "Zusammenfassung",
    ("LN", "59776-5"): "Befunde",
    ("LN", "55111-9"): "Durchführung",
    ("99DICOMNODE", "draft-text"): "Entwurf, generierter Text, nicht geprüft",
    ("LN", "25045-6"): "CT, Körperregion nicht angegeben",
    ("LN", "25056-3"): "MRT, Körperregion nicht angegeben",
    ("SCT", "363679005"): "Bildgebende Untersuchung",
    ("DCM", "121073"): "Beurteilung",
    ("DCM", "121071"): "Befund",
    ("DCM", "121065"): "Beschreibung der Durchführung",
    ("DCM", "121058"): "Durchgeführte Untersuchung",
    ("DCM", "121049"): "Sprache",
    ("DCM", "112039"): "Kennung",
    ("DCM", "121191"): "Zugehöriges Segment",
    ("DCM", "121080"): "Bild, das den Befund am besten zeigt",
    ("DCM", "121200"): "Darstellung der markierten Region",
    ("DCM", "121335"): "Quelldokument",
    ("DCM", "112002"): "Serie (Series Instance UID)",
    ("DCM", "111065"): "Stand der Auswertung",
    ("DCM", "111222"): "Erfolgreich",
    ("DCM", "111224"): "Fehlgeschlagen",
    ("DCM", "111225"): "Nicht durchgeführt",
    ("DCM", "121005"): "Art des Beobachters",
    ("DCM", "121007"): "Gerät",
    ("DCM", "121012"): "Gerät: UID",
    ("DCM", "121013"): "Gerät: Name",
    ("DCM", "121014"): "Gerät: Hersteller",
    ("DCM", "121015"): "Gerät: Modell",
    ("RFC5646", "de"): "Deutsch",
    ("RFC5646", "en"): "Englisch",
}
_SIDED: dict[tuple[Key, Key], str] = {
    (_BRAIN, _LEFT): "linke Hirnhälfte",
    (_BRAIN, _RIGHT): "rechte Hirnhälfte",
    (_FRONTAL, _LEFT): "linker Frontallappen",
    (_FRONTAL, _RIGHT): "rechter Frontallappen",
    (_PARIETAL, _LEFT): "linker Parietallappen",
    (_PARIETAL, _RIGHT): "rechter Parietallappen",
    (_TEMPORAL, _LEFT): "linker Temporallappen",
    (_TEMPORAL, _RIGHT): "rechter Temporallappen",
    (_OCCIPITAL, _LEFT): "linker Okzipitallappen",
    (_OCCIPITAL, _RIGHT): "rechter Okzipitallappen",
    (_STEM, _LEFT): "linke Hälfte des Hirnstamms",
    (_STEM, _RIGHT): "rechte Hälfte des Hirnstamms",
    (_CEREBELLUM, _LEFT): "linke Kleinhirnhälfte",
    (_CEREBELLUM, _RIGHT): "rechte Kleinhirnhälfte",
    (_THALAMUS, _LEFT): "linker Thalamus",
    (_THALAMUS, _RIGHT): "rechter Thalamus",
    (_GANGLIA, _LEFT): "linke Basalganglien",
    (_GANGLIA, _RIGHT): "rechte Basalganglien",
}
_OF_NO_KIND = "{finding}, keiner Art mit ausreichender Wahrscheinlichkeit zuzuordnen"

_PATTERNS: dict[type, str] = {
    said.AsCoded: "{finding}.",
    said.CodedOfNoKind: _OF_NO_KIND + ".",
    said.CodedAt: "{finding}, Mittelpunkt {place_mm:place}.",
    said.OfNoKindAt: _OF_NO_KIND + ", Mittelpunkt {place_mm:place}.",
    said.NoRegion: "{code}: keine Region markiert.",
    said.OneRegion: "{code}: eine Region markiert, {volume_ml:ml}.",
    said.SeveralRegions: "{code}: {count} Regionen markiert, zusammen {volume_ml:ml}.",
    said.NotListed: "Weitere kleine Regionen nur im Segment, hier nicht aufgeführt: {count}.",
    said.BrainVolume: "Abgebildetes Hirnvolumen: {volume_ml:ml}.",
    said.BrainCutOff: "Das Gehirn ist in den Bildern angeschnitten; geschätztes Gesamtvolumen {whole_ml:ml}.",
    said.NothingStandsOut: "Keine rundliche Region von {least_mm:.0f} bis {most_mm:.0f} mm Radius hebt sich ab.",
    said.ScoresAreAnOrder: "Der Score gibt eine Reihenfolge der Kandidaten an, keine Wahrscheinlichkeit.",
    said.LearntOnSynthetic: "Technische Demonstration: Die Unterscheidung {first} oder {second} wurde nur an künstlich "
    "erzeugten Läsionen gelernt.",
    said.NoCandidate: "Keine dunkle Läsion gefunden, daher keine Wahrscheinlichkeitsangabe ({code}).",
    said.FromImage: "{code}: Wahrscheinlichkeit nach den Bildern {probability:percent} (Regel: {rule}).",
    said.JoinedWithText: "Zusammen mit dem Text („{source}“: {text_probability:percent}): {probability:percent}.",
    said.FittedOn: "Verknüpft durch logistische Regression, angepasst an Text: „{text}“.",
    said.ImageAlone: "Nur aus dem Bild; es wurde kein Text einbezogen.",
    said.TextNotTaken: "Nur aus dem Bild; es wurde kein Text einbezogen („{why}“).",
    said.NeitherMeansNothing: "Für Kandidaten, die keines von beiden sind, ist die Wahrscheinlichkeit ohne Bedeutung.",
    said.OfEachSlice: "Wahrscheinlichkeit ({code}) nach Schichtnummer: {slices:each}.",
    said.LikeliestSlice: "Am ehesten auffällig: Schicht {number} von {count}, {offset_mm:.0f} mm {direction:centre}, "
    "Wahrscheinlichkeit {probability:percent}.",
    said.HighestSlice: "Am ehesten auffällig: Schicht {number} von {count}, {offset_mm:.0f} mm {direction:centre}, "
    "Score {score:.2f} (Reihenfolge der Schichten, keine Wahrscheinlichkeit).",
    said.TextClass: "Einordnung des Textes („{origin}“): {code}, Wahrscheinlichkeit {probability:percent}.",
    said.TextOfNoClass: "Der Text („{origin}“) ist keiner Klasse zuzuordnen: die wahrscheinlichste, {code}, erreicht "
    "{probability:percent}; nötig sind {least:percent}.",
    said.OfEachClass: "Wahrscheinlichkeiten: {classes:each}.",
    said.TextCut: "Gelesen wurden nur die ersten {read} von {whole} Token des Textes.",
    said.TextDraft: "Entwurf zum Text eines Befundberichts; Bilder wurden nicht ausgewertet.",
    said.ClosedAnswer: "Auf die Frage „{question}“ gibt das Modell an: {code}, Wahrscheinlichkeit "
    "{probability:percent}.",
    said.GeneratedDrafts: "Ein Sprachmodell hat Text geschrieben (über: {about}; abgebrochen nach {tokens} Wortteilen, "
    "bei 0 vollständig); er ist ein ungeprüfter Entwurf.",
}

GERMAN = Words(
    code=Code("de", "RFC5646", "Deutsch"),
    decimal=",",
    names={**_SEEN, **_WHERE, **_MEASURED, **_HEADINGS},
    sided=_SIDED,
    on_side="{site} {side}",
    directions={
        "left": "links",
        "right": "rechts",
        "anterior": "ventral",
        "posterior": "dorsal",
        "superior": "kranial",
        "inferior": "kaudal",
    },
    of_centre="{place} der Scannermitte",
    probability="Wahrscheinlichkeit {value}",
    below="unter",
    above="über",
    patterns=_PATTERNS,
    warning="Von KI erstellt, nicht ärztlich geprüft.",
    research="NUR FÜR FORSCHUNGSZWECKE (RESEARCH USE ONLY), nicht zur Diagnose.",
    read_by="Ausgewertet von {name} {version} ({maker}), SHA-256 {digest}, auf {provider}.",
    node="Knoten: dicom-node {version}, {when}.",
    algorithm="Algorithmus: {name}.",
    training={
        "real": "Trainiert an echten Bildern.",
        "synthetic-appearance": "Trainiert an echter Anatomie mit künstlichem Bildeindruck.",
        "synthetic-findings": "Nur an künstlichen Befunden trainiert.",
    },
    training_on_text={
        "real": "Trainiert an echten Befundberichten.",
        "synthetic-appearance": "Trainiert an echten Befunden in erfundenen Berichten.",
        "synthetic-findings": "Nur an erfundenen Berichten trainiert.",
    },
    images="Zu den Bildern, auf Englisch:",
    whole_study="Wahrscheinlichkeit für die Untersuchung insgesamt: {value}.",
    nothing="Die Auswertung ist abgeschlossen und meldet keinen Befund.",
    no_result={
        Outcome.ABSTAINED: "Kein KI-Ergebnis: Die Untersuchung passt nicht zu dem, wofür der Algorithmus gemacht ist; "
        "sie wurde nicht ausgewertet.",
        Outcome.FAILED: "Kein KI-Ergebnis: Die Auswertung ist fehlgeschlagen. Über die Bilder sagt das nichts.",
        Outcome.NOT_APPLICABLE: "Kein KI-Ergebnis: Für diese Untersuchung ist kein Algorithmus eingerichtet.",
    },
    reason="Grund, auf Englisch:",
    drafts=DraftWords(
        supported="Generiert, stimmt überein mit {evidence}{answer}: „{text}“",
        unsupported="Generiert, OHNE BELEG IN DEN BILDERN ({reason}){answer}: „{text}“",
        contradicted="Generiert, WIDERSPRICHT {evidence} ({reason}){answer}: „{text}“",
        answer=", Wahrscheinlichkeit der Antwort {value}",
        withheld_one="1 generierter Satz wurde zurückgehalten: {reasons}.",
        withheld_many="{count} generierte Sätze wurden zurückgehalten: {reasons}.",
        against="{reason} widerspricht {evidence}",
        segment="leeres Segment {label}",
        reasons={
            "presence": "Vorliegen",
            "absence": "Ausschluss",
            "kind": "Art",
            "side": "Seite",
            "anatomy": "Ort",
            "count": "Anzahl",
            "size": "Größe",
            "not-understood": "nicht verstanden",
            "ambiguous": "mehrdeutig",
            "not-coded": "nichts Kodiertes sagt etwas dazu",
            "finer": "genauer als kodiert",
            "improbable": "mit einer Wahrscheinlichkeit unter 50 % kodiert",
            "no-prior": "Vergleich ohne gelesene Voraufnahme",
            "recommendation": "Empfehlung",
        },
    ),
)
"""What German needs."""
