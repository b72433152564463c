"""Everything that `keyhouse lexicon check` has to say about a folder of lexicons."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keyhouse.core.matching.checking import idle, kept_under_disguise, lost_under_disguise
from keyhouse.core.matching.differences import differences
from keyhouse.core.matching.examples import failing_examples
from keyhouse.core.matching.lexicon import CompiledLexicon, compile_lexicon
from keyhouse.settings.lexicon_cases import load_cases
from keyhouse.settings.lexicon_versions import fingerprint_of
from keyhouse.settings.lexicons import english_words, load_lexicons
from provisioning.lexicon_trial import DATA_VARIABLE, FalseAlarms, Replay, false_alarms, replay, slowest

# Above the first an ordinary room would be rung too often; see docs/clinicians.md.
MOST_FALSE_ALARMS, MOST_IN_ONE_CORPUS = 3.0, 5.0
SLOW_MS = 10.0
_FEWEST_KEPT = 0.75


@dataclass(slots=True)
class Examined:
    """What was found. problems stop an acceptance; warnings do not.  changes: against the version in force."""

    fingerprint: str
    rules: int
    clinically_reviewed: bool
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    lost_urgent: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


def examine(directory: Path, in_force: Path | None, waived_by: str | None = None) -> Examined:
    """Check a folder against the files in force, if there are any. Raises SettingsFault when it cannot be read.

    waived_by: who answers for urgent cases that are lost; without a name they are problems.
    """
    lexicons = load_lexicons(directory)
    lexicon = compile_lexicon(lexicons, english_words())
    found = Examined(fingerprint_of(directory), len(lexicon.rules), lexicon.clinically_reviewed)
    found.problems += [*failing_examples(lexicon), *lost_under_disguise(lexicon)]
    _look_at_disguises(found, lexicon)
    found.warnings += idle(lexicons, lexicon)
    _replay_cases(found, directory, lexicon, _read(in_force), waived_by)
    _listen_to_ordinary_talk(found, lexicon)
    _measure_the_slowest(found, lexicon)
    if in_force is not None:
        found.changes += differences(load_lexicons(in_force), lexicons)
    return found


def _read(in_force: Path | None) -> CompiledLexicon | None:
    return None if in_force is None else compile_lexicon(load_lexicons(in_force), english_words())


def _look_at_disguises(found: Examined, lexicon: CompiledLexicon) -> None:
    for kept in kept_under_disguise(lexicon):
        found.figures[f"examples kept under {kept.disguise}"] = f"{kept.kept} of {kept.of}"
        if kept.kept < _FEWEST_KEPT * kept.of:
            found.warnings.append(f"under {kept.disguise} only {kept.kept} of {kept.of} examples are still found")


def _replay_cases(
    found: Examined, directory: Path, lexicon: CompiledLexicon, old: CompiledLexicon | None, waived_by: str | None
) -> None:
    files = load_cases(directory)
    if not files:
        found.notes.append("No case file was replayed: lexicons/cases holds none.")
    for name, cases in files.items():
        replayed = replay(cases, lexicon, old)
        found.figures[f"cases {name}"] = _figures(replayed)
        found.notes += _said(name, replayed, compared=old is not None)
        found.lost_urgent += replayed.lost_urgent
    if found.lost_urgent and waived_by is None:
        found.problems += [f"an urgent case is judged less urgent than before: {case}" for case in found.lost_urgent]
    elif found.lost_urgent:
        found.notes.append(f"{len(found.lost_urgent)} urgent cases are lost; {waived_by} answers for it.")


def _figures(replayed: Replay) -> dict[str, Any]:
    alerted = {urgency: f"{replayed.alerted[urgency]} of {total}" for urgency, total in replayed.total.items()}
    return {"alerted": alerted, "gained": list(replayed.gained), "lost": list(replayed.lost)}


def _said(name: str, replayed: Replay, *, compared: bool) -> Iterator[str]:
    said = ", ".join(f"{key} {replayed.alerted[key]} of {total}" for key, total in replayed.total.items())
    yield f"Cases {name}, alerted: {said}."
    if compared:
        yield f"  against the version in force: {len(replayed.gained)} gained, {len(replayed.lost)} lost"
        yield from (f"  gained: {case}" for case in replayed.gained)
        yield from (f"  lost: {case}" for case in replayed.lost)


def _listen_to_ordinary_talk(found: Examined, lexicon: CompiledLexicon) -> None:
    named = os.environ.get(DATA_VARIABLE)
    corpora = false_alarms(Path(named), lexicon) if named and Path(named).is_dir() else []
    if not corpora:
        found.notes.append(
            f"False alarms were not measured: set {DATA_VARIABLE} to a folder with ordinary messages "
            "(sms_ham, goemotions, topical_chat; .jsonl.gz)."
        )
        return
    mean = sum(each.per_thousand for each in corpora) / len(corpora)
    found.figures["false alarms per 1,000"] = {each.corpus: round(each.per_thousand, 2) for each in corpora}
    found.notes.append(f"False alarms per 1,000 ordinary messages: {mean:.2f} in the mean.")
    found.notes += [f"  {each.corpus}: {each.per_thousand:.2f}; {_most(each)}" for each in corpora]
    if mean > MOST_FALSE_ALARMS:
        found.problems.append(f"{mean:.2f} false alarms per 1,000 ordinary messages; at most {MOST_FALSE_ALARMS}")
    found.problems += [
        f"{each.per_thousand:.2f} false alarms per 1,000 messages of {each.corpus}; at most {MOST_IN_ONE_CORPUS}"
        for each in corpora
        if each.per_thousand > MOST_IN_ONE_CORPUS
    ]


def _most(alarms: FalseAlarms) -> str:
    return ", ".join(f"{rule} {count}" for rule, count in alarms.by_rule[:10]) or "none"


def _measure_the_slowest(found: Examined, lexicon: CompiledLexicon) -> None:
    """A warning at most: how long it takes says as much about the machine as about the lexicon."""
    name, milliseconds = slowest(lexicon)
    found.figures["slowest hostile text"] = {"text": name, "ms": round(milliseconds, 1)}
    said = f"The slowest hostile message ({name}, 32 KiB) takes {milliseconds:.1f} ms"
    (found.warnings if milliseconds > SLOW_MS else found.notes).append(f"{said}; {SLOW_MS:.0f} is the aim.")
