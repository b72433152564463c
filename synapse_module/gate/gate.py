"""The gate: the second half of the door, for requests about which no callback of Synapse is asked (decision 0013)."""

import time
from collections.abc import Callable, Iterable
from re import Pattern
from typing import Any

from synapse.http.server import JsonResource
from synapse.http.site import SynapseRequest
from synapse.module_api import ModuleApi
from synapse.rest import ClientRestResource
from synapse.rest.media.media_repository_resource import MediaRepositoryResource

from synapse_module.gate.devices import Devices
from synapse_module.gate.limits import LOGINS, LOOK_UPS, REGISTRATIONS, Tries
from synapse_module.gate.neighbours import Neighbours
from synapse_module.gate.replays import Replays
from synapse_module.gate.servlets import REFUSED, SENDING, UPLOADING, key_of, require_servlets
from synapse_module.gate.steps import (
    Answer,
    Step,
    any_name_is_free,
    between_devices,
    capabilities,
    counted,
    dehydrated_device,
    login,
    pusher,
    refuse,
    registration,
    through,
    without_delay,
    without_device_name,
    without_file_name,
)
from synapse_module.gate.visitors import hide_visitors


class Gate:
    """Stands before the servlets of this process. limited: whether visitors are counted.

    services: localparts of the house's own accounts, which name their devices themselves.
    """

    def __init__(self, api: ModuleApi, limited: bool, services: frozenset[str]) -> None:
        named = _steps(api, limited, services)
        require_servlets(named)
        self._steps = {key_of(name): step for name, step in named.items()}

    def stand(self) -> None:
        """Hide every visitor, and have every servlet that registers from now on pass through here."""
        hide_visitors()
        for resource in (ClientRestResource, MediaRepositoryResource):
            # Both take this from their common parent. Their servlets register when a port is opened: after the modules.
            resource.register_paths = self._registration()  # type: ignore[method-assign]

    def _registration(self) -> Callable[..., None]:
        steps = self._steps

        # Named as in Synapse, for whoever calls it by names.
        def register_paths(
            resource: JsonResource,
            method: str,
            path_patterns: Iterable[Pattern[str]],
            callback: Callable[..., Any],
            servlet_classname: str,
        ) -> None:
            step = steps.get((method, servlet_classname))
            guarded = _behind(step, callback) if step else callback
            JsonResource.register_paths(resource, method, path_patterns, guarded, servlet_classname)

        return register_paths


def _behind(step: Step, servlet: Callable[..., Any]) -> Callable[..., Any]:
    async def guarded(request: SynapseRequest, **named: str) -> Answer:
        async def go_on() -> Answer:
            answer: Answer = await servlet(request, **named)
            return answer

        return await step(request, named, go_on)

    return guarded


def _steps(api: ModuleApi, limited: bool, services: frozenset[str]) -> dict[str, Step]:
    registrations, logins, look_ups = (
        Tries(*limits, clock=time.monotonic) if limited else None for limits in (REGISTRATIONS, LOGINS, LOOK_UPS)
    )
    return {
        **dict.fromkeys(REFUSED, refuse),
        **dict.fromkeys(SENDING, without_delay),
        **dict.fromkeys(UPLOADING, without_file_name),
        "PUT sendtodevice.SendToDeviceRestServlet": between_devices(Neighbours(api, services)),
        "GET capabilities.CapabilitiesRestServlet": capabilities,
        "PUT devices.DeviceRestServlet": without_device_name,
        "PUT devices.DehydratedDeviceV2Servlet": dehydrated_device,
        "POST pusher.PushersSetRestServlet": pusher,
        "POST login.LoginRestServlet": counted(logins, login(Devices(api, services))),
        "POST register.RegisterRestServlet": counted(registrations, registration(Replays(api))),
        "POST auth.AuthRestServlet": counted(registrations, through),
        "GET register.UsernameAvailabilityRestServlet": any_name_is_free,
        "GET register.RegistrationTokenValidityRestServlet": counted(look_ups, through),
    }
