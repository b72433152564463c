"""`python -m tests.support.taken_key DATA USER CONDITION`: revoke a key in the database; nothing follows from it.

A process of its own: SQLite's locks are safe between processes alone.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from keyhouse.core.ids import Condition, UserId
from keyhouse.settings.house import load_house
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import open_store
from provisioning.directory import HouseDirectory

if __name__ == "__main__":
    data, user_id, condition = sys.argv[1:]
    directory = HouseDirectory(Path(data))
    store = open_store(load_house(directory.root).database, HouseKeys.load(directory.house_keys))
    with store.writing() as tx:
        tx.people.revoke(UserId(user_id), Condition(condition), datetime.now(UTC))
    store.close()
