"""Checks of how the house would be heard crying for help: alarms, the pager, the house's own test message."""

from datetime import UTC, datetime, timedelta

from keyhouse.core.alarm_sentences import begin_sentence
from keyhouse.core.outgoing import Worker
from keyhouse.core.ports import Heartbeat
from keyhouse.core.probing import PROCESS as PROBE
from keyhouse.settings.pager import load_pager
from provisioning.answers import House
from provisioning.checks import Check, Look, State
from provisioning.paging.channels import NO_DEAD_MAN, NOBODY
from provisioning.waiting import heartbeats

PROBE_YOUNG = timedelta(minutes=5)
_SHOWN = 3
_OF_UNREAD = {
    Worker.RISK_MONITOR: "every message among them has a case",
    Worker.ROOM_GATEKEEPER: "it answered none of them, and the watcher reads for itself",
    Worker.BOOKING: "it booked nothing because of them, and the watcher reads for itself",
}
"""What became of the messages that one bot could not read or handle."""


async def alarms_check(house: House, name: str) -> Check:
    """See that no alarm stands."""
    with house.store.reading() as tx:
        standing = tx.alarms.open()
    if not standing:
        return Check(name, State.OK, "none stands")
    said = "; ".join(map(begin_sentence, standing[:_SHOWN]))
    more = f"; and {len(standing) - _SHOWN} more" if len(standing) > _SHOWN else ""
    return Check(name, State.FAIL, f"{said}{more}; docs/operating.md says what to do about each")


async def probe_check(house: House, name: str) -> Check:
    """See how long ago the house's own test message came through the watcher and back."""
    age, took_ms = probe_age(house), _took_ms(house)
    if age is None:
        return Check(name, State.WARN, "no test message has come through yet; look again in two minutes")
    said = f"the last test message came through {age.total_seconds():.0f} s ago, in {took_ms} ms"
    if age > PROBE_YOUNG:
        return Check(name, State.FAIL, f"{said}; the watcher may hear nothing: see logs/risk_monitor.log")
    return Check(name, State.OK, said)


async def pager_check(house: House, name: str) -> Check:
    """See that somebody would be told outside of Matrix."""
    settings = load_pager(house.settings.config, house.directory.root)
    if not settings.channels:
        return Check(name, State.WARN, f"{NOBODY}; docs/operating.md says how to add one")
    names = ", then ".join(channel.name for channel in settings.channels)
    if settings.dead_man is None:
        return Check(name, State.WARN, f"tells {names}; but {NO_DEAD_MAN}")
    return Check(name, State.OK, f"tells {names}; an outside service is told every so often that all is well")


def unread_check(bot: Worker) -> Look:
    """Return the check of what one bot received and could not read, or had to set aside."""

    async def look(house: House, name: str) -> Check:
        beat = _beat(house, bot)
        if beat is None:
            return Check(name, State.WARN, "has said nothing of itself yet; start the house with `keyhouse up`")
        new, unread, aside = (beat.counters.get(word, 0) for word in ("new", "unread", "quarantined"))
        said = f"{new} new, {unread} unread, {aside} set aside"
        if aside or unread:
            said += f"; {_OF_UNREAD[bot]}; docs/operating.md says more"
        return Check(name, State.WARN if aside or unread else State.OK, said)

    return look


def probe_age(house: House) -> timedelta | None:
    """Return how long ago the test message came through; None when it never has."""
    beat = _beat(house, PROBE)
    return datetime.now(UTC) - beat.beat_at if beat else None


def _took_ms(house: House) -> int:
    beat = _beat(house, PROBE)
    return beat.counters.get("took_ms", 0) if beat else 0


def _beat(house: House, process: str) -> Heartbeat | None:
    return next((beat for beat in heartbeats(house.store) if beat.process == process), None)
