from pathlib import Path

import pytest

from dicom_node.config import Config, load, parse
from dicom_node.errors import ConfigError

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"


def test_example_is_valid_and_names_a_rule() -> None:
    config = load(EXAMPLE)
    assert config.rule[0].algorithms == ("brain-lesions",)
    assert config.rule[0].destinations == ("pacs",)


@pytest.mark.parametrize("table", ["node", "listener", "database", "closing", "inference", "log"])
def test_example_states_every_default(table: str) -> None:
    stated = getattr(load(EXAMPLE), table)
    assert stated == getattr(Config(), table)
    assert set(stated.model_fields_set) == set(type(stated).model_fields), f"[{table}] lacks keys in the example"


@pytest.mark.parametrize("table", ["caller", "destination"])
def test_example_holds_every_key_of_lists(table: str) -> None:
    (entry,) = getattr(load(EXAMPLE), table)
    assert set(entry.model_fields_set) == set(type(entry).model_fields)


def test_example_mentions_every_match_field() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    match = load(EXAMPLE).rule[0].match
    assert [name for name in type(match).model_fields if name not in text] == ["maximum_slices"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[listener]\nquiet_period = 3", "[listener] has no key 'quiet_period'; known keys: extra_sop_classes, host,"),
        ("nope = 1", "the configuration has no key 'nope'; known keys: caller, closing"),
        ("[listener]\nport = 70000", "[listener] port = 70000: Input should be less than or equal to 65535"),
        ('[node]\nae_title = "12345678901234567"', "an AE title is 1 to 16 printable ASCII characters"),
        (
            '[[rule]]\nname = "a"\nalgorithms = ["x"]\ndestinations = ["p"]',
            "destinations that are not there: p; known: none",
        ),
        ('[[rule]]\nname = "a"\nalgorithms = ["x"]\nmatch = {foo = 1}', "[[rule.match]] no. 1 has no key 'foo'"),
        (
            '[[rule]]\nname = "a"\nalgorithms = ["x"]\nmatch = {protocol_name = {pattern = "("}}',
            "not a regular expression",
        ),
        ('[[caller]]\nae_title = "A"\naddress = "300.1.1.1"', "[[caller]] no. 1 address"),
        ('[inference]\nproviders = ["gpu"]', "[inference] providers"),
        ('[node]\nlanguage = "fr"', "[node] language = 'fr': Input should be 'en' or 'de'"),
        ("[closing\n", "not TOML"),
    ],
)
def test_wrong_configuration_is_refused_by_name(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert sentence in str(caught.value)


def test_every_fault_has_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("[listener]\nport = -1\nwrong = 2\n[closing]\nquiet_period_s = 0")
    assert len(str(caught.value).splitlines()) == 3


def test_names_used_twice_are_refused() -> None:
    entry = '[[destination]]\nname = "p"\nae_title = "P"\nhost = "h"\nport = 1\n'
    with pytest.raises(ConfigError, match=r"\[\[destination\]\] name used twice: p"):
        parse(entry + entry)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        load(tmp_path / "absent.toml")


def test_reading_digest_changes_only_with_what_changes_a_result() -> None:
    plain = parse("")
    assert parse("[listener]\nport = 104").reading_digest == plain.reading_digest
    assert parse("[inference]\nallow_synthetic = true").reading_digest != plain.reading_digest
    assert parse('[node]\nlanguage = "de"').reading_digest != plain.reading_digest
