"""`keyhouse people`: team accounts, what a person may enter, and how a person stands. Never who somebody is."""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import Console

from keyhouse.core.ids import Condition, UserId
from keyhouse.core.people import REFERRED_ROLES, PersonState, Role
from keyhouse.core.sentences import sentence
from keyhouse.core.verdict import Refused
from keyhouse.core.workflows.keys import KeyChange, change_keys
from keyhouse.core.workflows.moves import rooms_opened
from provisioning import standing
from provisioning.answers import Failure, House, answer, now, open_house
from provisioning.people_shown import Document, Names, Who, document, found, room_names, show_all, show_one
from provisioning.team import add_team_member

app = typer.Typer(no_args_is_help=True)
standing.register(app)

Several = list[str] | None


@app.command()
def add(
    ctx: typer.Context,
    role: Annotated[Role, typer.Option("--role", help="clinician.")],
    name: Annotated[str, typer.Option("--name", help="As the people in the rooms will read it, before the mark.")],
) -> None:
    """Make a named team account. Its password is shown this once."""
    user_id, password = add_team_member(open_house(ctx), role, name)
    answer({"user_id": user_id, "password": password}, lambda console: _show_added(console, user_id, password))


@app.command()
def show(ctx: typer.Context, user: Who) -> None:
    """Show one person's role, conditions, rooms and state."""
    house = open_house(ctx)
    with house.store.reading() as tx:
        about, names = document(tx, found(tx, house, user)), room_names(tx)
    answer(about, lambda console: show_one(console, about, names))


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """Show everybody who lives or works here; the house's own accounts are left out."""
    with open_house(ctx).store.reading() as tx:
        documents = [document(tx, person) for person in tx.people.all() if person.role is not Role.SERVICE]
    answer({"people": documents}, lambda console: show_all(console, documents))


@app.command("set")
def set_(
    ctx: typer.Context,
    user: Who,
    add_condition: Annotated[Several, typer.Option("--add-condition", help="May be repeated.")] = None,
    remove_condition: Annotated[Several, typer.Option("--remove-condition", help="May be repeated.")] = None,
    role: Annotated[Role | None, typer.Option("--role", help="patient, carer or peer.")] = None,
    override_exclusion: Annotated[
        bool,
        typer.Option("--override-exclusion", help="A clinician wants what is never held together held by this person."),
    ] = False,
) -> None:
    """Change what a person holds; within seconds the memberships follow."""
    if not (add_condition or remove_condition or role):
        raise typer.BadParameter("say what to change, with --add-condition, --remove-condition or --role")
    house = open_house(ctx)
    change = KeyChange(_conditions(add_condition), _conditions(remove_condition), role, "host", override_exclusion)
    about, names = _changed(house, user, change)
    answer(about, lambda console: show_one(console, about, names))


def _changed(house: House, user: str, change: KeyChange) -> tuple[Document, Names]:
    building = house.building()
    with house.store.writing() as tx:
        person = found(tx, house, user)
        if person.state is PersonState.CLOSED:
            raise Failure(standing.CLOSED_FOR_GOOD)
        if change.role is not None and not {person.role, change.role} <= REFERRED_ROLES:
            raise Failure("only patients, carers and peers change their role; add a team account with `people add`")
        outcome = change_keys(tx, person.user_id, change, building.conditions, building.exclusions, now())
        if isinstance(outcome, Refused):
            raise Failure(sentence(outcome.reason))
        about = document(tx, outcome)
        if change.override_exclusion:
            about["opens"] = [scope.room_id for scope in rooms_opened(tx, outcome, now())]
        return about, room_names(tx)


def _conditions(words: Iterable[str] | None) -> frozenset[Condition]:
    return frozenset(Condition(word) for word in words or ())


def _show_added(console: Console, user_id: UserId, password: str) -> None:
    console.print(f"Account   {user_id}\nPassword  {password}\n", style="bold")
    console.print("The password is shown this once. The rooms follow by themselves, within a minute.")
