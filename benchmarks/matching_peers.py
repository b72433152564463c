"""Other engines that find the same phrases, exactly as they are written; None where one is not installed."""

import re
from collections.abc import Callable, Sequence
from importlib.util import find_spec

Find = Callable[[str], object]


def python_re(phrases: Sequence[str]) -> Find | None:
    """One alternation between word boundaries, as word-list bots do."""
    pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, phrases)) + r")\b")
    return lambda text: pattern.findall(text.lower())


def google_re2(phrases: Sequence[str]) -> Find | None:
    """The same in linear time."""
    if find_spec("re2") is None:
        return None
    import re2

    options = re2.Options()
    options.max_mem = 1 << 29
    pattern = re2.compile(r"\b(?:" + "|".join(map(re.escape, phrases)) + r")\b", options)
    return lambda text: pattern.findall(text.lower())


def aho_corasick(phrases: Sequence[str]) -> Find | None:
    """Every hit of every phrase, letter by letter, in C."""
    if find_spec("ahocorasick") is None:
        return None
    import ahocorasick

    automaton = ahocorasick.Automaton()
    for phrase in phrases:
        automaton.add_word(f" {phrase} ", phrase)
    automaton.make_automaton()
    return lambda text: list(automaton.iter(f" {text.lower()} "))


PEERS: dict[str, Callable[[Sequence[str]], Find | None]] = {
    "python re": python_re,
    "google-re2": google_re2,
    "bare Aho-Corasick": aho_corasick,
}
