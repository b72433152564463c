"""What the concierge says. Neutral first words: a phone may be shared."""

from collections.abc import Iterable

from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.signposting import Signposting

RULES = (
    "Be kind. Everybody here has had a hard time.",
    "Stay unknown: no names, faces, places, phone numbers or addresses, yours or anybody's.",
    "No numbers about weight, food or exercise, and nothing about how to do harm.",
    "What is said in the house stays in the house.",
)


def greeting_text(name: str, signposting: Signposting) -> str:
    """Write the first message that a person reads in the house."""
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
            "**This room is your desk:** only you, the concierge and that program are in it. You can always write "
            'here. Write "call me" if you would like the team to contact you, or `!help` to see what else you can do.',
            "",
            "One thing to do today: in your app's settings, save your recovery key somewhere safe. "
            "Nobody can get it back for you.",
        ]
    )


def rules_text() -> str:
    """Write the rules of the house."""
    return "\n".join(["**The rules of the house**", "", *(f"- {rule}" for rule in RULES)])


def rooms_text(rooms: Iterable[RoomScope]) -> str:
    """List a person's rooms by name."""
    shown = [room.name for room in rooms if room.kind not in (RoomKind.DESK, RoomKind.SPACE)]
    if not shown:
        return 'Your key opens no room just now. Write "call me" here, and the team will look at it.'
    return "\n".join(
        ["**Your rooms**", "", *(f"- {name}" for name in shown), "", "If you had left one, you are in again."]
    )
