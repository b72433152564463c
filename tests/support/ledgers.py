"""A house's database of a bot's own, in a file, as a test needs it."""

import functools
import shutil
import tempfile
from pathlib import Path

from bots.runtime.clock import Clock, utc_now
from bots.runtime.ledger import Ledger
from keyhouse.core.outgoing import Worker
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.migrating import migrate
from keyhouse.storage.store import open_store


@functools.cache
def _template() -> Path:
    file = Path(tempfile.mkdtemp(prefix="keyhouse-template-")) / "house.db"
    migrate(f"sqlite:///{file}")
    return file


def house_file(directory: Path) -> Path:
    """The database of the house in this directory; made, migrated and empty, if it is not there."""
    file = directory / "house.db"
    if not file.exists():
        shutil.copy(_template(), file)
    return file


def open_ledger(directory: Path, worker: Worker = Worker.RISK_MONITOR, clock: Clock = utc_now) -> Ledger:
    """A bot's way into the house's database in this directory."""
    keys = HouseKeys.load_or_create(directory / "house.keys")
    return Ledger(open_store(f"sqlite:///{house_file(directory)}", keys), worker, clock)
