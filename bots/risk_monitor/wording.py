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
