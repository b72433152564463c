"""Serve the front door of one house: `python -m front_door --data DIR [--port N]`."""

import argparse
import asyncio
import logging
import signal
import socket
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from front_door.agreements import KeptAgreements
from front_door.calendars import add_calendars
from front_door.heartbeat import Pulse
from front_door.logs import log_without_words
from front_door.pages import Notices, make_app
from front_door.registration import HomeserverAccounts
from keyhouse.core.ports import Store
from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.house import HouseSettings, load_house
from keyhouse.settings.rules_in_force import LOOKS_EVERY_S, RulesInForce
from keyhouse.settings.signposting import load_signposting
from keyhouse.storage.errors import StoreFault
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import open_store

_HOST = "127.0.0.1"
_LAST_FORMS_S = 10

logger = logging.getLogger("front_door")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; 1 with one line on stderr when that cannot be."""
    options = _read_options(arguments)
    log_without_words()
    try:
        settings = load_house(options.data)
        crisis_lines = load_signposting(settings.config / "signposting.yaml").lines
        notices = Notices(settings.homeserver, crisis_lines, RulesInForce(settings.config / "building.yaml"))
        store = open_store(settings.database, HouseKeys.load(options.data / "secrets" / "house.keys"))
    except (SettingsFault, StoreFault) as fault:
        return _fail(str(fault))
    port = options.port or urlsplit(settings.front_door).port or 80
    try:
        listening = socket.create_server((_HOST, port))
    except OSError as fault:
        return _fail(f"cannot listen on {_HOST}:{port} ({fault.strerror}); choose another port with --port")
    asyncio.run(_serve(settings, notices, store, listening))
    store.close()
    return 0


def _read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m front_door", description="Serve the front door of one house.")
    parser.add_argument("--data", type=Path, required=True, help="the house's data directory")
    parser.add_argument("--port", type=int, help="listen here instead of where house.yaml says")
    return parser.parse_args(arguments)


def _fail(why: str) -> int:
    sys.stderr.write(f"error: {why}\n")
    return 1


async def _serve(settings: HouseSettings, notices: Notices, store: Store, listening: socket.socket) -> None:
    asked_to_stop = _stop_signal()
    counts: Counter[str] = Counter()
    agreements = KeptAgreements(store)
    # No cookies: one person's registration must never ride on what the homeserver set for another's.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        app = make_app(HomeserverAccounts(http, settings.homeserver), agreements, notices, counts)
        add_calendars(app, store, settings.server_name, counts)
        # A form that is being answered is answered to its end: its password would be seen by nobody otherwise.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_LAST_FORMS_S)
        await runner.setup()
        try:
            await web.SockSite(runner, listening).start()
            logger.info("ready on http://%s:%d", *listening.getsockname())
            async with asyncio.TaskGroup() as group:
                parts = Pulse(store, http, settings.homeserver, counts).run(), agreements.run(), _look(notices.rules)
                running = [group.create_task(part) for part in parts]
                await asked_to_stop.wait()
                for part in running:
                    part.cancel()
        finally:
            await runner.cleanup()
            await agreements.try_now()
    logger.info("stopped")


async def _look(rules: RulesInForce) -> None:
    """Show new rules as soon as the building file has them; of a file that cannot be read nothing is shown."""
    while True:
        await asyncio.sleep(LOOKS_EVERY_S)
        try:
            await asyncio.to_thread(rules.look)
        except SettingsFault:
            # Its faults may name conditions.
            logger.error("the building file cannot be read; the rules of before stay in force")


def _stop_signal() -> asyncio.Event:
    asked_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_stop.set)
    return asked_to_stop


if __name__ == "__main__":
    sys.exit(main())
