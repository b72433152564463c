"""The database is away: told directly, because nothing can be kept meanwhile."""

import secrets
from datetime import datetime

import structlog

from keyhouse.core.alarm_sentences import again_sentence, begin_sentence, end_sentence
from keyhouse.core.alarms import Alarm, AlarmKind, AlarmLimits, is_told_again
from provisioning.paging.pager import Page, Pager, was_taken

log = structlog.get_logger()


class StoreSight:
    """Notices how long the database cannot be used. alarm: what is wrong now; None while it can be used."""

    def __init__(self, pager: Pager, limits: AlarmLimits) -> None:
        self._pager, self._limits = pager, limits
        self._since: datetime | None = None
        self._told_at: datetime | None = None

    @property
    def alarm(self) -> Alarm | None:
        """Return the alarm as it stands, also while it is too young to be told."""
        return Alarm(AlarmKind.STORE_AWAY, "", self._since, self._told_at) if self._since else None

    async def failed(self, fault: Exception, now: datetime) -> None:
        """Note a failure; tell it when it has lasted, and again while it lasts. What no channel took is tried again."""
        if self._since is None:
            log.warning("store_away", fault=type(fault).__name__)
        self._since = min(self._since or now, now)
        alarm = Alarm(AlarmKind.STORE_AWAY, "", self._since, self._told_at)
        if now - self._since >= self._limits.store_after and is_told_again(alarm, self._limits, now):
            sentence = again_sentence(alarm, now) if self._told_at else begin_sentence(alarm)
            if await self._send(sentence, now):
                self._told_at = now

    async def works(self, now: datetime) -> Alarm | None:
        """Note that it can be used; return the alarm that this ends, when it had lasted long enough to be one."""
        alarm, self._since, self._told_at = self.alarm, None, None
        if alarm is None or now - alarm.raised_at < self._limits.store_after:
            return None
        if alarm.paged_at is not None:
            await self._send(end_sentence(alarm, now), now)
        return alarm

    async def _send(self, sentence: str, now: datetime) -> bool:
        page = Page(f"store-{secrets.token_hex(8)}", sentence, AlarmKind.STORE_AWAY.value, "", self._pager.house, now)
        return was_taken(await self._pager.send(page))
