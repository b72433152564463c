"""A caretaker beside the house with the door: its own folder, the same database and homeserver, the admin's account."""

import shutil
from pathlib import Path

from keyhouse.core.ids import UserId
from keyhouse.settings.house import HouseSettings, save_house
from provisioning.answers import opened
from provisioning.directory import HouseDirectory
from provisioning.held_accounts import HeldAccount
from tests.support.door import database_url
from tests.support.house_with_door import House
from tests.support.paged_house import CaretakerProcess, config_with_pager


def caretaker_beside(house: House, door_folder: Path, directory: Path) -> CaretakerProcess:
    """Write down what a caretaker of this house needs, and return its process, which is not started yet."""
    data = HouseDirectory(directory / "data")
    data.house_keys.parent.mkdir(parents=True, mode=0o700)
    shutil.copy(door_folder / "house_keys.json", data.house_keys)
    account = house.caretaker
    held = HeldAccount(UserId(account.user_id), account.password, account.access_token)
    held.save(data.account("caretaker"))
    settings = HouseSettings(
        server_name=house.synapse.server_name,
        homeserver=house.synapse.url,
        front_door="http://127.0.0.1:1",
        database=database_url(door_folder),
        config=config_with_pager(directory, {"channels": []}, {}),
    )
    save_house(data.root, settings)
    return CaretakerProcess(opened(data), directory / "caretaker.log")
