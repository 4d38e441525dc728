from itertools import product

import pytest

from dicom_node.config import CallerTable
from dicom_node.intake.callers import refusal

CALLERS = (
    CallerTable.model_validate({"ae_title": "PACS", "address": "10.1.2.3"}),
    CallerTable.model_validate({"ae_title": "CT1", "address": "10.9.0.0/16"}),
    CallerTable.model_validate({"ae_title": "CT1", "address": "fd00::/8"}),
)


def diagnostic(called: str, calling: str, address: str) -> int | None:
    """3 or 7 as A-ASSOCIATE-RJ says it; None where the caller may come in."""
    refused = refusal(called_ae=called, calling_ae=calling, address=address, ae_title="NODE", callers=CALLERS[:1])
    return refused.diagnostic if refused else None


def test_of_all_combinations_exactly_one_is_let_in() -> None:
    table = {
        (called, calling, address): diagnostic(called, calling, address)
        for called, calling, address in product(("NODE", "OTHER"), ("PACS", "EVIL"), ("10.1.2.3", "10.1.2.4"))
    }
    assert [row for row, answer in table.items() if answer is None] == [("NODE", "PACS", "10.1.2.3")]
    assert all(answer == 7 for (called, _, _), answer in table.items() if called != "NODE")
    assert all(answer in (3, None) for (called, _, _), answer in table.items() if called == "NODE")


@pytest.mark.parametrize(
    ("calling", "address", "welcome"),
    [
        ("CT1", "10.9.255.1", True),
        ("CT1", "fd12::1", True),
        ("CT1", "::ffff:10.9.0.1", True),
        (" CT1 ", "10.9.0.1", True),
        ("CT1", "10.1.2.3", False),
        ("PACS", "10.9.0.1", False),
        ("ct1", "10.9.0.1", False),
        ("CT1", "fe80::1", False),
        ("CT1", "fd12::1%eth0", True),
        ("CT1", "", False),
        ("CT1", "10.9.0.1 or 1=1", False),
        ("", "10.9.0.1", False),
    ],
)
def test_title_and_address_must_fit_together(calling: str, address: str, welcome: bool) -> None:  # noqa: FBT001
    refused = refusal(called_ae="NODE", calling_ae=calling, address=address, ae_title="NODE", callers=CALLERS)
    assert (refused is None) is welcome


def test_without_callers_nobody_is_let_in() -> None:
    assert refusal(called_ae="NODE", calling_ae="PACS", address="127.0.0.1", ae_title="NODE", callers=()) is not None
