"""Options that several commands share, and what the exit codes say."""

from pathlib import Path
from typing import Annotated

import typer

EXIT_NO = 1
"""The answer is no: a check failed, nothing was found."""

EXIT_WRONG_USE = 2
"""Wrong use, a wrong configuration among it."""

ConfigOption = Annotated[
    Path, typer.Option("--config", help="The node's TOML file; see config.example.toml.", metavar="FILE")
]
OptionalConfig = Annotated[
    Path | None,
    typer.Option("--config", help="Settings of [inference]; default: those of the example.", metavar="FILE"),
]
StudyArgument = Annotated[
    str, typer.Argument(metavar="STUDY", help="Study Instance UID, or the pseudonym `studies` shows.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
