"""A code is shown once, on paper; whatever becomes of it, it comes to lie nowhere."""

import asyncio
from pathlib import Path

from tests.support.house_with_door import House


async def files_with(folder: Path, *words: str) -> set[str]:
    """Name every file under the folder in which one of these words stands, in capitals or not."""
    patterns = [argument for word in words for argument in ("-e", word)]
    # Another process has to look: SQLite loses its locks when its own process closes a database file in any other way.
    grep = await asyncio.create_subprocess_exec(
        "grep", "-rliaF", *patterns, str(folder), stdout=asyncio.subprocess.PIPE
    )
    found, _ = await grep.communicate()
    assert grep.returncode in (0, 1)
    return {Path(line).name for line in found.decode().splitlines()}


async def test_neither_a_used_nor_a_refused_code_stands_in_any_file_of_the_house(
    house: House, door_folder: Path
) -> None:
    used, revoked, half_way = house.issue(), house.issue(), house.issue()
    house.withdraw(revoked)
    assert (await house.register(used.code)).status == 200
    assert (await house.register(revoked.code)).errcode == "UK.KEYHOUSE.CODE_REVOKED"
    assert (await house.register(used.code.lower())).errcode == "UK.KEYHOUSE.CODE_USED"
    await house.present(await house.session(), half_way.code)
    validity = "/_matrix/client/v1/register/m.login.registration_token/validity?token="
    await house.synapse.request("GET", validity + half_way.code)

    codes = [paper.code for paper in (used, revoked, half_way)]
    spellings = [spelling for code in codes for spelling in (code.replace("-", ""), code[:14])]

    assert await files_with(door_folder, *spellings) == set()
    # The search finds what is there.
    assert await files_with(door_folder, used.pseudonym) >= {"house.db-wal", "homeserver.db-wal"}
