"""People of the journeys, each at a client that is not ours."""

from dataclasses import dataclass

from tests.support.client import Client, Clients
from tests.support.house import RunningHouse


@dataclass(frozen=True)
class Patient:
    """Somebody who came in with a code."""

    client: Client
    living_room: str
    desk: str

    @property
    def user_id(self) -> str:
        """The full user id."""
        return self.client.user_id


async def room_named(client: Client, name: str, timeout: float = 30) -> str:
    """Wait until this client is in a room of this name, and give its id."""
    told = await client.command("wait_room", name=name, timeout=timeout)
    return str(told["room"])


async def newcomer(house: RunningHouse, clients: Clients, condition: str = "anorexia", name: str = "Willow") -> Patient:
    """Let somebody in by code, and wait until they are in their living room and at their desk; they have not agreed."""
    client = await clients.register_with_code(house.homeserver, await house.code(condition))
    living_room = await room_named(client, f"The {name} living room")
    return Patient(client, living_room, await room_named(client, "Your desk"))


async def patient(house: RunningHouse, clients: Clients, condition: str = "anorexia", name: str = "Willow") -> Patient:
    """Let somebody in by code, and have them agree to the rules at their desk: they may write in all their rooms."""
    somebody = await newcomer(house, clients, condition, name)
    await somebody.client.send(somebody.desk, "!agree")
    await somebody.client.wait_message(somebody.desk, contains="You can write in all your rooms now")
    return somebody


async def clinician(house: RunningHouse, clients: Clients) -> Client:
    """Log the demonstration's clinician in on a new device, in the eating disorder service's care room."""
    account, recovery = house.ready["demo"]["clinician"], house.clinicians_recovery_key
    client = await clients.log_in(house.homeserver, account["user_id"], account["password"], recovery_key=recovery)
    if recovery is None:
        house.clinicians_recovery_key = await client.set_up_recovery()
    return await in_care_room(house, client)


async def new_clinician(house: RunningHouse, clients: Clients) -> Client:
    """Make a new member of the team, and log them in."""
    account = await house.command("people", "add", "--role", "clinician", "--name", "Robin Hale")
    return await in_care_room(house, await clients.log_in(house.homeserver, account["user_id"], account["password"]))


async def in_care_room(house: RunningHouse, client: Client) -> Client:
    """Wait until a clinician is in the eating disorder service's care room."""
    await client.wait_member(house.ready["care_rooms"]["eating_disorders"], client.user_id)
    return client
