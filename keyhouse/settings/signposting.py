"""config/signposting.yaml → the crisis lines."""

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from keyhouse.core.signposting import Signposting
from keyhouse.settings.faults import SettingsFault, faults_of, file_label, read_yaml


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    what: Annotated[str, Field(min_length=10, max_length=200)]
    source: Annotated[str, Field(min_length=3)]


class _SignpostingFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    checked_on: date
    review_by: date
    region: str
    lines: list[_Line] = Field(min_length=1, max_length=8)


def load_signposting(path: Path) -> Signposting:
    """Read and check the crisis lines; raises SettingsFault with every fault."""
    try:
        file = _SignpostingFile.model_validate(read_yaml(path))
    except ValidationError as error:
        raise SettingsFault(faults_of(file_label(path), error)) from error
    return Signposting(tuple(line.what for line in file.lines), file.checked_on, file.review_by)
