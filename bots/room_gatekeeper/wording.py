"""What the concierge says. Neutral first words: a phone may be shared."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from bots.room_gatekeeper.rules_wording import ASKS
from keyhouse.core.notices import RoomNotice, Sight
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.signposting import Signposting

LONDON = ZoneInfo("Europe/London")


def greeting_text(name: str, signposting: Signposting, *, asks_to_agree: bool) -> str:
    """Write the first message that a person reads in the house; it asks to agree to the rules once, not twice."""
    return "\n".join(
        [
            "A message for you from the house.",
            "",
            f"Welcome, {name}. That is your name here; nobody in the rooms knows any other.",
            "",
            "**What this is:** a house of rooms where you can talk with others in treatment and with people who have "
            "recovered, at any hour.",
            "",
            "**What it is not:** it is not a crisis service, and nobody watches it every minute. If you need help now:",
            "",
            *(f"- {line}" for line in signposting.lines),
            "",
            "**Who reads along:** the team is in every shared room, and a program reads what is written there and "
            "here, to call the team when somebody may be in danger. It can be wrong.",
            "",
            "**This room is your desk:** only you, the concierge, that program and one that books sessions "
            'are in it. You can always write here. Write "call me" if you would like the team to contact you, or '
            "`!help` to see what else you can do.",
            "",
            *([ASKS, ""] if asks_to_agree else []),
            "One thing to do today: in your app's settings, save your recovery key somewhere safe. "
            "Nobody can get it back for you.",
        ]
    )


def rooms_text(rooms: Iterable[RoomScope]) -> str:
    """List a person's rooms by name."""
    shown = [room.name for room in rooms if room.kind not in (RoomKind.DESK, RoomKind.SPACE)]
    if not shown:
        return 'Your key opens no room just now. Write "call me" here, and the team will look at it.'
    return "\n".join(
        ["**Your rooms**", "", *(f"- {name}" for name in shown), "", "If you had left one, you are in again."]
    )


def room_notice_text(notice: RoomNotice, kind: RoomKind, signposting: Signposting) -> str:
    """Write what a room's own people read when the house cannot see it, or can again: only what is true of it."""
    at_the_desk = [] if kind is RoomKind.DESK else ["If the team should know something, write it at your desk."]
    match notice.sight:
        case Sight.SEEN_AGAIN:
            return _seen_again_text(notice)
        case Sight.NOT_SURE:
            said = [
                f"Since {_clock(notice.since)} it is not certain that the team is called when somebody here is in "
                "danger: the program that reads along does not answer as it should.",
                "Your messages are kept. The program reads them, from the first, when it works again, and this room "
                "will say so.",
            ]
        case Sight.UNREADABLE:
            said = [
                f"Since {_clock(notice.since)} the program that reads along cannot read some of the messages here. "
                "The team is told that there is such a message, and not what it says.",
                *at_the_desk,
            ]
        case Sight.WITHOUT_WATCHER:
            said = [
                f"Since {_clock(notice.since)} the program that reads along is not in this room. It does not see what "
                "is written here now, and will not see it later, so the team is not called because of it.",
                *at_the_desk,
            ]
    lines = [f"- {line}" for line in signposting.lines]
    return "\n".join(["A message from the house.", "", "\n\n".join(said), "", "If you need help now:", "", *lines])


def _seen_again_text(notice: RoomNotice) -> str:
    assert notice.until is not None, "only what is over is told as over"
    return "\n".join(
        [
            "A message from the house.",
            "",
            f"The program that reads along here, to call the team when somebody is in danger, works again. "
            f"It did not work as it should from {_clock(notice.since)} to {_clock(notice.until)}.",
            "",
            "If you wrote something then that the team should know, you can write it again.",
        ]
    )


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(LONDON):%A %H:%M}"
