"""What a sentence may say is seen: kinds of finding in a tree, their English terms and their codes."""

import re
from typing import Literal

Relation = Literal["is", "finer", "apart", "other"]
"""Of a kind that is coded to one that is said: it is one; what is said is a finer kind of it; one excludes the other;
neither says anything of the other."""

ANYTHING = "abnormality"
"""The root: whatever is coded is one."""

_H = ("haemorrhage", "hemorrhage", "haematoma", "hematoma", "bleed", "bleeding")


def _bleeding(*adjectives: str) -> tuple[str, ...]:
    return tuple(f"{adjective} {noun}" for adjective in adjectives for noun in _H)


def _rimmed() -> tuple[str, ...]:
    return tuple(
        f"{adjective}lesion with {rim} rim"
        for adjective in ("", "dark ", "hypointense ")
        for rim in ("a bright", "bright", "a hyperintense", "hyperintense")
    )


_TREE: dict[str, tuple[str | None, tuple[str, ...]]] = {
    # kind: what it is one of, English terms; a plural is made of each
    ANYTHING: (None, (ANYTHING, "abnormal finding", "pathological finding", "finding", "pathology", "anomaly")),
    "lesion": (ANYTHING, ("lesion", "focal lesion")),
    "hyperintense lesion": ("lesion", ("hyperintense lesion", "bright lesion")),
    "hypointense lesion": ("lesion", ("hypointense lesion", "dark lesion")),
    "ring lesion": ("lesion", ("ring lesion", "ring shaped lesion", "ring like lesion", "rim lesion", *_rimmed())),
    "mass": ("lesion", ("mass", "space occupying lesion", "mass lesion")),
    "nodule": ("lesion", ("nodule",)),
    "cyst": ("lesion", ("cyst", "cystic lesion")),
    "neoplasm": ("mass", ("neoplasm", "tumour", "tumor", "neoplastic lesion")),
    "malignancy": ("neoplasm", ("malignancy", "cancer", "malignant tumour", "malignant tumor", "malignant neoplasm")),
    "glioma": ("neoplasm", ("glioma",)),
    "glioblastoma": ("glioma", ("glioblastoma", "high grade glioma")),
    "astrocytoma": ("glioma", ("astrocytoma",)),
    "oligodendroglioma": ("glioma", ("oligodendroglioma",)),
    "low grade glioma": ("glioma", ("low grade glioma",)),
    "meningioma": ("neoplasm", ("meningioma", "intracranial meningioma")),
    "adenoma": ("neoplasm", ("adenoma",)),
    "pituitary adenoma": ("adenoma", ("pituitary adenoma", "adenoma of the pituitary", "hypophyseal adenoma")),
    "macroadenoma": ("pituitary adenoma", ("macroadenoma", "pituitary macroadenoma")),
    "microadenoma": ("pituitary adenoma", ("microadenoma", "pituitary microadenoma")),
    "metastasis": ("neoplasm", ("metastasis", "brain metastasis", "cerebral metastasis")),
    "lymphoma": ("neoplasm", ("lymphoma",)),
    "schwannoma": ("neoplasm", ("schwannoma", "acoustic neuroma")),
    "craniopharyngioma": ("neoplasm", ("craniopharyngioma",)),
    "medulloblastoma": ("neoplasm", ("medulloblastoma",)),
    "haemorrhage": ("lesion", _H),
    "cerebral haemorrhage": (
        "haemorrhage",
        _bleeding("cerebral", "intracerebral", "intraparenchymal", "parenchymal", "brain"),
    ),
    "subdural haemorrhage": ("haemorrhage", _bleeding("subdural")),
    "epidural haemorrhage": ("haemorrhage", _bleeding("epidural", "extradural")),
    "subarachnoid haemorrhage": ("haemorrhage", _bleeding("subarachnoid")),
    "intraventricular haemorrhage": ("haemorrhage", _bleeding("intraventricular", "ventricular")),
    "microbleed": ("haemorrhage", ("microbleed", "microhaemorrhage", "microhemorrhage")),
    "vascular malformation": ("lesion", ("vascular malformation",)),
    "cavernoma": (
        "vascular malformation",
        (
            "cavernoma",
            "cavernous malformation",
            "cerebral cavernous malformation",
            "cavernous angioma",
            "cavernous hemangioma",
            "cavernous haemangioma",
        ),
    ),
    "arteriovenous malformation": ("vascular malformation", ("arteriovenous malformation",)),
    "aneurysm": ("lesion", ("aneurysm",)),
    "infarct": ("lesion", ("infarct", "infarction", "stroke", "ischaemic stroke", "ischemic stroke")),
    "abscess": ("lesion", ("abscess",)),
    "demyelination": ("lesion", ("demyelination", "demyelinating lesion")),
    "oedema": (ANYTHING, ("oedema", "edema")),
    "fracture": (ANYTHING, ("fracture",)),
    "effusion": (ANYTHING, ("effusion",)),
    "pleural effusion": ("effusion", ("pleural effusion",)),
    "hydrocephalus": (ANYTHING, ("hydrocephalus",)),
    "mass effect": (ANYTHING, ("mass effect",)),
    "midline shift": (ANYTHING, ("midline shift", "shift of the midline")),
    "enhancement": (ANYTHING, ("enhancement",)),
    "calcification": (ANYTHING, ("calcification",)),
    "atrophy": (ANYTHING, ("atrophy",)),
    "pneumothorax": (ANYTHING, ("pneumothorax",)),
    "consolidation": (ANYTHING, ("consolidation",)),
}
_SIGNALS = ("hyperintense lesion", "hypointense lesion", "ring lesion")
"""By signal alone: one excludes the other, and neither says what the lesion is."""

_DIAGNOSES = ("neoplasm", "haemorrhage", "vascular malformation", "aneurysm", "infarct", "abscess", "demyelination")

_CODES = {
    ("SCT", "52988006"): "lesion",
    ("99DICOMNODE", "hyperintense-lesion"): "hyperintense lesion",
    ("99DICOMNODE", "hypointense-lesion"): "hypointense lesion",
    ("99DICOMNODE", "ring-lesion"): "ring lesion",
    ("SCT", "4147007"): "mass",
    ("SCT", "27925004"): "nodule",
    ("SCT", "108369006"): "neoplasm",
    ("SCT", "393564001"): "glioma",
    ("SCT", "302820008"): "meningioma",
    ("SCT", "254956000"): "pituitary adenoma",
    ("SCT", "50960005"): "haemorrhage",
    ("SCT", "274100004"): "cerebral haemorrhage",
    ("SCT", "416824008"): "cavernoma",
    ("SCT", "79654002"): "oedema",
    ("SCT", "60046008"): "pleural effusion",
}


def kind_of(scheme: str, value: str) -> str | None:
    """The kind that a code names; None for a code that is not in the table."""
    return _CODES.get((scheme, value))


def relation(coded: str | None, said: str) -> Relation:
    """How what is coded stands to what is said; a code without a kind is an abnormality and nothing else."""
    if said == ANYTHING or (coded is not None and said in _above(coded)):
        return "is"
    if coded is None:
        return "other"
    if coded in _above(said):
        return "finer"
    both = (coded in _SIGNALS and said in _SIGNALS) or (_is_diagnosis(coded) and _is_diagnosis(said))
    return "apart" if both else "other"


def siblings(one: str | None, other: str) -> bool:
    """Whether both are kinds of neoplasm, of bleeding or of signal, and so answers to one question."""
    return (one in _SIGNALS and other in _SIGNALS) or (
        one is not None
        and any(branch in _above(one) and branch in _above(other) for branch in ("neoplasm", "haemorrhage"))
    )


def terms() -> dict[str, tuple[str, bool]]:
    """Every term, in lower case: its kind, and whether it stands in the plural."""
    found = {}
    for kind, (_, names) in _TREE.items():
        for name in names:
            found[name] = (kind, False)
            found[_plural(name)] = (kind, True)
    return found


def _plural(name: str) -> str:
    noun = re.split(r" (?:of|with) ", name)[0]
    head, _, last = noun.rpartition(" ")
    if last.endswith("sis"):
        last = last[:-2] + "es"
    elif last.endswith("y"):
        last = last[:-1] + "ies"
    elif last.endswith("s"):
        last += "es"
    else:
        last += "s"
    return f"{head} {last}".strip() + name[len(noun) :]


def _above(kind: str) -> frozenset[str]:
    """The kind and all that it is a kind of."""
    found = []
    step: str | None = kind
    while step is not None:
        found.append(step)
        step = _TREE[step][0]
    return frozenset(found)


def _is_diagnosis(kind: str) -> bool:
    return any(one in _above(kind) for one in _DIAGNOSES)
