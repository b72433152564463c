"""Start a bot again that needed a decision, once `keyhouse bot renew` was given."""

import asyncio

from bots.runtime.credentials import BotFiles
from keyhouse.settings.house import HouseSettings
from provisioning.directory import HouseDirectory
from provisioning.programs import bot_workers, program_children
from provisioning.state import ChildState
from provisioning.supervisor import Child, Supervisor

_LOOKS_EVERY_S = 0.5


async def start_renewed(directory: HouseDirectory, settings: HouseSettings, supervisor: Supervisor) -> None:
    """Go on until cancelled. A bot that failed is started again when its credentials are others than it failed with."""
    children = [child for child in program_children(directory, settings) if child.name in bot_workers(settings)]
    used: dict[str, int | None] = {}
    while True:
        failed = {status.name for status in supervisor.statuses() if status.state is ChildState.FAILED}
        for child in children:
            kept = _written_at(directory, child)
            if child.name not in failed or child.name not in used:
                used[child.name] = kept
            elif kept not in (None, used[child.name]):
                supervisor.start(child)
        await asyncio.sleep(_LOOKS_EVERY_S)


def _written_at(directory: HouseDirectory, child: Child) -> int | None:
    try:
        return BotFiles(directory.bot(child.name)).credentials.stat().st_mtime_ns
    except FileNotFoundError:
        return None
