"""`keyhouse people`: team accounts, and what a person may enter. Never who somebody is."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from keyhouse.core.ids import Condition, RoomId, UserId
from keyhouse.core.memberships import MembershipState
from keyhouse.core.people import REFERRED_ROLES, Person, Role, held
from keyhouse.core.ports import Transaction
from keyhouse.core.sentences import sentence
from keyhouse.core.verdict import Refused
from keyhouse.core.workflows.keys import KeyChange, change_keys
from provisioning.answers import Failure, House, answer, now, open_house
from provisioning.team import add_team_member

app = typer.Typer(no_args_is_help=True)

Who = Annotated[str, typer.Argument(metavar="USER", help="A full user id, or the part before the colon.")]
Several = list[str] | None
Names = Mapping[RoomId, str]


@app.command()
def add(
    ctx: typer.Context,
    role: Annotated[Role, typer.Option("--role", help="clinician.")],
    name: Annotated[str, typer.Option("--name", help="As the people in the rooms will read it.")],
) -> None:
    """Make a named team account. Its password is shown this once."""
    user_id, password = add_team_member(open_house(ctx), role, name)
    answer({"user_id": user_id, "password": password}, lambda console: _show_added(console, user_id, password))


@app.command()
def show(ctx: typer.Context, user: Who) -> None:
    """Show one person's role, conditions, rooms and state."""
    house = open_house(ctx)
    with house.store.reading() as tx:
        document = _document(tx, _found(tx, house, user))
        names = _names(tx)
    answer(document, lambda console: _show(console, document, names))


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """Show everybody who lives or works here; the house's own accounts are left out."""
    with open_house(ctx).store.reading() as tx:
        documents = [_document(tx, person) for person in tx.people.all() if person.role is not Role.SERVICE]
    answer({"people": documents}, lambda console: _show_all(console, documents))


@app.command("set")
def set_(
    ctx: typer.Context,
    user: Who,
    add_condition: Annotated[Several, typer.Option("--add-condition", help="May be repeated.")] = None,
    remove_condition: Annotated[Several, typer.Option("--remove-condition", help="May be repeated.")] = None,
    role: Annotated[Role | None, typer.Option("--role", help="patient, carer or peer.")] = None,
) -> None:
    """Change what a person holds; within seconds the memberships follow."""
    if not (add_condition or remove_condition or role):
        raise typer.BadParameter("say what to change, with --add-condition, --remove-condition or --role")
    house = open_house(ctx)
    change = KeyChange(_conditions(add_condition), _conditions(remove_condition), role, by="host")
    document, names = _changed(house, user, change)
    answer(document, lambda console: _show(console, document, names))


def _changed(house: House, user: str, change: KeyChange) -> tuple[dict[str, Any], Names]:
    building = house.building()
    with house.store.writing() as tx:
        person = _found(tx, house, user)
        if change.role is not None and not {person.role, change.role} <= REFERRED_ROLES:
            raise Failure("only patients, carers and peers change their role; add a team account with `people add`")
        outcome = change_keys(tx, person.user_id, change, building.conditions, building.exclusions, now())
        if isinstance(outcome, Refused):
            raise Failure(sentence(outcome.reason))
        return _document(tx, outcome), _names(tx)


def _found(tx: Transaction, house: House, user: str) -> Person:
    user_id = UserId(user if user.startswith("@") else house.settings.user_id(user))
    person = tx.people.get(user_id)
    if person is None:
        raise Failure(f"nobody here has the account {user}; `keyhouse people list` shows everybody")
    return person


def _document(tx: Transaction, person: Person) -> dict[str, Any]:
    places = tx.memberships.of(person.user_id)
    return {
        "user_id": person.user_id,
        "role": person.role.value,
        "conditions": sorted(held(tx.people.keys(person.user_id), now())),
        "rooms": sorted(place.room_id for place in places if place.state is MembershipState.JOINED),
        "state": person.state.value,
    }


def _names(tx: Transaction) -> Names:
    return {scope.room_id: scope.name for scope in tx.rooms.all()}


def _conditions(words: Iterable[str] | None) -> frozenset[Condition]:
    return frozenset(Condition(word) for word in words or ())


def _show_added(console: Console, user_id: UserId, password: str) -> None:
    console.print(f"Account   {user_id}\nPassword  {password}\n", style="bold")
    console.print("The password is shown this once. The rooms follow by themselves, within a minute.")


def _show(console: Console, document: dict[str, Any], names: Names) -> None:
    for word in ("user_id", "role", "state"):
        console.print(f"{word.replace('_', ' '):12}{document[word]}")
    console.print(f"{'conditions':12}{', '.join(document['conditions']) or 'none'}")
    rooms = sorted(names.get(room, room) for room in document["rooms"])
    console.print(f"{'rooms':12}{', '.join(rooms) or 'none yet'}")


def _show_all(console: Console, documents: list[dict[str, Any]]) -> None:
    table = Table("account", "role", "state", "conditions", "rooms", box=None, header_style="bold")
    for each in documents:
        rooms = str(len(each["rooms"]))
        table.add_row(each["user_id"], each["role"], each["state"], ", ".join(each["conditions"]), rooms)
    console.print(table)
