"""Which sessions are free, and what somebody is asked before one is booked from plain words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bots.booking.proposals import Proposals
from bots.booking.when import Understood, any_time
from bots.booking.wording import slot_lines, slot_text
from bots.runtime.answers import Question, Said
from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.ids import SlotNumber, UserId
from keyhouse.core.people import held
from keyhouse.core.ports import Transaction
from keyhouse.core.sentences import sentence
from keyhouse.core.slots import Slot
from keyhouse.core.verdict import Reason
from keyhouse.core.workflows.booking import PAGE, Asked, open_slots

YES, NO = "✅", "❌"
SLOT_KEY = "slot"
_PROPOSED = 3
_MORE = re.compile(r"^(.*?)\s*\bmore #?(\d{1,9})$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wish:
    """A list of sessions that somebody asked for. words: as typed.  after: the last slot of the page before."""

    understood: Understood
    words: str
    after: SlotNumber | None = None


def without_more(words: str) -> tuple[str, SlotNumber | None]:
    """Part "tuesday after 4 more 12" into the words and the number after which the list goes on."""
    found = _MORE.match(words)
    return (found[1], SlotNumber(int(found[2]))) if found else (words, None)


def list_slots(tx: Transaction, person: UserId, wish: Wish, rules: BookingRules, now: datetime) -> str:
    """List a page of what is free and what to write next."""
    asked = wish.understood.asked
    if wish.after is not None:
        last = _opened(tx, person, wish.after, now)
        if last is None:
            return sentence(Reason.SLOT_UNKNOWN)
        asked = replace(asked, after=last)
    found = open_slots(tx, person, asked, now, PAGE + 1)
    if not found:
        return _nothing(tx, person, wish, rules, now)
    shown, zone = found[:PAGE], rules.zone
    lines = [f"**Free, {wish.understood.said}**", "", *slot_lines(shown, zone, now), ""]
    lines.append(f"Write `!book {shown[0].number}` to take number {shown[0].number}.")
    if len(found) > PAGE:
        words = f"{wish.words} more" if wish.words else "more"
        lines.append(f"There are later ones: `!slots {words} {shown[-1].number}` shows them.")
    return "\n".join(lines)


def propose(
    tx: Transaction, person: UserId, understood: Understood, proposals: Proposals, rules: BookingRules, now: datetime
) -> Said:
    """Say back what was understood, and ask whether the first session that fits is to be booked."""
    found, zone = open_slots(tx, person, understood.asked, now, _PROPOSED), rules.zone
    if not found:
        return _nothing(tx, person, Wish(understood, ""), rules, now)
    first, others = found[0], found[1:]
    proposals.keep(person, first.number, now)
    lines = [
        f"I understood: {understood.said}. This one is free:",
        "",
        slot_text(first, zone, now),
        "",
        f"Tap {YES} or write `!yes` to book it. Nothing is booked yet.",
    ]
    if others:
        lines += [
            "",
            "Also free:",
            "",
            *slot_lines(others, zone, now),
            "",
            f"For one of these write `!book {others[0].number}`.",
        ]
    return Question("\n".join(lines), {SLOT_KEY: first.number}, (YES, NO))


def _nothing(tx: Transaction, person: UserId, wish: Wish, rules: BookingRules, now: datetime) -> str:
    if wish.after is not None:
        return "There are no later ones just now. `!slots` shows all that are free."
    others: Sequence[Slot] = [] if wish.understood == any_time() else open_slots(tx, person, Asked(), now, _PROPOSED)
    if not others:
        return (
            "No session is free for you just now. Write `!waitlist`, and we will ask you when one becomes free; "
            'or write "call me" if you would like the team to contact you.'
        )
    lines = [f"I understood: {wish.understood.said}. Nothing is free then. The next free ones are:", ""]
    lines += [*slot_lines(others, rules.zone, now), "", f"Write `!book {others[0].number}` to take one of them."]
    if wish.understood.lasting:
        lines.append("Or write `!waitlist` with your words, and we will ask you when one like that becomes free.")
    return "\n".join(lines)


def _opened(tx: Transaction, person: UserId, number: SlotNumber, now: datetime) -> Slot | None:
    """Find a slot that the person's keys open; the times of others are nobody's business."""
    slot = tx.slots.get(number)
    return slot if slot is not None and slot.conditions & held(tx.people.keys(person), now) else None
