"""`python -m keyhouse.storage.check`: do the migrations make exactly the tables that the code uses?"""

import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from keyhouse.storage.engine import open_engines
from keyhouse.storage.migrating import migrate
from keyhouse.storage.tables import metadata


def differences(url: str) -> list[str]:
    """Return what differs between the migrated database at this address and the tables of the code."""
    engines = open_engines(url)
    try:
        with engines.reading.connect() as connection:
            found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
            return [str(difference) for difference in found]
    finally:
        engines.dispose()


def main() -> int:
    """Migrate a fresh database and compare; 0 when nothing differs."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'fresh.db'}"
        migrate(url)
        found = differences(url)
    for difference in found:
        sys.stderr.write(f"error: the migrations do not make this, write one that does: {difference}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
