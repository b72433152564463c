"""`!calendar` at a desk and in a care room: a link for one's own calendar, made, made anew, ended."""

import secrets

from bots.runtime.answers import Decision
from bots.runtime.clock import Clock
from bots.runtime.router import Asked, saying
from keyhouse.core.calendars import SECRET_BYTES
from keyhouse.core.commands import Place
from keyhouse.core.ids import UserId
from keyhouse.core.ports import Transaction
from keyhouse.core.sentences import sentence
from keyhouse.core.verdict import Refused
from keyhouse.core.workflows.calendars import close_calendar, open_calendar

_OFF = ("off", "stop", "leave", "end")
_NEW = ("", "on", "new", "again")
_HOW = "`!calendar` gives you a new link for your calendar, and `!calendar off` ends it."
_ENDED = "Your calendar link is ended: it shows nothing to anybody any more. What a calendar has copied may stay there "
_ENDED += "until it looks again. `!calendar` gives you a new one."
_NONE = "You had no calendar link. `!calendar` gives you one."
_READERS = {
    Place.DESK: (
        "**Whoever has this link sees your times.** Do not pass it on, and do not use it where somebody else reads "
        "your phone or your calendar."
    ),
    Place.CARE: (
        "**Whoever has this link sees your times, and everybody in this room has it now.** It shows nobody's name."
    ),
}


class CalendarCommand:
    """Answers `!calendar` in one kind of room. front_door: the address at which people reach it."""

    def __init__(self, place: Place, front_door: str, clock: Clock) -> None:
        self._place, self._front_door, self._clock = place, front_door.rstrip("/"), clock

    async def answer(self, asked: Asked) -> Decision:
        """Find what is decided about a typed `!calendar`."""
        person, word = UserId(asked.sender), asked.rest.lower()
        if word in _OFF:
            return lambda tx: _ENDED if close_calendar(tx, person, self._clock()) else _NONE
        return (lambda tx: self._opened(tx, person)) if word in _NEW else saying(_HOW)

    def _opened(self, tx: Transaction, person: UserId) -> str:
        # In letters and digits alone: an underscore would be read as a mark of Markdown.
        secret = secrets.token_hex(SECRET_BYTES)
        verdict = open_calendar(tx, person, secret, self._clock())
        if isinstance(verdict, Refused):
            return sentence(verdict.reason)
        link = f"{self._front_door}/calendar/{secret}"
        return "\n\n".join(
            [
                f"Your calendar link:\n{link}.ics",
                "Add it to your calendar as one to subscribe to. It shows when you have a session, each with the title "
                "“Appointment” and nothing else, and follows what is moved or given back.",
                _READERS[self._place],
                f"For one session alone, open this instead, with its number in place of N:\n{link}/N.ics",
                "The house cannot show this link again. `!calendar` makes a new one and ends this one; "
                "`!calendar off` ends it.",
            ]
        )
