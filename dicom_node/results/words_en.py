"""English: the codes' own meanings and the readers' own sentences."""

from pydicom.sr.coding import Code

from dicom_node.results.words import DraftWords, Words
from dicom_node.study import Outcome

ENGLISH = Words(
    code=Code("en", "RFC5646", "English"),
    decimal=".",
    names={},
    sided={},
    on_side="{side} {site}",
    directions={},
    of_centre="",
    probability="probability {value}",
    below="below",
    above="above",
    patterns=None,
    warning="Made by AI, not verified by a physician.",
    research="RESEARCH USE ONLY, not for diagnosis.",
    read_by="Read by {name} {version} of {maker}, sha256 {digest}, on {provider}.",
    node="Node: dicom-node {version}, {when}.",
    algorithm="Algorithm: {name}.",
    training={
        "real": "Trained on real images.",
        "synthetic-appearance": "Trained on real anatomy with synthetic appearance.",
        "synthetic-findings": "Trained on synthetic findings only.",
    },
    training_on_text={
        "real": "Trained on real reports.",
        "synthetic-appearance": "Trained on real findings in made-up reports.",
        "synthetic-findings": "Trained on made-up reports only.",
    },
    images="Images:",
    whole_study="Probability for the study as a whole: {value}.",
    nothing="The analysis was completed and reports no finding.",
    no_result={
        Outcome.ABSTAINED: "No AI result: the study does not fit what the algorithm was made for, so it was not read.",
        Outcome.FAILED: "No AI result: the analysis failed. This says nothing about the images.",
        Outcome.NOT_APPLICABLE: "No AI result: no algorithm is configured for this study.",
    },
    reason="Reason:",
    drafts=DraftWords(
        supported="Generated, agrees with {evidence}{answer}: “{text}”",
        unsupported="Generated, NO EVIDENCE IN THE IMAGES ({reason}){answer}: “{text}”",
        contradicted="Generated, CONTRADICTS {evidence} ({reason}){answer}: “{text}”",
        answer=", probability of the answer {value}",
        withheld_one="1 generated sentence was withheld: {reasons}.",
        withheld_many="{count} generated sentences were withheld: {reasons}.",
        against="{reason} contradicts {evidence}",
        segment="the empty segment {label}",
        reasons={
            "presence": "presence",
            "absence": "absence",
            "kind": "kind",
            "side": "side",
            "anatomy": "anatomy",
            "count": "count",
            "size": "size",
            "not-understood": "not understood",
            "ambiguous": "can be read in more than one way",
            "not-coded": "nothing coded speaks of it",
            "finer": "says more than was coded",
            "improbable": "coded with a probability below one half",
            "no-prior": "compares, and no earlier examination was read",
            "recommendation": "a recommendation",
        },
    ),
)
"""What English needs."""
