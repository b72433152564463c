"""`keyhouse lexicon`: try the words that are watched for, see how a verdict came about, check and accept a change."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import Console

from keyhouse.core.matching.judgement import judge
from keyhouse.core.matching.lexicon import CompiledLexicon, ContextLine
from keyhouse.settings.faults import faults_of
from keyhouse.settings.house import FILE, load_house
from keyhouse.settings.lexicon_file import ContextLineShape
from keyhouse.settings.lexicon_versions import accept as keep_accepted
from keyhouse.settings.lexicon_versions import accepted_versions, folder_of
from keyhouse.settings.lexicons import default_lexicon_directory, load_compiled_lexicon
from provisioning.answers import Failure, answer, invocation, now, open_house
from provisioning.lexicon_check import Examined, examine
from provisioning.lexicon_explanation import explained, print_explanation, verdict

app = typer.Typer(no_args_is_help=True)

Lexicons = Annotated[
    Path | None,
    typer.Option("--lexicons", help="The folder of lexicon files; without it, the house's or those that came along."),
]


class TriedMessage(BaseModel):
    """One line to try: a message, and what was said before it."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    id: str | int
    text: str
    context: list[ContextLineShape] = []


@app.callback()
def lexicon() -> None:
    """Try, check and accept the words that are watched for."""


@app.command("try")
def try_messages(
    ctx: typer.Context,
    jsonl: Annotated[str, typer.Option("--jsonl", help="A file with one JSON object per line; - reads stdin.")],
    lexicons: Lexicons = None,
) -> None:
    """Judge each message of a file; prints one JSON object per line, in the same order."""
    compiled = _lexicon(ctx, lexicons)
    for message in _messages(jsonl):
        context = [ContextLine(line.sender, line.text) for line in message.context]
        judgement = judge(message.text, compiled, context)
        sys.stdout.write(json.dumps({"id": message.id, **verdict(judgement)}) + "\n")


@app.command()
def explain(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="A message, in quotes.")],
    lexicons: Lexicons = None,
) -> None:
    """Show how a verdict came about: each rule met, what filled it, and what changed it."""
    judgement = judge(text, _lexicon(ctx, lexicons))
    answer(explained(judgement, text), lambda console: print_explanation(console, judgement, text))


@app.command()
def check(
    ctx: typer.Context,
    lexicons: Lexicons = None,
    waived_by: Annotated[
        str | None, typer.Option("--waived-by", help="Who answers for urgent cases that are lost; a clinician's name.")
    ] = None,
) -> None:
    """Try a changed lexicon on its examples, cases and ordinary talk, and say what changed; puts nothing in force."""
    found = examine(_proposed(ctx, lexicons), _in_force(ctx), waived_by)
    answer({"ok": not found.problems, **asdict(found)}, lambda console: _print_examined(console, found))
    if found.problems:
        raise Failure(f"{len(found.problems)} things do not hold; correct the rules or the examples named above")


@app.command()
def accept(
    ctx: typer.Context,
    by: Annotated[str, typer.Option("--by", help="Who accepts it: the name of the person who answers for it.")],
    lexicons: Lexicons = None,
    version: Annotated[
        str | None, typer.Option("--version", help="The version that `lexicon check` showed; refused if it is another.")
    ] = None,
    waived: Annotated[bool, typer.Option("--waive", help="Accept it although urgent cases are lost.")] = False,
) -> None:
    """Put a checked lexicon in force: the watcher takes it over between two messages."""
    if not by.strip():
        raise Failure('nobody is named; say who accepts it, for example --by "Dr A. Example"')
    house = open_house(ctx)
    directory = _proposed(ctx, lexicons)
    found = examine(directory, _in_force(ctx), by if waived else None)
    if version is not None and not found.fingerprint.startswith(version):
        raise Failure(f"the files are no longer version {version}; look at `keyhouse lexicon check` again")
    if found.problems:
        for problem in found.problems:
            sys.stderr.write(problem + "\n")
        raise Failure(f"{len(found.problems)} things do not hold, each on a line above; nothing was put in force")
    acceptance = keep_accepted(house.directory.root, directory, found.fingerprint, by.strip(), now())
    detail: dict[str, str | int] = {"version": acceptance.name, "rules": found.rules, "waived": len(found.lost_urgent)}
    with house.store.writing() as tx:
        tx.audit.append("lexicon.accepted", actor=acceptance.by, detail=detail, now=acceptance.at)
    document = {"version": acceptance.name, "by": acceptance.by, "at": acceptance.at, "changes": found.changes}
    answer(document, lambda console: console.print(f"Version {acceptance.name} is in force.", markup=False))


def _lexicon(ctx: typer.Context, directory: Path | None) -> CompiledLexicon:
    return load_compiled_lexicon(directory or _in_force(ctx) or _proposed(ctx, None))


def _proposed(ctx: typer.Context, directory: Path | None) -> Path:
    """The folder that people edit."""
    data = invocation(ctx).directory.root
    if directory is None and (data / FILE).exists():
        return load_house(data).config / "lexicons"
    return directory or default_lexicon_directory()


def _in_force(ctx: typer.Context) -> Path | None:
    """The folder of the version that the house's watcher judges with; None when it has accepted none."""
    data = invocation(ctx).directory.root
    versions = accepted_versions(data)
    return folder_of(data, versions[-1]) if versions else None


def _print_examined(console: Console, found: Examined) -> None:
    kept = [f"{name}: {said}" for name, said in found.figures.items() if isinstance(said, str)]
    changes = [f"  {sentence}" for sentence in found.changes]
    lines = [
        *found.problems,
        *(f"warning: {warning}" for warning in found.warnings),
        *found.notes,
        *kept,
        *(["Against the version in force:", *changes] if changes else []),
        f"Version {found.fingerprint[:12]}: {found.rules} rules"
        + ("." if found.problems else " do what their examples say.")
        + ("" if found.clinically_reviewed else " Not clinically reviewed."),
    ]
    console.print("\n".join(lines), markup=False)


def _messages(named: str) -> Iterator[TriedMessage]:
    with ExitStack() as stack:
        for number, line in enumerate(_opened(named, stack), start=1):
            if line.strip():
                yield _message(number, line)


def _opened(named: str, stack: ExitStack) -> BinaryIO:
    if named == "-":
        return sys.stdin.buffer
    try:
        return stack.enter_context(Path(named).open("rb"))
    except OSError as error:
        raise Failure(
            f"{named} cannot be read ({error.strerror}); name a file with one JSON object per line"
        ) from error


def _message(number: int, line: bytes) -> TriedMessage:
    try:
        written = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Failure(f'line {number}: is not JSON; write {{"id": …, "text": …}} on one line') from error
    try:
        return TriedMessage.model_validate(written)
    except ValidationError as error:
        raise Failure(f"line {number}: {faults_of('', error)[0]}; each line needs id and text") from error
