"""What the concierge says to somebody whose words did not go out. Neutral first words: a phone may be shared."""

from collections.abc import Mapping

from keyhouse.core.sentences import sentence
from keyhouse.core.signposting import Signposting
from keyhouse.core.verdict import Reason
from keyhouse.core.workflows.pictures import TAKEN_AWAY

_DID_NOT_GO_OUT = "a message that you wrote did not go out."
_NO_PICTURES = (
    "pictures, files, voice messages, stickers, places, calls and names of one's own are not carried in the house, so "
    "that nobody can be known by them."
)
_NOBODY_READ_IT = "Nobody has read it, neither the team nor a program, and it was not judged."
_IN_WORDS = "Please say it in words, there or here."

# The shared sentences send people to their desk, and this is read there.
_WHY = {
    Reason.RULES_NOT_AGREED: (
        f"{_DID_NOT_GO_OUT} The rules of the house come first: read `!rules`, then write `!agree`. "
        "After that, please write your message again."
    ),
    Reason.PAUSED: f"{_DID_NOT_GO_OUT} Your account can read but not write in the other rooms just now.",
    Reason.NOT_CARRIED: f"something that you sent did not go out: {_NO_PICTURES} {_IN_WORDS}",
}
_TAKEN_AWAY = f"something that you sent was taken away again: {_NO_PICTURES} {_IN_WORDS}"
_NOT_LOOKED_AT = (
    "You are not in trouble for it. Nobody has looked at it, neither the team nor a program: it was not judged. "
    "Only words beside it were read."
)


def unsent_text(name: str, content: Mapping[str, object], signposting: Signposting) -> str:
    """Write what became of somebody's words, why, and what to do. content: of the UNSENT decision."""
    taken_away = content.get(TAKEN_AWAY) is True
    why = _TAKEN_AWAY if taken_away else _why(content.get("reason"))
    return "\n".join(
        [
            "A message for you from the house.",
            "",
            f"{name}, {why}",
            "",
            f"{_NOT_LOOKED_AT if taken_away else _NOBODY_READ_IT} **You can write to us here, now and at any time.** "
            'Write "call me" if you would like the team to contact you.',
            "",
            "If you need help now, this house is not a crisis service:",
            "",
            *(f"- {line}" for line in signposting.lines),
        ]
    )


def _why(reason: object) -> str:
    if not isinstance(reason, str) or reason not in set(Reason):
        return f"{_DID_NOT_GO_OUT} Please write it again, there or here."
    known = Reason(reason)
    return _WHY.get(known) or f"{_DID_NOT_GO_OUT} {sentence(known)}"
