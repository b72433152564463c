"""Texts made to take long: what nobody would write who wants to be understood."""

from collections.abc import Iterator

_MADE_OF = {
    "one letter": "a",
    "many accents": "k" + "\u0301\u0489" * 15,
    "one hazard": "kill myself ",
    "spaced letters": "k i l l ",
    "leet": "k1ll mys3lf ",
    "stars": "k*l* m*s*lf ",
    "negations": "not die i want ",
    "strange words": "zqxv qzvx ",
    "look-alikes": "ѕuіcіdе ",
    "words run together": "iwanttokillmyself",
    "lone surrogates": "\ud800",
    "NUL": "\0",
    "brackets": "<",
    "tags": "<b>k</b>",
    "quotes": "> die\n",
    "emoji": "🔪",
    "apostrophes": "a'",
    "new lines": "\n",
}


def hostile_texts(letters: int) -> Iterator[tuple[str, str]]:
    """Name and text of each, of about this many letters."""
    for name, piece in _MADE_OF.items():
        yield name, piece * (letters // len(piece))
    yield "exclamation marks", "!" * (letters - 1) + "x"
    yield "different strange words", " ".join(_strange(number) for number in range(letters // 8))
    yield (
        "different stars",
        " ".join(f"{_strange(number)[:2]}*{_strange(number)[3:]}*" for number in range(letters // 9)),
    )


def _starred(number: int) -> str:
    word = _strange(number)
    return f"{word[:2]}*{word[3:5]}*{word[6:]}"


def _strange(number: int) -> str:
    """A word of seven letters that no language has."""
    consonants = "bcdfghjklmnpqrstvwxz"
    letters = []
    for _ in range(7):
        number, place = divmod(number * 7 + 11, len(consonants))
        letters.append(consonants[place])
    return "".join(letters)
