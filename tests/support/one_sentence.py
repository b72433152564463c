"""Writes docs/what-happens-to-one-sentence.md from a run of the real parts: `python -m tests.support.one_sentence`."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from keyhouse.core.matching.findings import Change, Finding, Span
from keyhouse.core.matching.lexicon import CompiledLexicon, ContextLine
from keyhouse.core.matching.rows import rows_of
from keyhouse.core.matching.words import Words
from keyhouse.core.outgoing import OutgoingKind
from tests.support.stories import STORIES, Run, Watching

PAGE = Path(__file__).parents[2] / "docs" / "what-happens-to-one-sentence.md"
COMMAND = ".venv/bin/python -m tests.support.one_sentence"

_HEAD = f"""# What happens to one sentence

A run of the program wrote this page. A test fails when it is no longer true; `{COMMAND}`
writes it anew. The lexicon of this run is **not clinically reviewed**. The people and the room are made up.

Every message goes the same way:

1. Its **words** are chosen: what a reader would see of it, without what a reply repeats of somebody else.
2. They are **read**. Where a word looks disguised or misspelt, they are read in further ways.
3. **Manners of speaking** take their words away.
4. **Rules** look for their slots. A slot is a list of words.
5. Other words **soften or raise** what a rule found.
6. The soonest **urgency** counts. If a human must look, a **card** goes to the care room.

How to read a card and how to change a rule stands in [For clinicians](clinicians.md).
"""
_LEAVES = {
    OutgoingKind.CARE_CARD: "this card, in the care room",
    OutgoingKind.SIGNPOSTING: "the crisis lines, privately to the author at their desk",
}


def page(watching: Watching) -> str:
    """The whole page, the same at each run."""
    parts = [_HEAD]
    for number, story in enumerate(STORIES, start=1):
        parts += [f"## {number}. {story.title}\n", *_told(watching.run(story), watching.lexicon)]
    return "\n".join(parts).rstrip("\n") + "\n"


def _told(run: Run, lexicon: CompiledLexicon) -> Iterator[str]:
    yield f"**Words:** “{run.said.text.strip()}”\n"
    yield from _told_before(run.before)
    yield from _told_reading(run.said.text, lexicon)
    if run.without_idioms.rank > run.judgement.urgency.rank:
        yield (
            "**Manner of speaking:** found. Without the list of idioms this message would be "
            f"{run.without_idioms.value}.\n"
        )
    yield from _told_findings(run.judgement.findings, run.said.text)
    yield from _told_end(run)


def _told_before(before: Sequence[ContextLine]) -> Iterator[str]:
    for line in before:
        who = "the same person wrote" if line.sender == "self" else "it answers somebody else, who wrote"
        yield f"**Just before** {who}: “{line.text.strip()}”\n"


def _told_reading(text: str, lexicon: CompiledLexicon) -> Iterator[str]:
    words = Words(text)
    yield f"**Read as** `{' '.join(words.tokens)}`"
    yield from (f"and, with a guess, as `{' '.join(row.tokens)}`" for row in rows_of(words, lexicon.spelling)[0])
    yield ""


def _told_findings(findings: Sequence[Finding], text: str) -> Iterator[str]:
    if not findings:
        yield "**Rules:** none was met.\n"
        return
    yield "**Rules that were met:**\n"
    for finding in findings:
        yield f"- `{finding.rule}` of {finding.lexicon}, version {finding.version}: {finding.rule_urgency.value}"
        yield from (f"  - `{slot}`: {_at(span, text)}" for slot, span in finding.slots)
        yield from (f"  - {_told_change(change, text)}" for change in finding.changes)
    yield ""


def _told_change(change: Change, text: str) -> str:
    way = "raises" if change.after.rank > change.before.rank else "softens"
    where = _at(change.span, text)
    return f"`{change.modifier}`: {where}, {way} it from {change.before.value} to **{change.after.value}**"


def _at(span: Span, text: str) -> str:
    """Words and their place; letters are counted from 1, as people count."""
    start, end = span
    if end <= start:
        return "in the earlier message"
    letters = f"letters {start + 1} to {end}" if end > start + 1 else f"letter {end}"
    return f"“{text[start:end]}” ({letters})"


def _told_end(run: Run) -> Iterator[str]:
    if run.heard is None:
        yield "**Urgency: none.** Nobody is called, and nothing is written down. The watcher keeps the words in its"
        yield "memory for a quarter of an hour at most, so that a later message can be understood.\n"
        return
    yield f"**Urgency: {run.heard.urgency.value}**, category {run.heard.category.replace('_', ' ')}. The alert is kept."
    yield f"What leaves because of it: {'; '.join(_LEAVES[kind] for kind in run.leaving)}.\n"
    yield f"```text\n{run.card}\n```\n"


if __name__ == "__main__":
    (Path(sys.argv[1]) if sys.argv[1:] else PAGE).write_text(page(Watching()), encoding="utf-8")
