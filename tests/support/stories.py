"""Respectful sentences, and what the real parts of the watcher make of each: from the event to the card."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bots.risk_monitor.cards import card, card_facts
from bots.risk_monitor.hearing import Heard, Hearing
from keyhouse.core.alerts import Alert
from keyhouse.core.ids import EventId, RoomId
from keyhouse.core.matching.judgement import Judgement, Place, judge
from keyhouse.core.matching.lexicon import ContextLine, compile_lexicon
from keyhouse.core.matching.selection import Selection, select
from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.core.people import Role
from keyhouse.core.urgency import Urgency
from keyhouse.core.workflows.alerting import raise_alert
from keyhouse.settings.lexicons import default_lexicon_directory, english_words, load_lexicons
from keyhouse.storage.memory import MemoryStore
from tests.support.household import ANOREXIA, NOW, care_room, desk, key, living_room, person, user

NAME = "river-clover-44"
ROOM = replace(living_room(ANOREXIA), room_id=RoomId("!willow"), slug="willow", name="The Willow living room")
_PLACE = Place(ROOM.kind.value, conditions=frozenset(map(str, ROOM.conditions)))
_AUTHOR = user(NAME)


@dataclass(frozen=True, slots=True)
class Story:
    """What one person writes. events: contents as a Matrix client sends them; it is the last that is told about."""

    title: str
    urgency: Urgency
    events: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a story's last message.

    before: what the watcher remembers beside it.  without_idioms: what it would be if the lexicon had no idioms.
    heard: what the watcher decided, None when no human need look.  card: its plain text, None when there is none.
    leaving: everything that leaves the house because of it.
    """

    said: Selection
    before: tuple[ContextLine, ...]
    judgement: Judgement
    without_idioms: Urgency
    heard: Heard | None
    card: str | None
    leaving: tuple[OutgoingKind, ...]


def _said(body: str, **more: Any) -> Mapping[str, Any]:
    return {"msgtype": "m.text", "body": body, **more}


_A_REPLY = {"m.relates_to": {"m.in_reply_to": {"event_id": "$question"}}}
STORIES = (
    Story("An urgent message", Urgency.URGENT, (_said("I am going to kill myself tonight"),)),
    Story(
        "A “not” that makes it harmless",
        Urgency.NONE,
        (_said("> <@moss> How are you?\n\nA dark evening, but I do not want to die", **_A_REPLY),),
    ),
    Story("A manner of speaking", Urgency.NONE, (_said("I want to die of embarrassment"),)),
    Story("One sentence in two messages", Urgency.CONCERN, (_said("I just want to"), _said("die"))),
    Story("A disguised word", Urgency.CONCERN, (_said("I want to d1e"),)),
)


class Watching:
    """A watcher of one small house, with the lexicon that comes along."""

    def __init__(self) -> None:
        lexicons = load_lexicons(default_lexicon_directory())
        bare = [replace(each, idioms=(), idiom_phrases=()) for each in lexicons]
        self.lexicon = compile_lexicon(lexicons, english_words())
        self._without_idioms = compile_lexicon(bare, english_words())

    def run(self, story: Story) -> Run:
        """Let the person write, and follow the last message to its end."""
        hearing = Hearing(lambda: self.lexicon)
        *earlier, last = map(select, story.events)
        for place, said in enumerate(earlier):
            hearing.listen(ROOM.room_id, f"${place}", _AUTHOR, said, ROOM, NOW)
        heard = hearing.listen(ROOM.room_id, "$last", _AUTHOR, last, ROOM, NOW).heard
        before = [ContextLine("self", said.text) for said in earlier]
        before += [ContextLine("other", last.quoted)] if last.quoted else []
        judgement = judge(last.text, self.lexicon, before, _PLACE)
        bare = judge(last.text, self._without_idioms, before, _PLACE).urgency
        shown, leaving = _raised(heard, last.text) if heard else (None, ())
        return Run(last, tuple(before), judgement, bare, heard, shown, leaving)


def _raised(heard: Heard, words: str) -> tuple[str, tuple[OutgoingKind, ...]]:
    """Keep the alert in a house that holds nothing else; returns its card and what leaves because of it."""
    store = _small_house()
    alert = Alert(EventId("$message"), ROOM.room_id, _AUTHOR, heard.urgency, heard.category, heard.rules, NOW)
    with store.writing() as tx:
        raised = raise_alert(tx, alert, words, NOW)
        assert raised is not None, "somebody of the house wrote it, so it is raised"
        shown = str(card(card_facts(tx, raised.case), words, "keyhouse.test")["body"])
    with store.reading() as tx:
        return shown, tuple(row.kind for row in tx.outbox.due(Worker.RISK_MONITOR, NOW, 99))


def _small_house() -> MemoryStore:
    store = MemoryStore()
    with store.writing() as tx:
        for scope in (care_room(), ROOM, desk(NAME)):
            tx.rooms.put(scope)
        tx.people.add(person("sam", Role.CLINICIAN))
        tx.people.add(person(NAME))
        tx.people.grant(key(NAME, ANOREXIA))
    return store
