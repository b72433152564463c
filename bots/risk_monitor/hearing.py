"""What the watcher makes of one message: judged, and forgotten unless a human must look."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from keyhouse.core.matching.judgement import Place, judge
from keyhouse.core.matching.lexicon import CompiledLexicon, ContextLine
from keyhouse.core.people import Role
from keyhouse.core.rooms import RoomScope
from keyhouse.core.urgency import Urgency

REMEMBERED_FOR = timedelta(minutes=15)
REMEMBERED_LINES = 10
REMEMBERED_ROOMS = 2000


@dataclass(frozen=True, slots=True)
class Heard:
    """What a human must look at, and why."""

    urgency: Urgency
    category: str
    rules: tuple[str, ...]


class Recent:
    """The last few harmless lines of each room, in memory alone, for the rules that need what went before."""

    def __init__(self) -> None:
        self._rooms: OrderedDict[str, deque[tuple[datetime, str, str]]] = OrderedDict()

    def before(self, room_id: str, sender: str, now: datetime) -> Sequence[ContextLine]:
        """Return what was said lately in this room, oldest first, as this sender sees it."""
        lines = self._rooms.get(room_id, ())
        return [
            ContextLine("self" if who == sender else "other", text)
            for at, who, text in lines
            if now - at <= REMEMBERED_FOR
        ]

    def remember(self, room_id: str, sender: str, text: str, now: datetime) -> None:
        """Keep a line; the room that was silent longest is forgotten first."""
        lines = self._rooms.setdefault(room_id, deque(maxlen=REMEMBERED_LINES))
        lines.append((now, sender, text[:1000]))
        self._rooms.move_to_end(room_id)
        if len(self._rooms) > REMEMBERED_ROOMS:
            self._rooms.popitem(last=False)


def hear(text: str, scope: RoomScope | None, before: Sequence[ContextLine], lexicon: CompiledLexicon) -> Heard | None:
    """Judge a message; None when no human need look."""
    place = Place(scope.kind.value, carers=Role.CARER in scope.roles) if scope is not None else None
    judgement = judge(text, lexicon, before, place)
    if judgement.urgency is Urgency.NONE:
        return None
    return Heard(judgement.urgency, judgement.category or "unsorted", judgement.rules)
