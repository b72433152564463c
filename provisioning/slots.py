"""`keyhouse slots`: add a therapist's slots, one or a weekly series, list them and take them away."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from keyhouse.core.booking import Booking
from keyhouse.core.booking_ports import SlotStanding
from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.ids import Condition, SlotNumber, UserId, localpart
from keyhouse.core.sentences import sentence
from keyhouse.core.slots import Conflict, Mode, SlotPlan, Span, state_of
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows import booking_slots
from keyhouse.settings.booking import FILE, load_booking
from keyhouse.settings.times import TimeFault, read_day, read_moment, read_weekly
from provisioning.answers import Failure, House, answer, now, open_house

app = typer.Typer(no_args_is_help=True)
HOST = "host"
_MOST_MIN = 10_000
_LARGEST_NUMBER = 2**31 - 1
Several = list[str] | None


@app.command()
def add(
    ctx: typer.Context,
    therapist: Annotated[str, typer.Option("--therapist", help="A clinician's user id, or the part before the colon.")],
    at: Annotated[str, typer.Option("--at", help='Such as "2027-03-29 10:00"; London time when it names no zone.')],
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=_MOST_MIN, help="How long a session lasts.")],
    condition: Annotated[
        Several, typer.Option("--condition", help="Whose key opens it; may be repeated. None: every condition's.")
    ] = None,
    weekly: Annotated[bool, typer.Option("--weekly", help="One every week, at the same time of day.")] = False,
    until: Annotated[str | None, typer.Option("--until", help="The last day of the series.")] = None,
    leave_out: Annotated[Several, typer.Option("--except", help="A day without one; may be repeated.")] = None,
    in_person: Annotated[bool, typer.Option("--in-person", help="Not online.")] = False,
    before: Annotated[int, typer.Option("--before", min=0, max=_MOST_MIN, help="Minutes kept free before each.")] = 0,
    after: Annotated[int, typer.Option("--after", min=0, max=_MOST_MIN, help="Minutes kept free after each.")] = 0,
) -> None:
    """Add a slot, or a weekly series; all of them, or none when one is in the way of another slot."""
    if (until or leave_out) and not weekly:
        raise typer.BadParameter("--until and --except belong to --weekly")
    house = open_house(ctx)
    rules = _rules(house)
    known = house.building().conditions
    starts = _starts(at, weekly, until, leave_out or (), rules.zone)
    plan = SlotPlan(
        UserId(therapist if therapist.startswith("@") else house.settings.user_id(therapist)),
        frozenset(Condition(one) for one in condition or known),
        Mode.IN_PERSON if in_person else Mode.ONLINE,
        tuple(Span(start, start + timedelta(minutes=minutes)) for start in starts),
        timedelta(minutes=before),
        timedelta(minutes=after),
    )
    moment = now()
    with house.store.writing() as tx:
        outcome = booking_slots.add_slots(tx, plan, known, HOST, rules, moment)
    if isinstance(outcome, Refused):
        raise Failure(sentence(outcome.reason))
    if outcome.conflicts:
        raise Failure(_conflicting(outcome.conflicts, rules.zone))
    _tell([SlotStanding(slot, None, None) for slot in outcome.slots], rules.zone, moment)


@app.command("list")
def list_(
    ctx: typer.Context,
    therapist: Annotated[str | None, typer.Option("--therapist", help="Only this therapist's.")] = None,
    past: Annotated[bool, typer.Option("--past", help="Also those that are over.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many.")] = 10_000,
) -> None:
    """Show the slots in the order of time, also booked and withdrawn ones."""
    house, moment = open_house(ctx), now()
    who = None if therapist is None else therapist if therapist.startswith("@") else house.settings.user_id(therapist)
    ends_after = datetime.min.replace(tzinfo=moment.tzinfo) + timedelta(days=2) if past else moment
    with house.store.reading() as tx:
        found = tx.slots.listed(ends_after=ends_after, limit=limit, therapist=UserId(who) if who else None)
    _tell(found, _rules(house).zone, moment)


@app.command()
def withdraw(
    ctx: typer.Context,
    numbers: Annotated[
        list[int], typer.Argument(metavar="N...", min=1, max=_LARGEST_NUMBER, help="The slots' numbers.")
    ],
    cancel_bookings: Annotated[
        bool, typer.Option("--cancel-bookings", help="Also booked ones: each person is told, and offered new times.")
    ] = False,
) -> None:
    """Take slots away, all or none. Without --cancel-bookings nothing is changed when one of them is booked."""
    house, moment = open_house(ctx), now()
    wanted = {SlotNumber(number) for number in numbers}
    with house.store.writing() as tx:
        outcome = booking_slots.withdraw_slots(tx, wanted, HOST, moment, even_if_booked=cancel_bookings)
    if isinstance(outcome, Refused):
        raise Failure(_why_not_withdrawn(outcome.reason))
    zone = _rules(house).zone
    if not outcome.done:
        raise Failure(_would_cancel(outcome.affected, zone))
    documents = [_document(SlotStanding(slot, None, None), moment) for slot in outcome.slots]
    cancelled = [{"slot": one.slot, "person": one.person, "starts_at": one.starts_at} for one in outcome.affected]
    answer({"slots": documents, "cancelled": cancelled}, lambda console: _show_withdrawn(console, outcome))


def _rules(house: House) -> BookingRules:
    return load_booking(house.settings.config / FILE)


def _starts(at: str, weekly: bool, until: str | None, leave_out: Iterable[str], zone: tzinfo) -> Sequence[datetime]:
    try:
        if not weekly:
            return [read_moment(at, zone)]
        end = read_day(until) if until is not None else None
        return read_weekly(at, end, [read_day(day) for day in leave_out], zone)
    except TimeFault as fault:
        raise Failure(str(fault)) from fault


def _conflicting(conflicts: Sequence[Conflict], zone: tzinfo) -> str:
    """Say every conflict on a line of its own."""
    lines = []
    for one in conflicts:
        wanted = _clock(one.wanted.starts_at, zone)
        other = f"slot {one.taken_by.number}, {_clock(one.taken_by.starts_at, zone)}" if one.taken_by else "another one"
        lines.append(f"{wanted}: {other} is in the way, with its buffers")
    return "\n".join([*lines, "nothing was added; leave these days out with --except, or choose another time"])


def _would_cancel(affected: Sequence[Booking], zone: tzinfo) -> str:
    booked = [f"slot {one.slot}, {_clock(one.starts_at, zone)}, is booked by {one.person}" for one in affected]
    return "\n".join([*booked, "nothing was changed; give --cancel-bookings to tell them and offer them new times"])


def _why_not_withdrawn(reason: Reason) -> str:
    if reason is Reason.SLOT_NOT_THERE:
        return "one of these numbers is no slot's; nothing was changed, `keyhouse slots list` shows them"
    if reason is Reason.SLOT_OVER:
        return "one of these slots has begun or is over; nothing was changed, `keyhouse slots list` shows the others"
    return sentence(reason)


def _document(standing: SlotStanding, moment: datetime) -> dict[str, Any]:
    slot, offer = standing.slot, standing.offer
    held_until = offer.until if offer else None
    state = state_of(slot, booked=standing.booking is not None, held_until=held_until, now=moment)
    return {
        "number": slot.number,
        "therapist": slot.therapist,
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "conditions": sorted(slot.conditions),
        "mode": slot.mode.value,
        "state": state.value,
    }


def _tell(found: Sequence[SlotStanding], zone: tzinfo, moment: datetime) -> None:
    documents = [_document(one, moment) for one in found]
    answer({"slots": documents}, lambda console: _show(console, documents, zone))


def _show(console: Console, documents: Sequence[dict[str, Any]], zone: tzinfo) -> None:
    table = Table(box=None, header_style="bold")
    for title in ("slot", "begins", "ends", "therapist", "where", "state"):
        table.add_column(title, no_wrap=True)
    table.add_column("conditions")
    for each in documents:
        times = _clock(each["starts_at"], zone), f"{each['ends_at'].astimezone(zone):%H:%M}"
        where, conditions = each["mode"].replace("_", " "), ", ".join(each["conditions"])
        table.add_row(str(each["number"]), *times, localpart(each["therapist"]), where, each["state"], conditions)
    console.print(table)


def _show_withdrawn(console: Console, outcome: booking_slots.Withdrawal) -> None:
    console.print(f"{len(outcome.slots)} withdrawn: {', '.join(str(slot.number) for slot in outcome.slots)}.")
    if outcome.affected:
        console.print(f"{len(outcome.affected)} booked sessions are cancelled; each person is told, with new times.")


def _clock(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%a %-d %b %Y, %H:%M}"
