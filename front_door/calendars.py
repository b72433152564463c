"""Somebody's own sessions behind a secret link, for the calendar on a phone or a computer."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from aiohttp import web

from front_door.appointments import calendar_text, invitation_text
from keyhouse.core.booking import Booking
from keyhouse.core.ids import SlotNumber
from keyhouse.core.ports import Store
from keyhouse.core.workflows.calendars import sessions_shown
from keyhouse.storage.errors import StoreFault

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 4
_LATER = "The calendar cannot be read just now. Nothing is lost: your calendar tries again by itself.\n"
_AGAIN_AFTER_S = "60"
_FILE = {"Content-Disposition": 'attachment; filename="appointments.ics"'}
_ONE, _ALL = r"/calendar/{secret}/{slot:[1-9][0-9]{0,8}}.ics", "/calendar/{secret}.ics"

_Write = Callable[[Sequence[Booking], datetime], bytes | None]


class _TooManyAtOnce(Exception):
    """People who use their key must not wait for calendars, which all come at the full hour."""


class Calendars:
    """Answers whoever comes with a link. Which link it was is never written down. counts: answers, by status.

    A link that leads nowhere, or nowhere any more, is answered like every page that is not there.
    """

    def __init__(self, store: Store, server_name: str, counts: Counter[str], clock: Callable[[], datetime]) -> None:
        self._store, self._server_name = store, server_name
        self._counts, self._clock = counts, clock
        self._at_work = 0

    async def show_all(self, request: web.Request) -> web.Response:
        """Show all of the holder's sessions."""
        return await self._answer(request, lambda bookings, now: calendar_text(bookings, self._server_name, now))

    async def show_one(self, request: web.Request) -> web.Response:
        """Show the holder's session at the slot of this number, to be added to a calendar by itself."""
        slot = SlotNumber(int(request.match_info["slot"]))
        return await self._answer(request, lambda bookings, now: self._invitation(bookings, slot, now))

    def _invitation(self, bookings: Sequence[Booking], slot: SlotNumber, now: datetime) -> bytes | None:
        there = [booking for booking in bookings if booking.slot == slot]
        # Of several that somebody had there, one after the other, the last one counts.
        last = max(there, key=lambda booking: booking.number, default=None)
        return invitation_text(last, self._server_name, now) if last else None

    async def _answer(self, request: web.Request, write: _Write) -> web.Response:
        try:
            document = await self._written(request.match_info["secret"], write)
        except (StoreFault, _TooManyAtOnce) as fault:
            logger.warning("a calendar waits: %s", type(fault).__name__)
            self._count(503)
            return web.Response(text=_LATER, status=503, headers={"Retry-After": _AGAIN_AFTER_S})
        if document is None:
            self._count(404)
            raise web.HTTPNotFound
        self._count(200)
        return web.Response(body=document, content_type="text/calendar", charset="utf-8", headers=_FILE)

    async def _written(self, secret: str, write: _Write) -> bytes | None:
        if self._at_work >= MOST_AT_ONCE:
            raise _TooManyAtOnce
        self._at_work += 1
        try:
            return await asyncio.to_thread(self._write, secret, write)
        finally:
            self._at_work -= 1

    def _write(self, secret: str, write: _Write) -> bytes | None:
        now = self._clock()
        with self._store.reading() as tx:
            bookings = sessions_shown(tx, secret, now)
        return None if bookings is None else write(bookings, now)

    def _count(self, status: int) -> None:
        self._counts[f"calendars_answered_{status}"] += 1


def _now() -> datetime:
    return datetime.now(UTC)


def add_calendars(
    app: web.Application,
    store: Store,
    server_name: str,
    counts: Counter[str],
    clock: Callable[[], datetime] = _now,
) -> None:
    """Let the application answer calendar links. counts: grows with every answer."""
    calendars = Calendars(store, server_name, counts, clock)
    app.router.add_get(_ALL, calendars.show_all)
    app.router.add_get(_ONE, calendars.show_one)
