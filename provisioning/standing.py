"""`keyhouse people pause | resume | close | rename`: how somebody stands in the house, and under which name."""

from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console

from keyhouse.core.people import TEAM_ROLES, Person
from keyhouse.core.ports import Transaction
from keyhouse.core.sentences import sentence
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows import standing
from keyhouse.core.workflows.booking import give_back_all
from keyhouse.settings.booking import FILE, load_booking
from provisioning.answers import Failure, House, answer, now, open_house
from provisioning.people_shown import Document, Names, Who, document, found, room_names, show_one
from provisioning.pseudonyms import draw_pseudonym

HOST = "host"
CLOSED_FOR_GOOD = (
    "this account is closed for good; the person comes in again with a new code, `keyhouse referral issue`"
)
_DRAWS = 20
_SAID = {
    Reason.PERSON_CLOSED: CLOSED_FOR_GOOD,
    Reason.CASE_STILL_OPEN: (
        "this person has an open case (`keyhouse cases list`); let the team close it first, or say "
        "--even-with-open-case: the account ends now, and its words are taken back when the case is closed"
    ),
}

Act = Callable[[Transaction, Person], Person | Refused]


def register(app: typer.Typer) -> None:
    """Add these commands to `keyhouse people`."""
    for command in (pause, resume, close, rename):
        app.command()(command)


def pause(ctx: typer.Context, user: Who) -> None:
    """Let a person read only, except at the desk and in therapy; the rooms stay."""
    moment = now()
    _do(
        open_house(ctx),
        user,
        lambda tx, person: standing.pause(tx, person.user_id, HOST, moment),
        "Within seconds it is so.",
    )


def resume(ctx: typer.Context, user: Who) -> None:
    """Let a paused person write again."""
    moment = now()
    _do(
        open_house(ctx),
        user,
        lambda tx, person: standing.resume(tx, person.user_id, HOST, moment),
        "Within seconds it is so.",
    )


def close(
    ctx: typer.Context,
    user: Who,
    even_with_open_case: Annotated[
        bool, typer.Option("--even-with-open-case", help="Close although a case about this person is open.")
    ] = False,
) -> None:
    """Close an account for good: sessions given back, out of every room, signed out, its words taken back.

    The name is never given again.
    """
    moment, house = now(), open_house(ctx)
    rules = load_booking(house.settings.config / FILE)

    def act(tx: Transaction, person: Person) -> Person | Refused:
        # First, because both end with the audit chain; a refusal undoes it.
        give_back_all(tx, person.user_id, rules, moment)
        return standing.close(tx, person.user_id, HOST, moment, even_with_open_case=even_with_open_case)

    _do(house, user, act, "The caretaker ends the account within seconds; taking back many words takes some minutes.")


def rename(ctx: typer.Context, user: Who) -> None:
    """Give an unlucky name away: a new one is drawn. To a team account of an older house: add the team's mark."""
    moment = now()

    def act(tx: Transaction, person: Person) -> Person | Refused:
        if person.role in TEAM_ROLES:
            return standing.mark_as_team(tx, person.user_id, HOST, moment)
        return _renamed(lambda name: standing.rename(tx, person.user_id, name, HOST, moment))

    _do(
        open_house(ctx),
        user,
        act,
        "The rooms show the new name within seconds. The account to sign in with stays as it is.",
    )


def _renamed(attempt: Callable[[str], Person | Refused]) -> Person | Refused:
    outcome: Person | Refused = Refused(Reason.PSEUDONYM_TAKEN)
    for _ in range(_DRAWS):
        outcome = attempt(draw_pseudonym())
        if outcome != Refused(Reason.PSEUDONYM_TAKEN):
            break
    return outcome


def _do(house: House, user: str, act: Act, hint: str) -> None:
    about, names = _kept(house, user, act)

    def human(console: Console) -> None:
        show_one(console, about, names)
        console.print(f"\n{hint}")

    answer(about, human)


def _kept(house: House, user: str, act: Act) -> tuple[Document, Names]:
    with house.store.writing() as tx:
        outcome = act(tx, found(tx, house, user))
        if isinstance(outcome, Refused):
            raise Failure(_SAID.get(outcome.reason) or sentence(outcome.reason))
        return document(tx, outcome), room_names(tx)
