"""The door: what Synapse loads, and the one place where it is put together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synapse.api.constants import LoginType
from synapse.config import ConfigError
from synapse.module_api import ModuleApi

from keyhouse.storage.errors import StoreFault
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import SqlStore, open_store
from synapse_module.codes import CodeChecker
from synapse_module.entry import Entry
from synapse_module.rates import Rates
from synapse_module.registration import Registration
from synapse_module.store_threads import StoreThreads
from synapse_module.versions import checkers, require_private_attributes, require_version

SETTINGS = {"database": str, "house_keys": str, "service_localparts": list}


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """What homeserver.yaml tells the door.

    database: an SQLAlchemy address.  service_localparts: the house's own accounts; only limits are lifted by it.
    """

    database: str
    keys: HouseKeys
    service_localparts: tuple[str, ...]

    def open_store(self) -> SqlStore:
        """Open our own database. Raises StoreFault."""
        return open_store(self.database, self.keys)


class Door:
    """Decides for Synapse who may register and who may be where. Keeps no state: every worker has one."""

    def __init__(self, config: DoorSettings, api: ModuleApi) -> None:
        require_private_attributes(api)
        store = StoreThreads(api, config.open_store())
        checkers(api)[LoginType.REGISTRATION_TOKEN] = CodeChecker(store, config.keys.code_hash)
        Registration(api, store).register()
        Entry(store).register(api)
        Rates(api, config.service_localparts).register(api)

    @staticmethod
    def parse_config(config: Mapping[str, Any]) -> DoorSettings:
        """Read the door's part of homeserver.yaml; whatever would keep the door shut stops Synapse with a sentence."""
        require_version()
        faults = [f"{key} is not known" for key in config if key not in SETTINGS]
        faults += [f"{key} must be a {kind.__name__}" for key, kind in SETTINGS.items() if not _is(config, key, kind)]
        if faults:
            raise ConfigError("; ".join(faults))
        try:
            keys = HouseKeys.load(Path(config["house_keys"]))
            settings = DoorSettings(config["database"], keys, tuple(config["service_localparts"]))
            # Opened for good only later: a connection does not outlive the fork with which Synapse may go on.
            settings.open_store().close()
        except StoreFault as fault:
            raise ConfigError(str(fault)) from None
        return settings


def _is(config: Mapping[str, Any], key: str, kind: type) -> bool:
    return isinstance(config.get(key), kind)
