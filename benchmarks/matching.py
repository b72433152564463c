"""What the watcher's matching finds, how often it rings for nothing, and how fast it is beside other engines.

Reads the case files beside the lexicons, and the folder named by the environment variable KEYHOUSE_RISK_DATA:
sms_ham, goemotions and topical_chat (ordinary messages, .jsonl.gz). None of it was labelled by a clinician. A time is
the best of three, because the machine does other things as well. With `--misses`, prints what was judged otherwise
than expected.
"""

import gc
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.matching_made import made_lexicon, made_phrases, ordinary_messages, write_phrases
from benchmarks.matching_peers import PEERS
from keyhouse.core.matching.definitions import Lexicon
from keyhouse.core.matching.hostile import hostile_texts
from keyhouse.core.matching.judgement import judge
from keyhouse.core.matching.lexicon import CompiledLexicon, compile_lexicon
from keyhouse.core.urgency import Urgency
from keyhouse.settings.lexicon_cases import LexiconCase, load_cases
from keyhouse.settings.lexicons import (
    default_lexicon_directory,
    english_words,
    load_compiled_lexicon,
    load_lexicons,
)

MOST_LETTERS = 400
HOSTILE_LETTERS = 32_768
MESSAGES = 3000


def main() -> int:
    """Print every figure; 1 if there is no data to measure with."""
    directory = default_lexicon_directory()
    lexicons = load_lexicons(directory)
    lexicon = compile_lexicon(lexicons, english_words())
    for name, cases in load_cases(directory).items():
        _print_cases(name, cases, lexicon)
    named = os.environ.get("KEYHOUSE_RISK_DATA")
    if not named or not Path(named).is_dir():
        print("error: KEYHOUSE_RISK_DATA names no folder; set it to the folder with sms_ham.jsonl.gz", file=sys.stderr)
        return 1
    corpora = ordinary_messages(Path(named))
    for corpus, texts in corpora.items():
        _print_false_alarms(corpus, texts, lexicon)
    messages = [text for texts in corpora.values() for text in texts[:MESSAGES] if len(text) <= MOST_LETTERS]
    _print_speed(lexicons, lexicon, messages)
    _print_peers(messages)
    _print_growth(lexicons, messages)
    _print_hostile(lexicon)
    _print_reload()
    return 0


def _print_cases(name: str, cases: Sequence[LexiconCase], lexicon: CompiledLexicon) -> None:
    judged = {case.id: judge(case.text, lexicon, case.lines()) for case in cases}
    total = Counter(case.urgency for case in cases)
    alerted = Counter(case.urgency for case in cases if judged[case.id].urgency.alerts())
    for urgency, count in total.items():
        print(f"{name}: {urgency:8} alerted {alerted[urgency]:3} of {count:3}")
    urgent = sum(case.urgency is Urgency.URGENT is judged[case.id].urgency for case in cases)
    meant = alerted[Urgency.URGENT] + alerted[Urgency.CONCERN]
    print(f"{name}: urgent graded urgent {urgent} of {total[Urgency.URGENT]}")
    recall = meant / max(1, total[Urgency.URGENT] + total[Urgency.CONCERN])
    print(f"{name}: recall {recall:.3f}, precision {meant / max(1, alerted.total()):.3f}")
    if "--misses" in sys.argv:
        for case in cases:
            if judged[case.id].urgency.alerts() != case.urgency.alerts():
                print(f"  {case.urgency:8} {judged[case.id].urgency:8} {judged[case.id].rules} {case.text}")


def _print_false_alarms(corpus: str, texts: Sequence[str], lexicon: CompiledLexicon) -> None:
    rules: Counter[str] = Counter()
    alerts = 0
    for text in texts:
        judgement = judge(text, lexicon)
        if judgement.urgency.alerts():
            alerts += 1
            rules.update(judgement.rules[:1])
            if "--misses" in sys.argv:
                print(f"  {judgement.urgency:8} {judgement.rules[:1]} {text}")
    print(f"{corpus}: {1000 * alerts / len(texts):.2f} alerts per 1,000 of {len(texts)}; {rules.most_common(6)}")


def _print_speed(lexicons: Sequence[Lexicon], lexicon: CompiledLexicon, messages: Sequence[str]) -> None:
    print(f"per message of at most {MOST_LETTERS} letters, {len(messages)} ordinary ones, µs: p50, p99")
    many = compile_lexicon(made_lexicon(lexicons, 1000), english_words())
    for each in (lexicon, many):
        print(
            f"  {len(each.rules):5} rules{'':22} {_in_words(_times(lambda text, it=each: judge(text, it), messages))}"
        )


def _print_peers(messages: Sequence[str]) -> None:
    print("the same messages, phrases alone (peers find exact phrases, and nothing that is disguised), µs: p50, p99")
    for count in (1_000, 10_000):
        phrases = made_phrases(count)
        ours = compile_lexicon([Lexicon("made", 1, "", False, {"MADE": phrases})], english_words())
        print(f"  {count:6} phrases, our walk {'':10} {_in_words(_times(_walk(ours), messages))}")
        for name, make in PEERS.items():
            find = make(phrases)
            if find is None:
                print(f"  {count:6} phrases, {name:20} is not installed")
                continue
            few = messages if name != "python re" else messages[:300]
            print(f"  {count:6} phrases, {name:20} {_in_words(_times(find, few))}")


def _print_growth(lexicons: Sequence[Lexicon], messages: Sequence[str]) -> None:
    lexicon = compile_lexicon(lexicons, english_words())
    talk = " ".join(messages)
    print("linear in the letters of a message, µs a letter:")
    for letters in (100, 400, 1600, 6400):
        texts = [talk[place : place + letters] for place in range(0, 40 * letters, letters)]
        mean = sum(_times(lambda text: judge(text, lexicon), texts)) / len(texts)
        print(f"  {letters:6} letters {mean / letters:8.3f}")
    print("flat in the number of phrases, µs a message: p50, p99")
    for count in (1_000, 10_000, 100_000):
        more = Lexicon("made", 1, "", False, {"MADE": made_phrases(count)})
        grown = compile_lexicon([*lexicons, more], english_words())
        print(f"  {count:7} more phrases {_in_words(_times(lambda text, it=grown: judge(text, it), messages[:2000]))}")


def _print_hostile(lexicon: CompiledLexicon) -> None:
    print("32 KiB of hostile text, ms:")
    for name, text in hostile_texts(HOSTILE_LETTERS):
        print(f"  {name:28} {_times(lambda text: judge(text, lexicon), [text])[0] / 1000:7.1f}")


def _print_reload() -> None:
    english_words()
    with tempfile.TemporaryDirectory() as folder:
        write_phrases(Path(folder), made_phrases(10_000))
        taken = _times(lambda _: load_compiled_lexicon(Path(folder)), [""])[0]
    shipped = _times(lambda _: load_compiled_lexicon(default_lexicon_directory()), [""])[0]
    print(f"from YAML to ready: 10,000 phrases {taken / 1000:.0f} ms; what we ship {shipped / 1000:.0f} ms")


def _walk(lexicon: CompiledLexicon) -> Callable[[str], object]:
    from keyhouse.core.matching.words import Words

    return lambda text: lexicon.index.found_in(Words(text).tokens)


def _times(work: Callable[[str], object], texts: Iterable[str]) -> list[float]:
    """Microseconds of processor time for each text, in rising order."""
    taken = []
    # As the watcher does with a lexicon that it has just read.
    gc.collect()
    gc.freeze()
    for text in texts:
        best = float("inf")
        for _ in range(3):
            started = time.process_time()
            work(text)
            best = min(best, time.process_time() - started)
        taken.append(1e6 * best)
    return sorted(taken)


def _in_words(times: Sequence[float]) -> str:
    return f"{times[len(times) // 2]:8.1f} {times[int(0.99 * len(times))]:8.1f}"


if __name__ == "__main__":
    sys.exit(main())
