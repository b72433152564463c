"""DIR/ready.json, and what the person who started the house reads when it stands."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from keyhouse.core.people import Role
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.settings.house import HouseSettings
from provisioning.programs import BOTS


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What a person needs to try the house. link: the front door with the code already filled in."""

    clinician: str
    password: str = field(repr=False)
    patient_code: str = field(repr=False)
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ready:
    """A house whose processes are all ready. rooms: every room that the building file made."""

    settings: HouseSettings
    rooms: tuple[RoomScope, ...]
    demonstration: Demonstration | None

    def document(self) -> dict[str, Any]:
        """Return what ready.json holds."""
        document: dict[str, Any] = {
            "homeserver": self.settings.homeserver,
            "server_name": self.settings.server_name,
            "front_door": self.settings.front_door,
            "spaces": _spaces(self.rooms),
            "bots": {bot.value: self.settings.user_id(account) for bot, account in BOTS.items()},
            "care_rooms": {
                room.service: room.room_id for room in self.rooms if room.kind is RoomKind.CARE and room.service
            },
            "pid": os.getpid(),
        }
        if demo := self.demonstration:
            document["demo"] = {
                "clinician": {"user_id": demo.clinician, "password": demo.password},
                "patient_code": demo.patient_code,
            }
        return document


def write_ready(file: Path, ready: Ready) -> None:
    """Write ready.json for this account alone; a reader sees all of it or nothing."""
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        json.dump(ready.document(), stream, indent=1)
    part.replace(file)


def show_ready(console: Console, ready: Ready) -> None:
    """Print where the house is, and for a demonstration how to come in."""
    settings = ready.settings
    console.print(f"\n[bold]The house is up.[/bold]\n\n  Homeserver   {settings.homeserver}   ({settings.server_name})")
    console.print(f"  Front door   {settings.front_door}")
    if demo := ready.demonstration:
        console.print(f"\n  A clinician  {demo.clinician}\n  password     {demo.password}", markup=False)
        console.print(f"\n  A patient's code, good for one account: [bold]{demo.patient_code}[/bold]")
        console.print(f"  {demo.link}\n", markup=False)
        _show_square(console, demo.link)
    console.print("\nStop it with Ctrl-C here, or with `keyhouse down` elsewhere.")


def _show_square(console: Console, words: str) -> None:
    import segno

    drawn = StringIO()
    segno.make(words, micro=False).terminal(out=drawn, compact=True)
    # Straight to the file: the square is drawn with the terminal's own colour codes, which rich would show as text.
    console.file.write(drawn.getvalue())


def _spaces(rooms: Iterable[RoomScope]) -> dict[str, str]:
    """Return one space for each condition: the patients', or the carers' where there are no patients."""
    found: dict[str, str] = {}
    of_kind = [room for room in rooms if room.kind is RoomKind.SPACE]
    for room in sorted(of_kind, key=lambda room: Role.PATIENT not in room.roles):
        for condition in room.conditions:
            found.setdefault(condition, room.room_id)
    return found
