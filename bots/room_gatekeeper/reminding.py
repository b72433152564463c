"""Reminding everybody once when the rules of the house have changed; nobody falls silent because of it."""

import asyncio
from functools import partial

import structlog

from bots.runtime.surroundings import Surroundings
from keyhouse.core.workflows.reminding import remind
from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.rules_in_force import LOOKS_EVERY_S, RulesInForce

log = structlog.get_logger()


class Reminding:
    """Decides the reminders; the outbox sends them. counters: since the start."""

    def __init__(self, around: Surroundings, rules: RulesInForce) -> None:
        self._around, self._rules = around, rules
        self.counters = {"rules_reminders": 0, "rules_refused": 0}

    async def run(self) -> None:
        """Remind at once and whenever the building file has other rules, until cancelled."""
        await self.everybody()
        while True:
            await asyncio.sleep(LOOKS_EVERY_S)
            if await self._rules_have_changed():
                await self.everybody()

    async def everybody(self) -> None:
        """Decide in portions, so that nobody waits long for the database."""
        version, after = self._rules.current().version, ""
        while True:
            now = self._around.clock()
            portion = await self._around.ledger.write(partial(remind, version=version, after=after, now=now))
            self.counters["rules_reminders"] += portion.decided
            if portion.next_after is None:
                return
            after = portion.next_after

    async def _rules_have_changed(self) -> bool:
        try:
            return await asyncio.to_thread(self._rules.look)
        except SettingsFault:
            # Its faults may name conditions.
            self.counters["rules_refused"] += 1
            log.error("building_file_cannot_be_read")
            return False
