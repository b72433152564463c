"""What clinicians read in the care room about a case."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bots.runtime.words import link_to, notice, quoted, spoken
from keyhouse.core.cases import Case, CaseState
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.people import TEAM_ROLES, PersonState
from keyhouse.core.ports import Transaction
from keyhouse.core.urgency import Urgency

LONDON = ZoneInfo("Europe/London")
SHORTCUTS = {"👀": "claim", "✅": "close", "❌": "false"}
WORDS_KEY = "uk.keyhouse.words"
CASE_KEY = "uk.keyhouse.case"

_HEAD = {
    Urgency.URGENT: "🔴 **Urgent: a human within 5 minutes**",
    Urgency.CONCERN: "🟠 **Concern: a human within this shift**",
    Urgency.WATCH: "🟡 **Watch: a human by the next working day**",
    Urgency.NONE: "**For a human to look at**",
}


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card shows. team: who is rung, the active team. room_names: by room id."""

    case: Case
    author: str
    holder: str | None
    room_names: dict[RoomId, str]
    team: tuple[UserId, ...]


def card_facts(tx: Transaction, case: Case) -> CardFacts:
    """Gather what the card of this case shows."""
    author = tx.people.get(case.author)
    holder = tx.people.get(case.claimed_by) if case.claimed_by else None
    scopes = (tx.rooms.get(room) for room in {alert.room_id for alert in case.alerts})
    team = (person for role in sorted(TEAM_ROLES) for person in tx.people.with_role(role))
    return CardFacts(
        case,
        author.name if author else "somebody",
        holder.name if holder else None,
        {scope.room_id: scope.name for scope in scopes if scope},
        tuple(person.user_id for person in team if person.state is PersonState.ACTIVE),
    )


def card(facts: CardFacts, words: str, server_name: str) -> dict[str, Any]:
    """Write the card. words: what the person wrote, kept inside the encrypted card so that edits can show it again."""
    case, first = facts.case, facts.case.alerts[0]
    lines = [
        _HEAD[case.urgency] if case.is_open else "⚪ **Closed**",
        f"**Case {case.number}** · {facts.author} · {_where(facts, first.room_id)} · {_clock(first.raised_at)}",
        "",
        quoted(words),
        "",
        f"Why: {first.category.replace('_', ' ')} ({', '.join(first.rules)}). A program sorted this message; "
        "it may be wrong.",
        link_to(first.room_id, first.event_id, server_name, "Go to the message"),
        *_more(case),
        "",
        _standing(facts),
        *_next_steps(case),
    ]
    mentions = facts.team if case.urgency.alerts() and case.state is CaseState.RAISED else ()
    return {**spoken("\n".join(lines), mentions), CASE_KEY: case.number, WORDS_KEY: words}


def again(facts: CardFacts, event_id: str, urgency: Urgency, words: str) -> dict[str, Any]:
    """Write the short message that rings the holder, or the team, when the same person alerts again.

    urgency: of this message, which may have been unreadable when its alert was kept.
    """
    case = facts.case
    alert = next((alert for alert in case.alerts if alert.event_id == event_id), case.alerts[-1])
    ring = (case.claimed_by,) if case.claimed_by else facts.team
    lines = [
        f"**Case {case.number} again** · {facts.author} · {urgency.value} · {_where(facts, alert.room_id)}",
        "",
        quoted(words),
    ]
    return spoken("\n".join(lines), ring if urgency.alerts() else (), reply_to=case.card)


def probe_card(words: str) -> dict[str, Any]:
    """Write the card that answers the house's own check. words: what the probe wrote, with its number."""
    return notice(quoted(words))


def case_line(case: Case, author: str) -> str:
    """Write one case as one line of a list."""
    return f"- **{case.number}** · {case.urgency.value} · {author} · {_clock(case.raised_at)} · {case.state.value}"


def _where(facts: CardFacts, room_id: RoomId) -> str:
    return facts.room_names.get(room_id, "a room of the house")


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(LONDON):%a %H:%M}"


def _more(case: Case) -> list[str]:
    return [f"{len(case.alerts)} messages in this case."] if len(case.alerts) > 1 else []


def _standing(facts: CardFacts) -> str:
    case = facts.case
    match case.state:
        case CaseState.RAISED:
            return "**Nobody has it yet.**"
        case CaseState.ESCALATED:
            return "**Nobody has it yet, and its time is over.**"
        case CaseState.CLAIMED:
            return f"**Taken by {facts.holder}** at {_clock(case.claimed_at or case.raised_at)}."
        case CaseState.CLOSED:
            outcome = case.outcome.value if case.outcome else "no outcome"
            return f"**Closed: {outcome}**, at {_clock(case.closed_at or case.raised_at)}, by {facts.holder}."


def _next_steps(case: Case) -> list[str]:
    number = case.number
    if not case.is_open:
        return []
    claim = [] if case.claimed_by else [f"- 👀 or `!claim {number}`: I take it"]
    return [
        "",
        *claim,
        f"- ✅ or `!close {number} support`: done",
        f"- ❌ or `!false {number}`: false alarm",
    ]
