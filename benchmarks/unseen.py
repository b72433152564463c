"""How the lexicon does on sentences that nobody looked at while writing it: `python -m benchmarks.unseen`.

The sentences and their labels are two authors', not clinically reviewed; see tests/unit/core/matching/unseen.
Prints figures alone, never the sentences that were missed: whoever reads those can no longer be judged by them.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keyhouse.core.matching.judgement import Place, judge
from keyhouse.core.matching.lexicon import CompiledLexicon, ContextLine
from keyhouse.core.urgency import Urgency
from keyhouse.settings.lexicons import default_lexicon_directory, load_compiled_lexicon

FOLDER = Path(__file__).parent.parent / "tests" / "unit" / "core" / "matching" / "unseen"
PLACES = {"patients": Place("living_room"), "carers": Place("living_room", carers=True), "staff": Place("quiet")}
_LEVELS = ("urgent", "concern", "watch", "none")


def main() -> int:
    """Print every figure, author by author."""
    lexicon = load_compiled_lexicon(default_lexicon_directory())
    for author in ("", "_2"):
        cases = [(case, _judged(case, lexicon)) for case in _rows(f"sentences{author}")]
        _print_figures(cases)
        for field in ("category", "capability"):
            _print_by(field, cases)
        ordinary = [_judged(case, lexicon).alerts() for case in _rows(f"ordinary{author}")]
        print(f"ordinary: {sum(ordinary)} of {len(ordinary)} alerted ({sum(ordinary) / len(ordinary):.1%})\n")
    return 0


def _rows(name: str) -> list[dict[str, Any]]:
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def _judged(case: dict[str, Any], lexicon: CompiledLexicon) -> Urgency:
    context = [ContextLine(line["sender"], line["text"]) for line in case.get("context", [])]
    return judge(case["text"], lexicon, context, PLACES.get(case.get("room", ""))).urgency


def _print_figures(cases: Iterable[tuple[dict[str, Any], Urgency]]) -> None:
    table = Counter((case["urgency"], judged.value) for case, judged in cases)
    total = {level: sum(table[level, each] for each in _LEVELS) for level in _LEVELS}
    alerted = {level: table[level, "urgent"] + table[level, "concern"] for level in _LEVELS}
    pressing, ringing = total["urgent"] + total["concern"], sum(alerted.values())
    rung = alerted["urgent"] + alerted["concern"]
    print(f"urgent alerted          {alerted['urgent'] / total['urgent']:.3f}  of {total['urgent']}")
    print(f"urgent graded urgent    {table['urgent', 'urgent'] / total['urgent']:.3f}")
    print(f"urgent + concern recall {rung / pressing:.3f}  of {pressing}")
    print(f"precision               {rung / ringing if ringing else 1:.3f}")
    print(f"benign alerted          {alerted['none'] / total['none']:.3f}  of {total['none']}")
    print(f"watch alerted           {alerted['watch'] / total['watch']:.3f}  of {total['watch']}")
    for level in _LEVELS:
        print(f"  {level:8}", *(f"{each} {table[level, each]:4}" for each in _LEVELS))


def _print_by(field: str, cases: Iterable[tuple[dict[str, Any], Urgency]]) -> None:
    total: Counter[tuple[str, bool]] = Counter()
    rang: Counter[tuple[str, bool]] = Counter()
    for case, judged in cases:
        place = (case[field], Urgency(case["urgency"]).alerts())
        total[place] += 1
        rang[place] += judged.alerts()
    print(f"by {field}: pressing ones alerted; others alerted")
    for name in sorted({name for name, _ in total}):
        counts = (f"{rang[name, pressing]:3} of {total[name, pressing]:3}" for pressing in (True, False))
        print(f"  {name:28}", "   ".join(counts))


if __name__ == "__main__":
    sys.exit(main())
