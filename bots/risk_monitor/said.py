"""Which words of an event the watcher judges."""

from bots.runtime.received import Message, Reaction
from keyhouse.core.matching.selection import Selection, select, select_any

_KINDS = frozenset({"m.room.message", "m.sticker", "m.poll.start", "org.matrix.msc3381.poll.start"})
_MACHINES_TALK = ("m.call.", "m.key.verification.")
"""Events whose long texts are for clients alone."""


def words_said(event: Message | Reaction) -> Selection | None:
    """Choose the words to be judged; None for a reaction without a letter, which says nothing."""
    if isinstance(event, Reaction):
        return Selection(event.key) if any(char.isalpha() for char in event.key) else None
    known = event.type in _KINDS or event.type.startswith(_MACHINES_TALK)
    return select(event.content) if known else select_any(event.content)
