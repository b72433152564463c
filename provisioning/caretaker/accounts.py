"""Rename accounts and close them, as was decided: the caretaker's Outgoing rows about one account."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from bots.runtime.clock import Clock
from bots.runtime.errors import MatrixAway, MatrixRefused
from bots.runtime.fault_points import reached
from bots.runtime.ledger import Ledger
from bots.runtime.outbox import NotYet
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.outgoing import Awaited, Outgoing, OutgoingKind
from keyhouse.core.people import Person, PersonState
from keyhouse.core.standing import is_erased_when_closed
from keyhouse.core.workflows.booking import give_back_all
from keyhouse.core.workflows.standing import erased, rooms_to_clear, take_back, words_are_held
from keyhouse.settings.booking import load_booking
from provisioning.answers import House
from provisioning.caretaker.administrator import Administrator, Page
from provisioning.held_accounts import signed_in
from provisioning.matrix import HomeserverAway, HomeserverRefused

KINDS = frozenset({OutgoingKind.RENAME, OutgoingKind.ACCOUNT_CLOSING})

_ENDS_WITHIN = timedelta(minutes=30)
_OTHERS_NEED = timedelta(seconds=30)
_LOOKS_EVERY = timedelta(milliseconds=500)
_LOOKS_SOON, _LOOKS_AGAIN = timedelta(seconds=20), timedelta(minutes=10)
_THE_NAME, _THE_CONCIERGE = "the name in the rooms", "the concierge"


class Accounts:
    """Does what was decided about accounts. Killed at any point, the same row done again ends in the same house."""

    def __init__(self, house: House, ledger: Ledger, clock: Clock) -> None:
        self._house, self._ledger, self._clock = house, ledger, clock

    async def do(self, row: Outgoing) -> None:
        """Do one row; an account that the homeserver never had needs nothing done."""
        user_id = UserId(str(row.content["person"]))
        person = await self._ledger.read(lambda tx: tx.people.get(user_id))
        if person is None:
            return
        act = self._rename if row.kind is OutgoingKind.RENAME else self._close
        async with asyncio.timeout(_ENDS_WITHIN.total_seconds()), self._asked(user_id) as administrator:
            if await administrator.account_exists():
                await act(administrator, person)

    async def _rename(self, administrator: Administrator, person: Person) -> None:
        """Set the name that the person has by now, and see it arrive: the door refuses all names while it is blind."""
        if person.state is PersonState.CLOSED:
            return
        await administrator.set_name(person.name)
        reached("after_account_change")
        async with _patience(_THE_NAME):
            missing = await administrator.rooms_without_name(person.name)
            while missing:
                await asyncio.sleep(_LOOKS_EVERY.total_seconds())
                missing = await administrator.rooms_without_name(person.name)

    async def _close(self, administrator: Administrator, person: Person) -> None:
        erases = is_erased_when_closed(person)
        rules = load_booking(self._house.settings.config / "booking.yaml")
        # Whoever closed their own account in an app still has sessions that others wait for.
        await self._ledger.write(lambda tx: give_back_all(tx, person.user_id, rules, self._clock()))
        await administrator.deactivate(erase=erases)
        reached("after_account_change")
        if erases:
            if await self._ledger.read(partial(words_are_held, user_id=person.user_id)):
                raise NotYet(Awaited.CLOSED_CASE.value, _LOOKS_AGAIN)
            await self._take_words_back(administrator)
            await administrator.delete_media()
        await self._ledger.write(lambda tx: erased(tx, person.user_id, self._clock()))

    async def _take_words_back(self, administrator: Administrator) -> None:
        """Have the concierge take back all that the person wrote, a page at a time: newcomers must not wait for it."""
        entered = await administrator.rooms()
        for room in await self._ledger.read(partial(rooms_to_clear, rooms=entered)):
            page = await self._emptied(administrator, room, None)
            while page.before is not None:
                page = await self._emptied(administrator, room, page.before)

    async def _emptied(self, administrator: Administrator, room: RoomId, at: str | None) -> Page:
        page = await administrator.words_in(room, at)
        if page.events:
            now = self._clock()
            await self._ledger.write(lambda tx: take_back(tx, room, page.events, now))
        async with _patience(_THE_CONCIERGE):
            while page.events:
                await asyncio.sleep(_LOOKS_EVERY.total_seconds())
                page = await administrator.words_in(room, at)
        return page

    @asynccontextmanager
    async def _asked(self, user_id: UserId) -> AsyncIterator[Administrator]:
        """Speak about one account as the administrator; its faults are told as the outbox understands them."""
        file = self._house.directory.account(ServiceAccount.CARETAKER)
        try:
            async with signed_in(self._house.settings.homeserver, file) as homeserver:
                yield Administrator(homeserver, user_id)
        except HomeserverAway as away:
            raise MatrixAway(str(away)) from away
        except HomeserverRefused as refused:
            raise MatrixRefused(refused.errcode, refused.status, refused.text, refused.retry_after) from refused


@asynccontextmanager
async def _patience(awaited: str) -> AsyncIterator[None]:
    """Wait for others inside for a while; then let other rows go first, and look again soon."""
    try:
        async with asyncio.timeout(_OTHERS_NEED.total_seconds()):
            yield
    except TimeoutError:
        raise NotYet(awaited, _LOOKS_SOON) from None
