"""How `keyhouse people` finds somebody and shows them: role, conditions, rooms and state, never who somebody is."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.memberships import MembershipState
from keyhouse.core.people import Person, held
from keyhouse.core.ports import Transaction
from provisioning.answers import Failure, House, now

Who = Annotated[str, typer.Argument(metavar="USER", help="A full user id, or the part before the colon.")]
Names = Mapping[RoomId, str]
Document = dict[str, Any]


def found(tx: Transaction, house: House, user: str) -> Person:
    """Find whom the command line names; raises Failure when it is nobody."""
    user_id = UserId(user if user.startswith("@") else house.settings.user_id(user))
    person = tx.people.get(user_id)
    if person is None:
        raise Failure(f"nobody here has the account {user}; `keyhouse people list` shows everybody")
    return person


def document(tx: Transaction, person: Person) -> Document:
    """Return the document about one person. name: what the others read."""
    places = tx.memberships.of(person.user_id)
    return {
        "user_id": person.user_id,
        "name": person.name,
        "role": person.role.value,
        "conditions": sorted(held(tx.people.keys(person.user_id), now())),
        "rooms": sorted(place.room_id for place in places if place.state is MembershipState.JOINED),
        "state": person.state.value,
    }


def room_names(tx: Transaction) -> Names:
    """Return what every room is called."""
    return {scope.room_id: scope.name for scope in tx.rooms.all()}


def show_one(console: Console, about: Document, names: Names) -> None:
    """Print one person's document for somebody to read. opens: the rooms that the keys open, if it is there."""
    for word in ("user_id", "name", "role", "state"):
        console.print(f"{word.replace('_', ' '):12}{about[word]}")
    console.print(f"{'conditions':12}{', '.join(about['conditions']) or 'none'}")
    for word in ("rooms", "opens"):
        if word in about:
            rooms = sorted(names.get(room, room) for room in about[word])
            console.print(f"{word:12}{', '.join(rooms) or 'none'}")


def show_all(console: Console, documents: list[Document]) -> None:
    """Print everybody in one table."""
    table = Table("account", "name", "role", "state", "conditions", "rooms", box=None, header_style="bold")
    for each in documents:
        rooms = str(len(each["rooms"]))
        table.add_row(each["user_id"], each["name"], each["role"], each["state"], ", ".join(each["conditions"]), rooms)
    console.print(table)
