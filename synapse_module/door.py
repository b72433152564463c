"""The door: what Synapse loads, and the one place where it is put together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synapse.api.constants import LoginType
from synapse.config import ConfigError
from synapse.module_api import ModuleApi

from keyhouse.core.ids import UserId
from keyhouse.storage.errors import StoreFault
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import SqlStore, open_store
from synapse_module.closing import Closing
from synapse_module.codes import CodeChecker
from synapse_module.entry import Entry
from synapse_module.gate.gate import Gate
from synapse_module.rates import Rates
from synapse_module.registration import Registration
from synapse_module.snapshot import PolicySnapshot
from synapse_module.speaking import Speaking
from synapse_module.store_threads import StoreThreads
from synapse_module.unsent import Unsent
from synapse_module.versions import checkers, require_private_attributes, require_version

SETTINGS = {"database": str, "house_keys": str, "service_localparts": list, "limited": bool}


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """What homeserver.yaml tells the door.

    database: an SQLAlchemy address.  service_localparts: the house's own accounts; by it limits are
    lifted and messages pass; no room is opened by it.  limited: whether visitors are counted by their addresses.
    """

    database: str
    keys: HouseKeys
    service_localparts: tuple[str, ...]
    limited: bool

    def open_store(self) -> SqlStore:
        """Open our own database. Raises StoreFault."""
        return open_store(self.database, self.keys)


class Door:
    """Decides for Synapse who may register, be where and write where. Every worker has one; it keeps the last alone."""

    def __init__(self, config: DoorSettings, api: ModuleApi) -> None:
        require_private_attributes(api)
        store = StoreThreads(api, config.open_store())
        checkers(api)[LoginType.REGISTRATION_TOKEN] = CodeChecker(store, config.keys.code_hash)
        Registration(api, store).register()
        Closing(api, store).register()
        services = frozenset(UserId(api.get_qualified_user_id(name)) for name in config.service_localparts)
        policy = PolicySnapshot(api, store)
        policy.start()
        speaking = Speaking(policy, Unsent(api, store), services)
        speaking.register(api)
        Entry(api, store, services, speaking).register()
        Rates(api, config.service_localparts).register(api)
        Gate(api, config.limited, frozenset(config.service_localparts)).stand()

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
            services = tuple(config["service_localparts"])
            settings = DoorSettings(config["database"], keys, services, config["limited"])
            # Opened for good only later: a connection does not outlive the fork with which Synapse may go on.
            settings.open_store().close()
        except StoreFault as fault:
            raise ConfigError(str(fault)) from None
        return settings


def _is(config: Mapping[str, Any], key: str, kind: type) -> bool:
    return isinstance(config.get(key), kind)
