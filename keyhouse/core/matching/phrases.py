"""The short way of writing many phrases: `(kill|end) my(self|own life)` stands for each choice in turn."""

from itertools import product

MOST_PHRASES = 4000


class PhraseFault(ValueError):
    """A phrase cannot be read; the message says why."""


def expand(written: str) -> tuple[str, ...]:
    """All phrases that one written phrase stands for: (a|b) is a choice, (a|) may be left out; may nest."""
    phrases, rest = _choices(written, 0, nested=False)
    if rest != len(written):
        raise PhraseFault(f'"{written}" has a ")" without a "("; close what was opened')
    cleaned = tuple(dict.fromkeys(" ".join(phrase.split()) for phrase in phrases))
    if any(not phrase for phrase in cleaned):
        raise PhraseFault(f'"{written}" can be empty; an empty phrase would be found everywhere')
    return cleaned


def _choices(written: str, place: int, *, nested: bool) -> tuple[list[str], int]:
    """Read alternatives up to the bracket that closes them; returns them and the place after."""
    all_choices: list[str] = []
    parts: list[list[str]] = [[""]]
    while place < len(written):
        letter = written[place]
        if letter == "(":
            inner, place = _choices(written, place + 1, nested=True)
            if place >= len(written):
                raise PhraseFault(f'"{written}" opens a "(" that is never closed')
            parts.append(inner)
        elif letter == ")":
            break
        elif letter == "|" and nested:
            all_choices.extend(_joined(parts, written))
            parts = [[""]]
        else:
            parts.append([letter])
        place += 1
    all_choices.extend(_joined(parts, written))
    return all_choices, place


def _joined(parts: list[list[str]], written: str) -> list[str]:
    total = 1
    for part in parts:
        total *= len(part)
        if total > MOST_PHRASES:
            raise PhraseFault(f'"{written}" stands for more than {MOST_PHRASES} phrases; split it')
    return ["".join(choice) for choice in product(*parts)]
