"""Checks of the rooms and of who can read in them."""

import asyncio
from urllib.parse import quote

from bots.runtime.credentials import BotCredentials, BotFiles
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import RoomId
from provisioning.answers import House
from provisioning.building import building_plan
from provisioning.checks import Check, Look, State, check
from provisioning.held_accounts import signed_in
from provisioning.matrix import Homeserver
from provisioning.programs import watcher_names
from provisioning.waiting import heartbeats

_ROOMS_AT_ONCE = 6


def signed_check(bot: str) -> Look:
    """Return the check that others see a bot's device as signed by the bot's own identity."""

    async def look(house: House, name: str) -> Check:
        # Imported here: it brings the whole encryption library with it.
        from bots.runtime.cross_signing import is_signed
        from bots.runtime.homeserver import Homeserver as AskedAsBot

        directory = house.directory.bot(bot)
        credentials = BotCredentials.load(directory)
        caretaker = house.directory.account(ServiceAccount.CARETAKER)
        async with signed_in(house.settings.homeserver, caretaker) as homeserver:
            asked = AskedAsBot(house.settings.homeserver, homeserver.access_token)
            try:
                signed = await is_signed(asked, credentials, BotFiles(directory))
            finally:
                await asked.close()
        bad = f"its device is not signed, so clients leave it out; see logs/{bot}.log"
        return check(name, signed, "its device is signed by the identity it keeps", bad)

    return look


async def watched_rooms_check(house: House, name: str) -> Check:
    """See that the watcher is in every watched room, and what of all that it heard stands unread now."""
    watcher = house.settings.user_id(ServiceAccount.WATCHER)
    with house.store.reading() as tx:
        rooms = [scope.room_id for scope in tx.rooms.all() if scope.rules.watched]
    caretaker = house.directory.account(ServiceAccount.CARETAKER)
    async with signed_in(house.settings.homeserver, caretaker) as homeserver:
        members = await _members_of(homeserver, rooms)
    deaf = [room for room in rooms if watcher not in members[room]]
    if deaf:
        detail = f"the watcher is not in {len(deaf)} of {len(rooms)}, the first is {deaf[0]}; run `building apply`"
        return Check(name, State.FAIL, detail)
    return what_stands_unread(house, name, len(rooms))


def what_stands_unread(house: House, name: str, rooms: int) -> Check:
    """Say how much of what the watcher heard stands unread now; rooms: how many it is in, all that are watched."""
    watchers = watcher_names(house.settings)
    beats = [beat for beat in heartbeats(house.store) if beat.process in watchers]
    if not beats:
        return Check(name, State.WARN, f"the watcher is in all {rooms} and has said nothing of itself yet")
    # Two watchers share one inbox, so each of them counts all of it.
    counters = max(beats, key=lambda beat: beat.beat_at).counters
    unread, aside = (counters.get(word, 0) for word in ("unread", "quarantined"))
    if not unread and not aside:
        return Check(name, State.OK, f"the watcher is in all {rooms}, and nothing that it heard stands unread")
    stands = f"of what it heard, {unread} cannot be read now and {aside} were set aside"
    return Check(name, State.WARN, f"the watcher is in all {rooms}; {stands}")


async def _members_of(homeserver: Homeserver, rooms: list[RoomId]) -> dict[RoomId, frozenset[str]]:
    places = asyncio.Semaphore(_ROOMS_AT_ONCE)

    async def ask(room: RoomId) -> frozenset[str]:
        async with places:
            answer = await homeserver.request("GET", f"/_synapse/admin/v1/rooms/{quote(room, safe='')}/members")
            return frozenset(answer["members"])

    return dict(zip(rooms, await asyncio.gather(*map(ask, rooms)), strict=True))


async def building_check(house: House, name: str) -> Check:
    """Compare the rooms with the building file, as `building plan` does; changes nothing."""
    changes = await asyncio.to_thread(building_plan, house)
    first = f", first {changes[0].action.value.replace('_', ' ')} for {changes[0].target!r}" if changes else ""
    bad = f"{len(changes)} changes are to do{first}; run `keyhouse building apply`"
    return check(name, not changes, "the rooms are as building.yaml says", bad)
