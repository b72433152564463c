"""What the watcher does about pictures: their words are judged like any others, then they are taken away."""

from bots.runtime.received import Message, Reaction
from keyhouse.core.pictures import reacts_with_a_picture, shows_a_picture
from keyhouse.core.rooms import RoomScope

_BESIDE = "(Beside these words stood a picture, file, voice or place. It was taken away, and nobody judged it.)"


def has_to_go(event: Message | Reaction, scope: RoomScope | None) -> bool:
    """Say whether an event shows what is not carried; in a room that the house does not know or watch all stays."""
    if scope is None or not (scope.rules.watched and scope.rules.encrypted):
        return False
    if isinstance(event, Reaction):
        return reacts_with_a_picture(event.key)
    return shows_a_picture(event.type, event.content)


def words_beside(words: str) -> str:
    """Tell the team, with the words that a person wrote, that something else stood there."""
    return f"{_BESIDE}\n{words}"
