"""Where a sentence may say something lies: parts of the body in a tree, their English terms and their codes."""

from typing import Literal

Fit = Literal["yes", "unknown", "no"]

_TREE: dict[str, tuple[str | None, tuple[str, ...]]] = {
    # place: what it is a part of, English terms
    "body": (None, ()),
    "head": ("body", ("head", "intracranial", "intracranially", "cranial")),
    "brain": ("head", ("brain", "intra axial", "brain parenchyma")),
    "cerebrum": (
        "brain",
        ("cerebrum", "cerebral", "cerebral hemisphere", "hemisphere", "supratentorial", "supratentorially"),
    ),
    "frontal lobe": ("cerebrum", ("frontal lobe", "frontal", "frontally")),
    "parietal lobe": ("cerebrum", ("parietal lobe", "parietal", "parietally")),
    "temporal lobe": ("cerebrum", ("temporal lobe", "temporal", "temporally")),
    "occipital lobe": ("cerebrum", ("occipital lobe", "occipital", "occipitally")),
    "insula": ("cerebrum", ("insula", "insular")),
    "hippocampus": ("temporal lobe", ("hippocampus", "hippocampal")),
    "corpus callosum": ("cerebrum", ("corpus callosum", "callosal")),
    "thalamus": ("cerebrum", ("thalamus", "thalamic", "thalami")),
    "basal ganglia": ("cerebrum", ("basal ganglia", "basal ganglion")),
    "caudate": ("basal ganglia", ("caudate", "caudate nucleus")),
    "putamen": ("basal ganglia", ("putamen", "putaminal")),
    "pallidum": ("basal ganglia", ("pallidum", "globus pallidus")),
    "posterior fossa": ("brain", ("posterior fossa", "infratentorial", "infratentorially")),
    "cerebellum": ("posterior fossa", ("cerebellum", "cerebellar", "cerebellar hemisphere")),
    "vermis": ("cerebellum", ("vermis", "cerebellar vermis")),
    "brain stem": ("posterior fossa", ("brain stem", "brainstem")),
    "midbrain": ("brain stem", ("midbrain", "mesencephalon")),
    "pons": ("brain stem", ("pons", "pontine")),
    "medulla": ("brain stem", ("medulla", "medulla oblongata")),
    "ventricle": ("brain", ("ventricle", "ventricles", "lateral ventricle", "ventricular system", "third ventricle")),
    "pituitary": ("brain", ("pituitary", "pituitary gland", "sella", "sellar", "sella turcica", "hypophysis")),
    "meninges": ("brain", ("meninges", "meningeal", "dura", "dural")),
    "skull": ("head", ("skull", "calvarium", "calvaria")),
    "orbit": ("head", ("orbit", "orbital")),
    "neck": ("body", ("neck", "cervical")),
    "chest": ("body", ("chest", "thorax", "thoracic")),
    "lung": ("chest", ("lung", "lungs", "pulmonary")),
    "pleura": ("chest", ("pleura", "pleural")),
    "heart": ("chest", ("heart", "cardiac")),
    "abdomen": ("body", ("abdomen", "abdominal")),
    "liver": ("abdomen", ("liver", "hepatic")),
    "kidney": ("abdomen", ("kidney", "kidneys", "renal")),
    "spleen": ("abdomen", ("spleen", "splenic")),
    "pancreas": ("abdomen", ("pancreas", "pancreatic")),
    "spine": ("body", ("spine", "spinal", "spinal cord")),
}

_CODES = {
    ("SCT", "69536005"): "head",
    ("SCT", "12738006"): "brain",
    ("SCT", "83251001"): "frontal lobe",
    ("SCT", "16630005"): "parietal lobe",
    ("SCT", "78277001"): "temporal lobe",
    ("SCT", "31065004"): "occipital lobe",
    ("SCT", "5366008"): "hippocampus",
    ("SCT", "42695009"): "thalamus",
    ("99DICOMNODE", "basal-ganglia"): "basal ganglia",
    ("SCT", "113305005"): "cerebellum",
    ("SCT", "119238007"): "brain stem",
    ("SCT", "35764002"): "ventricle",
    ("SCT", "66720007"): "ventricle",
    ("SCT", "56329008"): "pituitary",
    ("SCT", "1231004"): "meninges",
    ("SCT", "89546000"): "skull",
    ("SCT", "39607008"): "lung",
    ("SCT", "10200004"): "liver",
    ("SCT", "64033007"): "kidney",
}


def place_of(scheme: str, value: str) -> str | None:
    """The place that a code names; None for a code that is not in the table."""
    return _CODES.get((scheme, value))


def lies_in(coded: str | None, said: str) -> Fit:
    """Whether what is coded to lie in one place lies in the other; unknown where that is a part of the first."""
    if coded is None:
        return "unknown"
    if said in _above(coded):
        return "yes"
    return "unknown" if coded in _above(said) else "no"


def terms() -> dict[str, str]:
    """Every term, in lower case, and its place; lobes and hemispheres in the plural too."""
    found = {}
    for place, (_, names) in _TREE.items():
        for name in names:
            found[name] = place
            if name.endswith((" lobe", "hemisphere")):
                found[f"{name}s"] = place
    return found


def _above(place: str) -> frozenset[str]:
    found = []
    step: str | None = place
    while step is not None:
        found.append(step)
        step = _TREE[step][0]
    return frozenset(found)
