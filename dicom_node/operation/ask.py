"""`dicom-node ask`: a question at its prompt or on stdin, the answer as it is written, and then with its marks."""

import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from dicom_node.config import Config
from dicom_node.operation import report
from dicom_node.operation.administration import administrators_ledger, check_owner
from dicom_node.operation.options import EXIT_NO, ConfigOption, JsonOption, StudyArgument
from dicom_node.operation.waiting import Pieces, answer_to
from dicom_node.operation.withdrawal import user
from dicom_node.reading.admission import bundles_dir
from dicom_node.records.questions import NewQuestion, QuestionNow
from dicom_node.study import Outcome
from inference.asked import LONGEST_QUESTION, Mode
from inference.catalogue import speakers

WAIT_S = 60.0
"""How long a question waits for a worker, where none is at work."""

_ALGORITHM = "--algorithm"


def ask(
    study: StudyArgument,
    config: ConfigOption,
    algorithm: Annotated[
        str | None,
        typer.Option(help="Bundle that is to answer. Default: the one that speaks.", metavar="NAME"),
    ] = None,
    goes_on: Annotated[bool, typer.Option("--continue", help="Go on from the last question of this study.")] = False,  # noqa: FBT002
    compare: Annotated[  # noqa: FBT002
        bool, typer.Option("--compare", help="Ask three times: of the image alone, with what was found, step by step.")
    ] = False,
    wait: Annotated[
        float, typer.Option(help="How long to wait for a worker, s, where none is at work.", min=1)
    ] = WAIT_S,
    json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Ask about a study: the question at the prompt or on stdin; the running worker answers, the exchange is kept."""
    with administrators_ledger(config) as (settings, ledger):
        check_owner(settings)
        line = ledger.find_study(study)
        name = speaker(settings, algorithm)
        text = _typed()
        shown = _Shown(quiet=json)
        new = NewQuestion(
            study_uid=line.study_instance_uid,
            algorithm=name,
            text=text,
            compare=compare,
            goes_on=goes_on,
            line="",
            user=user(),
        )
        try:
            now = answer_to(new, ledger, settings, shown, wait_s=wait)
        except KeyboardInterrupt:
            typer.echo("\ngiven up; nothing was kept", err=True)
            raise typer.Exit(EXIT_NO) from None
    told = told_of(line.study_instance_uid, name, now)
    typer.echo(report.as_json(told)) if json else _show(Console(highlight=False), told)
    raise typer.Exit(0 if now.outcome == Outcome.RESULT else EXIT_NO)


def speaker(settings: Config, wanted: str | None) -> str:
    """The bundle that is to answer: the one that is wanted, else the only one that a rule names, else the site's own.

    Raises
    ------
    typer.BadParameter
        If none is known, the one that is wanted does not speak, or it is not clear which is meant.
    """
    known = speakers(bundles_dir(settings.inference))
    if wanted is not None:
        if wanted not in known and wanted.rpartition("-")[0] not in known:
            speak = ", ".join(known) or "none"
            raise typer.BadParameter(f"no bundle called {wanted!r} speaks; known: {speak}", param_hint=_ALGORITHM)
        return wanted
    ruled = dict.fromkeys(name for rule in settings.rule for name in rule.algorithms)
    own = [name for name in known if name not in speakers(None)]
    candidates = [n for n in ruled if n in known or n.rpartition("-")[0] in known] or own or list(known)
    if len(candidates) != 1:
        several = f"several bundles speak, name one: {', '.join(candidates)}"
        none = "no bundle that looks and speaks is here; `export-onnx llava` makes one"
        raise typer.BadParameter(several if candidates else none, param_hint=_ALGORITHM)
    return candidates[0]


def told_of(study_instance_uid: str, algorithm: str, now: QuestionNow) -> dict[str, Any]:
    """`ask --json`."""
    return {
        "study_instance_uid": study_instance_uid,
        "question": now.id,
        "algorithm": algorithm,
        "bundle": now.bundle,
        "digest": now.digest,
        "provider": now.provider,
        "seconds": now.seconds,
        "outcome": now.outcome,
        "reason": now.reason,
        "answers": list(now.answers),
        "objects": list(now.objects),
        "destinations": list(now.destinations),
    }


def _typed() -> str:
    """The question on one line; wrong use where there is none, or it is too long."""
    if sys.stdin.isatty():
        sys.stderr.write("Question: ")
        sys.stderr.flush()
        data = sys.stdin.buffer.readline(4 * LONGEST_QUESTION + 2)
    else:
        data = sys.stdin.buffer.read(16 * LONGEST_QUESTION)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong("the question is not UTF-8 text, or far too long") from None  # the error holds the bytes
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    if not text:
        raise _wrong("no question: type one at the prompt, or give it on stdin")
    if len(text) > LONGEST_QUESTION:
        raise _wrong(f"the question is too long: {LONGEST_QUESTION} characters at most")
    return text


def _wrong(what: str) -> typer.BadParameter:
    return typer.BadParameter(what, param_hint="question")


class _Shown(Pieces):
    """An answer on stdout as it comes; what happens meanwhile on stderr."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._mode: Mode | None = None

    def begin(self) -> None:
        """A worker begins to answer."""
        if self._mode is not None and not self._quiet:
            typer.echo("\nthe worker hung up; another one begins anew", err=True)
        self._mode = None

    def hear(self, mode: Mode, text: str) -> None:
        """A piece of the answer, of which nothing was checked."""
        if self._quiet:
            return
        if mode != self._mode:
            typer.echo(f"{'' if self._mode is None else chr(10)}[{mode}, not checked yet]")
            self._mode = mode
        typer.echo("".join(sign if sign.isprintable() else " " for sign in text), nl=False)

    def say(self, text: str) -> None:
        """What happens meanwhile."""
        if not self._quiet:
            typer.echo(text, err=True)


def _show(console: Console, told: dict[str, Any]) -> None:
    """The answer with its marks, what became of it, and where it is kept."""
    console.print()
    for answer in told["answers"]:
        console.print(f"\n{answer['mode']}", style="bold", markup=False)
        for line in (*answer["notes"], *answer["marked"]):
            console.print(f"  {line}", markup=False, soft_wrap=True)
    if told["reason"]:
        console.print(told["reason"], markup=False, soft_wrap=True)
    if told["objects"]:
        where = f", for {', '.join(told['destinations'])}" if told["destinations"] else ", for no destination"
        console.print(f"kept as {', '.join(told['objects'])}{where}", markup=False, soft_wrap=True)
