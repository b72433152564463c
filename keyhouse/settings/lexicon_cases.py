"""Case files: sentences with the urgency that they should have, by which two versions of a lexicon are compared.

JSON lines under lexicons/cases/. The first line names the file and its version; each other one is a case.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from keyhouse.core.matching.definitions import ContextLine
from keyhouse.core.urgency import Urgency
from keyhouse.settings.faults import SettingsFault, faults_of, file_label
from keyhouse.settings.lexicon_file import ContextLineShape

_Shape = TypeVar("_Shape", bound=BaseModel)


class CaseFile(BaseModel):
    """The first line of a case file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cases: str
    version: int
    about: str


class LexiconCase(BaseModel):
    """One sentence. urgency: what it should be judged as.  base: the case that this one disguises, if any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    text: str
    urgency: Urgency
    category: str
    capability: str = ""
    context: tuple[ContextLineShape, ...] = ()
    base: str | None = None

    def lines(self) -> list[ContextLine]:
        """What was said before, as core knows it."""
        return [ContextLine(line.sender, line.text) for line in self.context]


def load_cases(directory: Path) -> dict[str, tuple[LexiconCase, ...]]:
    """Read every case file of a folder of lexicons, by "name version"; empty when it has none."""
    found = {}
    for path in sorted((directory / "cases").glob("*.jsonl")):
        rows = _rows(path)
        head = next(rows, None)
        if head is None:
            raise SettingsFault([f"{file_label(path)}: is empty; its first line names the file and its version"])
        file = _read(path, 1, head[1], CaseFile)
        found[f"{file.cases} {file.version}"] = tuple(_read(path, number, row, LexiconCase) for number, row in rows)
    return found


def _rows(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, line


def _read(path: Path, number: int, line: str, shape: type[_Shape]) -> _Shape:
    label = f"{file_label(path)}: line {number}"
    try:
        return shape.model_validate(json.loads(line))
    except ValueError as error:
        faults = faults_of(label, error) if isinstance(error, ValidationError) else (f"{label}: is not JSON",)
        raise SettingsFault(faults) from error
