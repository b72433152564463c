"""DIR/house.yaml: what every process must know to find the others. Written by `keyhouse up`."""

import os
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from keyhouse.settings.faults import SettingsFault, faults_of, file_label, read_yaml

FILE = "house.yaml"
Port = Annotated[int, Field(ge=1, le=65535)]


class HouseSettings(BaseModel):
    """One house. database: an SQLAlchemy URL; config: folder with building.yaml, lexicons/ and signposting.yaml.

    watchers: 2 keeps a second watcher beside the first, on a device of its own, which goes on when the first ends.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    server_name: Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:\d+)?$")]
    homeserver: str
    front_door: str
    database: str
    config: Path
    demo: bool = False
    watchers: Annotated[int, Field(ge=1, le=2)] = 1

    def user_id(self, localpart: str) -> str:
        """Return the full user id of an account of this house."""
        return f"@{localpart}:{self.server_name}"


def load_house(data: Path) -> HouseSettings:
    """Read the settings of the house in this data directory; raises SettingsFault."""
    path = data / FILE
    if not path.exists():
        raise SettingsFault([f"{data} holds no house yet; start one with `keyhouse --data {data} up`"])
    try:
        return HouseSettings.model_validate(read_yaml(path))
    except ValidationError as error:
        raise SettingsFault(faults_of(file_label(path), error)) from error


def save_house(data: Path, settings: HouseSettings) -> None:
    """Write the settings, so that a reader sees the old file or the new one, never half of it."""
    part = data / f"{FILE}.part"
    part.write_text(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False))
    os.replace(part, data / FILE)
