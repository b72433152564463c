"""`python -m bots.risk_monitor --data DIR`: the watcher's process."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bots.risk_monitor.bot import Watcher
from bots.runtime.run import main
from bots.runtime.surroundings import Surroundings
from keyhouse.core.outgoing import Worker
from keyhouse.settings.house import HouseSettings
from keyhouse.settings.lexicon_in_force import LexiconInForce
from keyhouse.settings.signposting import load_signposting


def prepare(settings: HouseSettings, data: Path) -> Callable[[Surroundings], Watcher]:
    """Read the house's lexicon and crisis lines, with which the watcher is made."""
    lexicon = LexiconInForce(data, settings.config / "lexicons", datetime.now(UTC))
    signposting = load_signposting(settings.config / "signposting.yaml")
    return lambda around: Watcher(around, lexicon, signposting)


if __name__ == "__main__":
    main(Worker.RISK_MONITOR, prepare)
