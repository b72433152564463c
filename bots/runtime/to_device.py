"""What comes for this device alone: taken one by one, so that nobody can spoil what others send, and saved together."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from bots.runtime.olm import HouseOlm
from bots.runtime.store_faults import is_store_fault

log = structlog.get_logger()


def take_to_device(olm: HouseOlm, events: Iterable[Any], counts: Counter[str]) -> None:
    """Take room keys and what else these events bring; malformed ones are counted as to_device_malformed.

    Raises what means that the device's store cannot be written.
    """
    with olm.one_transaction():
        for event in events:
            _take(olm, event, counts)


def _take(olm: HouseOlm, event: Mapping[str, Any], counts: Counter[str]) -> None:
    try:
        olm.read_to_device(event)
    except Exception as fault:
        if is_store_fault(fault):
            raise
        # Anybody with an account here may send anything: nobody else's room key may be lost over it.
        counts["to_device_malformed"] += 1
        log.warning("to_device_event_set_aside", fault=type(fault).__name__)
