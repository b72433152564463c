"""What the watcher says to the person who wrote. Neutral first words: a phone may be shared."""

from keyhouse.core.signposting import Signposting


def signposting_text(name: str, signposting: Signposting) -> str:
    """Write the private message that follows an urgent or worrying one. The case is stored before it is sent."""
    return "\n".join(
        [
            "A message for you from the house.",
            "",
            f"{name}, it sounds as if things are very hard right now, and I am glad you said so. "
            "You are not in trouble for writing it.",
            "",
            "The team has been told and will look at it. This house is not a crisis service, "
            "and nobody watches it every minute.",
            "",
            *(f"- {line}" for line in signposting.lines),
            "",
            'You can write here at any time. Write "call me" if you would like the team to contact you.',
        ]
    )


def write_again_text(name: str, signposting: Signposting) -> str:
    """Write the private message to somebody whose message the house could not read. Nothing is taken away from them."""
    return "\n".join(
        [
            "A message for you from the house.",
            "",
            f"{name}, we could not read a message that you wrote in the house; others in the room may have. We are "
            "sorry: nothing is wrong with what you did.",
            "",
            "**Please write it again, there or here.** If it does not arrive then either, close your app and open it "
            "again. The team has been told that a message of yours is missing.",
            "",
            "If you need help now, this house is not a crisis service:",
            "",
            *(f"- {line}" for line in signposting.lines),
            "",
            'You can write here at any time. Write "call me" if you would like the team to contact you.',
        ]
    )
