"""The English vocabulary of the report score: findings, sites, sides, grades, changes and what denies a finding."""

import re

Words = dict[str, re.Pattern[str]]


def _words(**patterns: str) -> Words:
    return {name.replace("_", " "): re.compile(rf"\b(?:{pattern})\b") for name, pattern in patterns.items()}


FINDINGS = _words(
    haemorrhage=r"(?:micro)?ha?emorrhag(?:e|es|ic)|ha?ematomas?|bleed(?:s|ing)?",
    cavernous_malformation=r"cavernous (?:vascular )?malformations?|cavernomas?|cavernous (?:ha?em)?angiomas?",
    glioma=r"gliomas?|glioblastomas?|astrocytomas?",
    meningioma=r"meningiomas?",
    pituitary_tumour=r"pituitary (?:tumou?rs?|(?:macro|micro)?adenomas?)",
    metastasis=r"metasta(?:sis|ses|tic (?:disease|lesions?))",
    infarct=r"infarct(?:s|ion|ions)?|strokes?|ischa?emi(?:a|c (?:change|changes|lesions?))",
    oedema=r"o?edema",
    midline_shift=r"(?:midline )?shift(?: of the midline)?|midline (?:is )?(?:shifted|displaced)",
    mass_effect=r"mass effect",
    hydrocephalus=r"hydrocephalus",
    atrophy=r"atrophy|volume loss",
    calcification=r"calcifications?",
    enhancement=r"enhanc(?:ement|es|ing)",
    fracture=r"fractures?",
    effusion=r"(?:pleural )?effusions?",
    pneumothorax=r"pneumothora(?:x|ces)",
    consolidation=r"consolidations?",
    nodule=r"nodules?",
    cyst=r"cysts?",
    lesion=r"lesions?|mass(?:es)?(?! effect)|tumou?rs?|neoplasms?|foc(?:us|i)",
    abnormality=r"abnormalit(?:y|ies)|abnormal",
)
"""Names of findings; of two that a word could mean, the first counts."""

GENERAL = "lesion"
"""The finding that "the lesion" of a later sentence need not be: it is the one named before."""

NORMAL = re.compile(r"(?<!not )\b(?:normal|unremarkable|within normal limits)\b")
"""Says that there is no abnormality."""

ABNORMALITY = "abnormality"

SITES = _words(
    frontal=r"frontal|frontoparietal",
    parietal=r"parietal|frontoparietal|temporoparietal",
    temporal=r"temporal|temporoparietal",
    occipital=r"occipital",
    cerebellum=r"cerebell(?:um|ar)|posterior fossa",
    brainstem=r"brain ?stem|pons|pontine|midbrain|medulla",
    deep_grey=r"basal ganglia|thalam(?:us|ic)|putamen|caudate",
    ventricle=r"(?:intra)?ventric(?:le|les|ular)",
    sella=r"(?:supra)?sellar?|pituitary fossa",
    corpus_callosum=r"corpus callosum",
    insula=r"insular?",
    anterior=r"anterior",
    posterior=r"posterior(?! fossa)",
    upper=r"upper|superior",
    lower=r"lower|inferior|basal(?! ganglia)",
    liver=r"liver|hepatic",
    kidney=r"kidneys?|renal",
    spleen=r"spleen|splenic",
    pancreas=r"pancrea(?:s|tic)",
)

SIDES = _words(
    left=r"left(?:-sided)?",
    right=r"right(?:-sided)?",
    both=r"bilateral(?:ly)?|both sides|both hemispheres",
    middle=r"midline",
)

GRADES = {
    1: re.compile(r"\b(?:tiny|small|mild|minimal|slight|minor)\b"),
    2: re.compile(r"\bmoderate(?:ly)?\b"),
    3: re.compile(r"\b(?:large|severe|marked|extensive|massive|huge)\b"),
}
"""How severe or big, in words."""

CHANGES = _words(
    larger=r"increas(?:ed|ing)|larger|progress(?:ed|ion|ive)|grown|enlarging",
    smaller=r"decreas(?:ed|ing)|smaller|regress(?:ed|ion)|shrunk(?:en)?",
    unchanged=r"unchanged|stable|no (?:interval |significant )*change",
    new=r"new(?:ly)?",
)
"""Comparisons with an earlier study."""

DENIED_BEFORE = re.compile(
    r"\b(?:no(?! (?:interval |significant )*change)|not|without|absence of|"
    r"free of|negative for|nor|neither|rules? out|excludes?)\b"
)
"""Denies every finding after it in its part of the sentence."""

DENIED_AFTER = re.compile(
    r"\b(?:(?:is|are|was|were) (?:absent|excluded|ruled out)|"
    r"not (?:seen|identified|present|visible|detected|found|evident|demonstrated))\b"
)
"""Denies the findings before it in its part of the sentence."""

TURNS = re.compile(r";|\b(?:but|however|although|except|apart from|there (?:is|are)|otherwise)\b|, (?=an? )")
"""Where a denial ends."""

SIZE = re.compile(r"(\d+(?:\.\d+)?(?: ?(?:mm|cm)? ?(?:x|by) ?\d+(?:\.\d+)?)*) ?(mm|cm)\b")
"""Extents in mm or cm."""

NUMBER = re.compile(r"\d+(?:\.\d+)?")
