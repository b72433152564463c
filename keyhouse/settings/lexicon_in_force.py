"""The lexicon that a running watcher judges with: swapped between two messages when another one is accepted."""

import gc
from datetime import datetime
from pathlib import Path

from keyhouse.core.matching.lexicon import CompiledLexicon
from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.lexicon_versions import (
    CAME_ALONG,
    Acceptance,
    accept,
    accepted_versions,
    fingerprint_of,
    folder_of,
)
from keyhouse.settings.lexicons import load_compiled_lexicon, load_lexicons


class LexiconInForce:
    """Opened once, in a thread: reading takes a part of a second.

    A house that never accepted a lexicon adopts the one in its config folder, so that it is never without.
    Raises SettingsFault when no version can be read at all.
    """

    def __init__(self, data: Path, directory: Path, now: datetime) -> None:
        self._data = data
        if not accepted_versions(data):
            fingerprint = fingerprint_of(directory)
            load_lexicons(directory)
            accept(data, directory, fingerprint, CAME_ALONG, now)
        self._acceptance, self._lexicon = self._newest_good()
        self._refused: str | None = None

    def current(self) -> CompiledLexicon:
        """Return the lexicon to judge the next message with."""
        return self._lexicon

    @property
    def acceptance(self) -> Acceptance:
        """Which version is in force, and who accepted it."""
        return self._acceptance

    def look(self) -> bool:
        """Put a newly accepted version in force; say whether there was one. To be called in a thread.

        A version that cannot be read stays without force, and the last good one goes on; SettingsFault says so once.
        """
        newest = accepted_versions(self._data)[-1:]
        if not newest or newest[0].fingerprint in (self._acceptance.fingerprint, self._refused):
            return False
        self._refused = newest[0].fingerprint
        lexicon = self._read(newest[0])
        self._acceptance, self._lexicon, self._refused = newest[0], lexicon, None
        return True

    def _newest_good(self) -> tuple[Acceptance, CompiledLexicon]:
        faults: list[str] = []
        for acceptance in reversed(accepted_versions(self._data)):
            try:
                return acceptance, self._read(acceptance)
            except SettingsFault as fault:
                faults.extend(fault.faults)
        raise SettingsFault(faults)

    def _read(self, acceptance: Acceptance) -> CompiledLexicon:
        folder = folder_of(self._data, acceptance)
        if fingerprint_of(folder) != acceptance.fingerprint:
            raise SettingsFault(
                [f"lexicon/accepted/{acceptance.name}: was changed after it was accepted; accept it again"]
            )
        lexicon = load_compiled_lexicon(folder)
        # Half a million small objects that will stay: the garbage collector need not walk through them for a message.
        gc.collect()
        gc.freeze()
        return lexicon
