"""TOML to frozen values: one model for each table of config.example.toml, rules and destination profiles among them.

An unknown key stops the start and the message names the keys that are known; nothing is repaired.
"""

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, IPvAnyNetwork, ValidationError, model_validator

from dicom_node.errors import ConfigError
from dicom_node.study import Language


def _ae_title(value: str) -> str:
    # PS3.5 6.2, VR AE: at most 16 characters, no backslash, no control characters, not only blanks
    if not 1 <= len(value.strip()) <= 16 or not value.isascii() or not value.isprintable() or "\\" in value:
        raise ValueError("an AE title is 1 to 16 printable ASCII characters without backslash")
    return value.strip()


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return value


AETitle = Annotated[str, AfterValidator(_ae_title)]
Seconds = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NodeTable(_Table):
    """[node]"""

    ae_title: AETitle = "DICOMNODE"
    state_dir: Path = Path("/var/lib/dicom-node")
    language: Language = "en"


class ListenerTable(_Table):
    """[listener]"""

    host: str = "127.0.0.1"
    port: Port = 11112
    maximum_associations: int = Field(default=20, ge=1, le=200)
    maximum_pdu_bytes: int = Field(default=131072, ge=4096, le=131072)
    maximum_instance_bytes: int = Field(default=2**31, ge=2**20)
    network_timeout_s: Seconds = 30.0
    extra_sop_classes: tuple[str, ...] = ()
    minimum_free_bytes: int = Field(default=5 * 2**30, ge=0)


class DatabaseTable(_Table):
    """[database]"""

    url: str = ""
    busy_timeout_s: Seconds = 30.0


class ClosingTable(_Table):
    """[closing]"""

    quiet_period_s: Seconds = 60.0
    longest_wait_s: Seconds = 3600.0
    modality: dict[str, Seconds] = {}


class CallerTable(_Table):
    """[[caller]]"""

    ae_title: AETitle
    address: IPvAnyNetwork


class DestinationTable(_Table):
    """[[destination]]"""

    name: Name
    ae_title: AETitle
    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)
    profile: Literal["auto", "generic", "ohif", "weasis", "slicer", "stone"] = "auto"
    segmentation: Literal["auto", "BINARY", "LABELMAP", "FRACTIONAL"] = "auto"
    secondary_capture: bool = False
    connect_timeout_s: Seconds = 10.0
    response_timeout_s: Seconds = 30.0
    maximum_attempts: int = Field(default=40, ge=1)
    first_delay_s: Seconds = 5.0
    longest_delay_s: Seconds = 1800.0

    @property
    def asked(self) -> bool:
        """Whether it is asked what it takes; `generic` is for one that must not be, or whose answer misleads."""
        return self.profile != "generic"


class Pattern(_Table):
    """{ pattern = "..." }: a regular expression, searched without regard to case."""

    pattern: Annotated[str, AfterValidator(_pattern)]


class Match(_Table):
    """[rule.match]: every field given must fit."""

    modality: str | None = None
    body_part: str | None = None
    series_description: Pattern | None = None
    protocol_name: Pattern | None = None
    calling_ae: str | None = None
    contrast: bool | None = None
    minimum_slices: int | None = Field(default=None, ge=1)
    maximum_slices: int | None = Field(default=None, ge=1)


class RuleTable(_Table):
    """[[rule]]"""

    name: Name
    algorithms: tuple[Name, ...] = Field(min_length=1)
    destinations: tuple[Name, ...] = ()
    required_series: tuple[Match, ...] = ()
    match: Match = Match()


class InferenceTable(_Table):
    """[inference]"""

    bundles_dir: str = ""
    providers: tuple[Literal["tensorrt", "cuda", "cpu"], ...] = Field(default=("cpu",), min_length=1)
    threads: int = Field(default=0, ge=0)
    allow_synthetic: bool = False
    allow_research: bool = False
    text_readers: dict[str, str] = {}
    workers: int = Field(default=1, ge=1, le=16)
    lease_s: Seconds = 120.0
    maximum_attempts: int = Field(default=3, ge=1)
    reading_timeout_s: Seconds = 1800.0
    reading_memory_bytes: int = Field(default=8 * 2**30, ge=2**30)
    host_memory_bytes: int = Field(default=16 * 2**30, ge=2**30)
    outcome_report: tuple[Literal["abstained", "failed", "not-applicable"], ...] = (
        "abstained",
        "failed",
        "not-applicable",
    )
    outcome_destinations: tuple[Name, ...] = ()


class LogTable(_Table):
    """[log]"""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Config(_Table):
    """The whole configuration, valid once made."""

    node: NodeTable = NodeTable()
    listener: ListenerTable = ListenerTable()
    database: DatabaseTable = DatabaseTable()
    closing: ClosingTable = ClosingTable()
    caller: tuple[CallerTable, ...] = ()
    destination: tuple[DestinationTable, ...] = ()
    rule: tuple[RuleTable, ...] = ()
    inference: InferenceTable = InferenceTable()
    log: LogTable = LogTable()

    @model_validator(mode="after")
    def _names_agree(self) -> "Config":
        for label, names in (
            ("destination", [d.name for d in self.destination]),
            ("rule", [r.name for r in self.rule]),
        ):
            twice = sorted({n for n in names if names.count(n) > 1})
            if twice:
                raise ValueError(f"[[{label}]] name used twice: {', '.join(twice)}")
        known = {d.name for d in self.destination}
        places = {"[inference] outcome_destinations": self.inference.outcome_destinations}
        places |= {f"[[rule]] {rule.name!r}": rule.destinations for rule in self.rule}
        for place, wanted in places.items():
            unknown = sorted(set(wanted) - known)
            if unknown:
                raise ValueError(
                    f"{place} names destinations that are not there: {', '.join(unknown)}; "
                    f"known: {', '.join(sorted(known)) or 'none'}"
                )
        return self

    @property
    def reading_digest(self) -> str:
        """sha256 of the settings that can change what a reading says; hex."""
        names = {"providers", "allow_synthetic", "allow_research", "text_readers"}
        chosen = self.inference.model_dump(mode="json", include=names)
        text = json.dumps({"inference": chosen, "language": self.node.language}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def spool_dir(self) -> Path:
        """Where received instances and results lie."""
        return self.node.state_dir / "spool"

    @property
    def keys_dir(self) -> Path:
        """Where the keys of audit chain and pseudonyms lie, mode 0700."""
        return self.node.state_dir / "keys"

    @property
    def database_url(self) -> str:
        """URL of the ledger's database."""
        return self.database.url or f"sqlite:///{self.node.state_dir / 'ledger.sqlite3'}"


def load(path: Path) -> Config:
    """Read a configuration file.

    Raises
    ------
    ConfigError
        If the file is missing, is not TOML, holds an unknown key or a value that does not fit; each fault on a line
        of its own.
    """
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}:\n{error}") from error


def parse(text: str) -> Config:
    """A configuration from TOML text; raises ConfigError as `load`."""
    try:
        return Config.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}") from error
    except ValidationError as error:
        raise ConfigError("\n".join(_sentence(e) for e in error.errors())) from error


def _sentence(error: Any) -> str:
    where = [str(part) for part in error["loc"]]
    if error["type"] == "extra_forbidden":
        table = _model_at(where[:-1])
        known = ", ".join(sorted(table.model_fields)) if table else "none"
        return f"{_heading(where[:-1])} has no key {where[-1]!r}; known keys: {known}"
    message = error["msg"].removeprefix("Value error, ")
    if not where:
        return str(message)
    return f"{_heading(where[:-1])} {where[-1]} = {error['input']!r}: {message}"


def _heading(where: list[str]) -> str:
    if not where:
        return "the configuration"
    inner = ".".join(part for part in where if not part.isdigit())
    number = next((int(part) + 1 for part in where if part.isdigit()), None)
    return f"[{inner}]" if number is None else f"[[{inner}]] no. {number}"


def _model_at(where: list[str]) -> type[BaseModel] | None:
    model: Any = Config
    for part in where:
        if part.isdigit():
            continue
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        model = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
        if model is None:
            return None
    return model  # type: ignore[no-any-return]
