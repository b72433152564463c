"""What the watcher's matching finds, how often it rings for nothing, and how fast it is.

Reads the folder named by the environment variable KEYHOUSE_RISK_DATA: checklist.jsonl and evasion_generated.jsonl
(cases with a `severity`), and sms_ham, goemotions and topical_chat (ordinary messages, .jsonl.gz). None of it was
labelled by a clinician. Times are processor time. With `--misses`, prints what was judged otherwise than expected.
"""

import gzip
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from keyhouse.core.matching.judgement import judge
from keyhouse.core.matching.lexicon import CompiledLexicon, ContextLine
from keyhouse.core.urgency import Urgency
from keyhouse.settings.lexicons import default_lexicon_directory, load_compiled_lexicon

ORDINARY = ("sms_ham", "goemotions", "topical_chat")
HOSTILE = {
    "32 KiB of one letter": "a" * 32768,
    "32 KiB of zalgo": ("k" + "\u0301\u0489" * 15) * 1024,
    "32 KiB of one hazard": "kill myself " * 2730,
    "32 KiB of spaced letters": "k i l l " * 4096,
    "32 KiB of leet": "k1ll mys3lf " * 2730,
    "32 KiB of negations": "not die i want " * 2184,
    "32 KiB of lone surrogates": "\ud800" * 32768,
}


def main() -> int:
    """Print every figure; 1 if there is no data to measure with."""
    named = os.environ.get("KEYHOUSE_RISK_DATA")
    started = time.process_time()
    lexicon = load_compiled_lexicon(default_lexicon_directory())
    print(f"lexicon of {len(lexicon.rules)} rules loaded in {time.process_time() - started:.2f} s")
    for name, text in HOSTILE.items():
        print(f"{name:28} {_timed(text, lexicon) * 1e3:7.1f} ms")
    if not named or not Path(named).is_dir():
        print("error: KEYHOUSE_RISK_DATA names no folder; set it to the folder with checklist.jsonl", file=sys.stderr)
        return 1
    folder = Path(named)
    _print_cases("checklist", _rows(folder / "checklist.jsonl"), lexicon)
    _print_evasion(_rows(folder / "checklist.jsonl"), _rows(folder / "evasion_generated.jsonl"), lexicon)
    for corpus in ORDINARY:
        _print_ordinary(corpus, [row["text"] for row in _rows(folder / f"{corpus}.jsonl.gz")], lexicon)
    return 0


def _print_cases(name: str, cases: Sequence[dict[str, Any]], lexicon: CompiledLexicon) -> None:
    total: Counter[str] = Counter()
    alerted: Counter[str] = Counter()
    urgent = 0
    for case in cases:
        judgement = _judge(case, lexicon)
        total[case["severity"]] += 1
        alerted[case["severity"]] += judgement.urgency.alerts()
        urgent += case["severity"] == judgement.urgency == Urgency.URGENT
        if "--misses" in sys.argv and judgement.urgency.alerts() != Urgency(case["severity"]).alerts():
            print(f"  {case['severity']:8} {judgement.urgency:8} {judgement.rules} {case['text']}")
    for severity in total:
        print(f"{name}: {severity:8} alerted {alerted[severity]:3} of {total[severity]:3}")
    print(f"{name}: urgent graded urgent {urgent} of {total['urgent']}")
    meant = alerted["urgent"] + alerted["concern"]
    print(f"{name}: recall {meant / (total['urgent'] + total['concern']):.3f}, precision {meant / alerted.total():.3f}")


def _print_evasion(
    cases: Sequence[dict[str, Any]], variants: Sequence[dict[str, Any]], lexicon: CompiledLexicon
) -> None:
    found = {case["id"] for case in cases if _judge(case, lexicon).urgency.alerts()}
    kept: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for variant in variants:
        if variant["base"] in found:
            total[variant["capability"]] += 1
            kept[variant["capability"]] += _judge(variant, lexicon).urgency.alerts()
    print(f"evasion kept where the base is found: {kept.total()} of {total.total()}")
    print("  " + ", ".join(f"{name.removeprefix('evasion_')} {kept[name]}/{total[name]}" for name in sorted(total)))


def _print_ordinary(corpus: str, texts: Sequence[str], lexicon: CompiledLexicon) -> None:
    times = []
    rules: Counter[str] = Counter()
    alerts = 0
    for text in texts:
        started = time.process_time()
        judgement = judge(text, lexicon)
        times.append(time.process_time() - started)
        if judgement.urgency.alerts():
            alerts += 1
            rules.update(judgement.rules[:1])
            if "--misses" in sys.argv:
                print(f"  {judgement.urgency:8} {judgement.rules[:1]} {text}")
    times.sort()
    print(
        f"{corpus}: {1000 * alerts / len(texts):.2f} alerts per 1,000 of {len(texts)}; "
        f"mean {1e6 * sum(times) / len(times):.0f} µs, p99 {1e6 * times[int(0.99 * len(times))]:.0f} µs; "
        f"{rules.most_common(6)}"
    )


def _judge(case: dict[str, Any], lexicon: CompiledLexicon) -> Any:
    context = [ContextLine(line["sender"], line["text"]) for line in case.get("context", [])]
    return judge(case["text"], lexicon, context)


def _timed(text: str, lexicon: CompiledLexicon) -> float:
    started = time.process_time()
    judge(text, lexicon)
    return time.process_time() - started


def _rows(path: Path) -> list[dict[str, Any]]:
    lines: Iterable[str]
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    sys.exit(main())
