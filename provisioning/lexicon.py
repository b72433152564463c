"""`keyhouse lexicon`: try the words that are watched for, see how a verdict came about, run their examples."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import Console

from keyhouse.core.matching.examples import failing_examples
from keyhouse.core.matching.judgement import Judgement, judge
from keyhouse.core.matching.lexicon import CompiledLexicon, ContextLine
from keyhouse.settings.faults import faults_of
from keyhouse.settings.lexicon_file import ContextLineShape
from keyhouse.settings.lexicons import default_lexicon_directory, load_compiled_lexicon
from provisioning.answers import Failure, answer

app = typer.Typer(no_args_is_help=True)

Lexicons = Annotated[
    Path | None, typer.Option("--lexicons", help="The folder of lexicon files; without it, the ones that came along.")
]


class TriedMessage(BaseModel):
    """One line to try: a message, and what was said before it."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    id: str | int
    text: str
    context: list[ContextLineShape] = []


@app.callback()
def lexicon() -> None:
    """Try and check the words that are watched for."""


@app.command("try")
def try_messages(
    jsonl: Annotated[str, typer.Option("--jsonl", help="A file with one JSON object per line; - reads stdin.")],
    lexicons: Lexicons = None,
) -> None:
    """Judge each message of a file; prints one JSON object per line, in the same order."""
    compiled = _lexicon(lexicons)
    for message in _messages(jsonl):
        context = [ContextLine(line.sender, line.text) for line in message.context]
        judgement = judge(message.text, compiled, context)
        sys.stdout.write(json.dumps({"id": message.id, **_verdict(judgement)}) + "\n")


@app.command()
def explain(text: Annotated[str, typer.Argument(help="A message, in quotes.")], lexicons: Lexicons = None) -> None:
    """Show how a verdict came about: each rule met, what filled it, and what changed it."""
    judgement = judge(text, _lexicon(lexicons))
    answer(_explanation(judgement, text), lambda console: _print_explanation(console, judgement, text))


@app.command()
def check(lexicons: Lexicons = None) -> None:
    """Try every rule with its own examples; fails if one does not do what it says."""
    compiled = _lexicon(lexicons)
    problems = list(failing_examples(compiled))
    reviewed = "" if compiled.clinically_reviewed else " Not clinically reviewed."
    words = "\n".join(problems) or f"{len(compiled.rules)} rules do what their examples say.{reviewed}"
    document = {"ok": not problems, "problems": problems, "clinically_reviewed": compiled.clinically_reviewed}
    answer(document, lambda console: console.print(words, markup=False))
    if problems:
        raise Failure(f"{len(problems)} examples do not hold; correct the rules or the examples named above")


def _lexicon(directory: Path | None) -> CompiledLexicon:
    return load_compiled_lexicon(directory or default_lexicon_directory())


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


def _verdict(judgement: Judgement) -> dict[str, Any]:
    return {
        "urgency": judgement.urgency.value,
        "category": judgement.category,
        "rules": list(judgement.rules),
        "spans": [list(span) for span in judgement.spans],
        "changed_by": list(judgement.changed_by),
    }


def _explanation(judgement: Judgement, text: str) -> dict[str, Any]:
    findings = [
        {
            "rule": finding.rule,
            "lexicon": finding.lexicon,
            "version": finding.version,
            "urgency": finding.urgency.value,
            "rule_urgency": finding.rule_urgency.value,
            "words": text[slice(*finding.span)],
            "slots": [{"slot": slot, "words": text[slice(*span)], "span": list(span)} for slot, span in finding.slots],
            "changes": [
                {"by": each.modifier, "words": text[slice(*each.span)], "from": each.before.value,
                 "to": each.after.value, "without": each.without.value}
                for each in finding.changes
            ],
        }
        for finding in judgement.findings
    ]  # fmt: skip
    return {**_verdict(judgement), "findings": findings, "without": {name: u.value for name, u in judgement.without}}


def _print_explanation(console: Console, judgement: Judgement, text: str) -> None:
    explained = _explanation(judgement, text)
    lines = [f"{judgement.urgency.value}" + (f" ({judgement.category})" if judgement.category else "")]
    for finding in explained["findings"]:
        lines.append(f'{finding["rule"]} of {finding["lexicon"]} {finding["version"]}: "{finding["words"]}"')
        lines += [f'  {slot["slot"]}: "{slot["words"]}"' for slot in finding["slots"]]
        lines += [f'  {each["by"]} ("{each["words"]}"): {each["from"]} → {each["to"]}' for each in finding["changes"]]
        lines.append(f"  urgency: {finding['urgency']}")
    console.print("\n".join(lines) if judgement.findings else "none: no rule was met", markup=False)
