"""The sweep: again and again keys are compared with memberships, and what differs is repaired."""

import asyncio
from collections import Counter
from datetime import timedelta
from functools import partial

import structlog

from bots.runtime.surroundings import Surroundings
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.core.ports import Transaction
from keyhouse.core.workflows.sweep import bring_to_desks, find_astray, repair

EVERY = timedelta(minutes=1)
_LET_OTHERS_GO_FIRST = timedelta(seconds=10)
_LOOKS_EVERY = timedelta(milliseconds=500)

log = structlog.get_logger()


class Sweep:
    """The concierge's sweep of the whole house. It decides; the outbox does. counters: since the start."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._after = ""
        self.counters = {"sweeps": 0, "sweep_people": 0, "sweep_invitations": 0, "sweep_removals": 0, "sweep_desks": 0}

    async def run(self) -> None:
        """Sweep at once and then every minute, until cancelled."""
        while True:
            await self._until_drained()
            await self.once()
            await asyncio.sleep(EVERY.total_seconds())

    async def once(self) -> None:
        """Look at everybody once; decide in portions, so that nobody waits long for the database."""
        now = self._around.clock()
        astray = await self._around.ledger.read(partial(find_astray, after=self._after, now=now))
        repaired: Counter[OutgoingKind] = Counter()
        for people in astray.batches():
            repaired += await self._around.ledger.write(partial(repair, people=people, by=self._around.me, now=now))
        self._after = astray.next_after
        booking = UserId(self._around.settings.user_id(ServiceAccount.BOOKING))
        self.counters["sweep_desks"] += await self._around.ledger.write(
            partial(bring_to_desks, service=booking, now=now)
        )
        self._count(len(astray.people), repaired)

    async def _until_drained(self) -> None:
        # What was decided and is not done yet looks like a hole; it would be decided a second time.
        for _ in range(_LET_OTHERS_GO_FIRST // _LOOKS_EVERY):
            if not await self._around.ledger.read(self._undone):
                return
            await asyncio.sleep(_LOOKS_EVERY.total_seconds())

    def _undone(self, tx: Transaction) -> int:
        return tx.outbox.undone(Worker.ROOM_GATEKEEPER, self._around.clock())

    def _count(self, people: int, repaired: Counter[OutgoingKind]) -> None:
        invitations, removals = repaired[OutgoingKind.INVITATION], repaired[OutgoingKind.REMOVAL]
        self.counters["sweeps"] += 1
        self.counters["sweep_people"] += people
        self.counters["sweep_invitations"] += invitations
        self.counters["sweep_removals"] += removals
        if people:
            log.info("sweep", people=people, invitations=invitations, removals=removals)
