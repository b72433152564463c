"""One message that a human must look at."""

from dataclasses import dataclass
from datetime import datetime

from keyhouse.core.ids import EventId, RoomId, UserId
from keyhouse.core.urgency import Urgency


@dataclass(frozen=True, slots=True)
class Alert:
    """A message that was judged to need a human. Its words are not here.

    event_id: the event whose text alerted (an edit's own).  rules: names of the watch rules, for the clinician's why.
    """

    event_id: EventId
    room_id: RoomId
    author: UserId
    urgency: Urgency
    category: str
    rules: tuple[str, ...]
    raised_at: datetime
