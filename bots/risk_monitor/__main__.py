"""`python -m bots.risk_monitor --data DIR`: the watcher's process."""

from collections.abc import Callable

from bots.risk_monitor.bot import Watcher
from bots.runtime.run import main
from bots.runtime.surroundings import Surroundings
from keyhouse.core.matching.lexicon import compile_lexicon
from keyhouse.core.outgoing import Worker
from keyhouse.settings.house import HouseSettings
from keyhouse.settings.lexicons import load_lexicons
from keyhouse.settings.signposting import load_signposting


def prepare(settings: HouseSettings) -> Callable[[Surroundings], Watcher]:
    """Read the house's lexicon and crisis lines, with which the watcher is made."""
    lexicon = compile_lexicon(load_lexicons(settings.config / "lexicons"))
    signposting = load_signposting(settings.config / "signposting.yaml")
    return lambda around: Watcher(around, lexicon, signposting)


if __name__ == "__main__":
    main(Worker.RISK_MONITOR, prepare)
