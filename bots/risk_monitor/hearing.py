"""What the watcher makes of one message: judged, and forgotten unless a human must look."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bots.risk_monitor.recent import Line, Recent
from keyhouse.core.matching.deletion import DELETED_BEFORE_READ, RULE, urgency_of_deletion
from keyhouse.core.matching.judgement import Judgement, Place, judge
from keyhouse.core.matching.lexicon import CompiledLexicon, ContextLine
from keyhouse.core.matching.selection import Selection
from keyhouse.core.people import Role
from keyhouse.core.rooms import RoomScope
from keyhouse.core.urgency import Urgency

__all__ = ["Heard", "Hearing", "Listened", "heard_deletion"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a human must look at, and why. signposting: which lines go to the author; None leaves it to the house."""

    urgency: Urgency
    category: str
    rules: tuple[str, ...]
    signposting: str | None = None


@dataclass(frozen=True, slots=True)
class Listened:
    """What became of one message. heard: None when no human need look.  nudges: private words to the author."""

    heard: Heard | None
    nudges: tuple[str, ...] = ()


class Hearing:
    """Judges what is said, in the light of what the same person said just before and of what they were asked."""

    def __init__(self, lexicon: Callable[[], CompiledLexicon]) -> None:
        """lexicon: returns the one in force, so that an accepted version takes over between two messages."""
        self._lexicon = lexicon
        self._recent = Recent()

    def listen(
        self, room_id: str, event_id: str, sender: str, said: Selection, scope: RoomScope | None, now: datetime
    ) -> Listened:
        """Judge one message and remember it.

        An edit brings a human again if it is more urgent than before, or met a rule that was not met before.
        """
        before = [*self._recent.before(room_id, sender, now, except_for=said.replaces)]
        if said.quoted:
            before.append(ContextLine("other", said.quoted))
        judgement = judge(said.text, self._lexicon(), before, _place(scope))
        was = self._recent.line(room_id, said.replaces, now) if said.replaces else None
        line = Line(now, said.replaces or event_id, sender, said.text, judgement.urgency, frozenset(judgement.rules))
        self._recent.remember(room_id, line)
        if was is not None and _says_nothing_new(was, line):
            return Listened(None)
        return Listened(_heard(judgement), judgement.nudges)


def heard_deletion(*, by_its_author: bool, was_judged: bool) -> Heard | None:
    """Say whether a human must look because a message was deleted; None when nobody need."""
    urgency = urgency_of_deletion(by_its_author=by_its_author, was_judged=was_judged)
    return None if urgency is Urgency.NONE else Heard(urgency, DELETED_BEFORE_READ, (RULE,))


def _says_nothing_new(was: Line, line: Line) -> bool:
    return line.urgency.rank <= was.urgency.rank and line.rules <= was.rules


def _heard(judgement: Judgement) -> Heard | None:
    if judgement.urgency is Urgency.NONE:
        return None
    return Heard(judgement.urgency, judgement.category or "unsorted", judgement.rules, judgement.signposting)


def _place(scope: RoomScope | None) -> Place | None:
    if scope is None:
        return None
    return Place(scope.kind.value, Role.CARER in scope.roles, frozenset(map(str, scope.conditions)))
