"""The table of docs/who-may-write.md, made from the rule itself: `python -m tests.support.speaking_table` prints it."""

import sys

from keyhouse.core.carried import Act
from keyhouse.core.people import PersonState, Role
from keyhouse.core.rooms import RoomKind
from keyhouse.core.speaking import Speaker, may_speak
from keyhouse.core.verdict import Allowed

WHO = {
    "has agreed": Speaker(Role.PATIENT, PersonState.ACTIVE, has_agreed=True),
    "has not agreed": Speaker(Role.PATIENT, PersonState.ACTIVE, has_agreed=False),
    "is paused": Speaker(Role.PATIENT, PersonState.PAUSED, has_agreed=True),
}
_SAID = {(True, True): "writes", (False, True): "reacts by a sign", (False, False): "reads"}


def table() -> str:
    """Each kind of room, and what people in it do; Markdown."""
    rows = [["room", *WHO], ["---"] * (len(WHO) + 1)]
    rows += [[kind.value.replace("_", " "), *(_does(who, kind) for who in WHO.values())] for kind in RoomKind]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _does(who: Speaker, kind: RoomKind) -> str:
    words, signs = [may_speak(who, kind, act) == Allowed() for act in (Act.WORDS, Act.REACTION)]
    return _SAID[words, signs]


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
