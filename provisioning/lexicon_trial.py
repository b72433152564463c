"""What `keyhouse lexicon check` finds out by judging many messages: cases, ordinary talk, hostile texts."""

import gzip
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyhouse.core.matching.hostile import hostile_texts
from keyhouse.core.matching.judgement import judge
from keyhouse.core.matching.lexicon import CompiledLexicon
from keyhouse.core.urgency import Urgency
from keyhouse.settings.lexicon_cases import LexiconCase

CORPORA = ("sms_ham", "goemotions", "topical_chat")
DATA_VARIABLE = "KEYHOUSE_RISK_DATA"
HOSTILE_LETTERS = 32_768


@dataclass(frozen=True, slots=True)
class Replay:
    """Case files judged by two versions. lost_urgent: urgent cases that are judged less urgent than before.

    alerted, total: by what the cases should be.
    """

    gained: tuple[str, ...]
    lost: tuple[str, ...]
    lost_urgent: tuple[str, ...]
    alerted: Mapping[str, int]
    total: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """How often ordinary messages of one corpus alert, and by which rules, most often first."""

    corpus: str
    messages: int
    alerts: int
    by_rule: tuple[tuple[str, int], ...]

    @property
    def per_thousand(self) -> float:
        """Alerts for a thousand messages."""
        return 1000 * self.alerts / max(1, self.messages)


def replay(cases: Iterable[LexiconCase], new: CompiledLexicon, old: CompiledLexicon | None) -> Replay:
    """Judge every case with the new version and, if there is one, with the old."""
    gained: list[str] = []
    lost: list[str] = []
    lost_urgent: list[str] = []
    alerted: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for case in cases:
        after = judge(case.text, new, case.lines()).urgency
        total[case.urgency.value] += 1
        alerted[case.urgency.value] += after.alerts()
        before = judge(case.text, old, case.lines()).urgency if old is not None else after
        said = f'{case.id}: {before.value} → {after.value}: "{case.text}"'
        if before.alerts() != after.alerts():
            (gained if after.alerts() else lost).append(said)
        if case.urgency is Urgency.URGENT and after.rank < before.rank:
            lost_urgent.append(said)
    return Replay(tuple(gained), tuple(lost), tuple(lost_urgent), alerted, total)


def false_alarms(folder: Path, lexicon: CompiledLexicon) -> list[FalseAlarms]:
    """Judge the ordinary messages of every corpus in a folder; those that are not there are left out."""
    return [_in_corpus(path, lexicon) for name in CORPORA if (path := folder / f"{name}.jsonl.gz").exists()]


def slowest(lexicon: CompiledLexicon) -> tuple[str, float]:
    """Name the hostile text of 32 KiB that takes longest, and the milliseconds of processor time that it takes."""
    return max(((name, _timed_ms(text, lexicon)) for name, text in hostile_texts(HOSTILE_LETTERS)), key=lambda p: p[1])


def _in_corpus(path: Path, lexicon: CompiledLexicon) -> FalseAlarms:
    messages, alerts = 0, 0
    by_rule: Counter[str] = Counter()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row: dict[str, Any] = json.loads(line)
            judgement = judge(row["text"], lexicon)
            messages += 1
            if judgement.urgency.alerts():
                alerts += 1
                by_rule.update(judgement.rules)
    return FalseAlarms(path.name.partition(".")[0], messages, alerts, tuple(by_rule.most_common()))


def _timed_ms(text: str, lexicon: CompiledLexicon) -> float:
    taken = []
    for _ in range(2):
        started = time.process_time()
        judge(text, lexicon)
        taken.append(time.process_time() - started)
    return 1000 * min(taken)
