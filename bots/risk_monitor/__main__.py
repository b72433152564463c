"""`python -m bots.risk_monitor --data DIR`: the watcher's process."""

from bots.risk_monitor.bot import Watcher
from bots.runtime.run import main
from bots.runtime.surroundings import Surroundings
from keyhouse.core.matching.lexicon import compile_lexicon
from keyhouse.core.outgoing import Worker
from keyhouse.settings.lexicons import load_lexicons
from keyhouse.settings.signposting import load_signposting


def make(around: Surroundings) -> Watcher:
    """Make the watcher with the house's lexicon and crisis lines."""
    config = around.settings.config
    lexicon = compile_lexicon(load_lexicons(config / "lexicons"))
    return Watcher(around, lexicon, load_signposting(config / "signposting.yaml"))


if __name__ == "__main__":
    main(Worker.RISK_MONITOR, make)
