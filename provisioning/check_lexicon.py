"""The check of `keyhouse doctor` that the words in force are those that somebody accepted."""

from keyhouse.settings.lexicon_versions import CAME_ALONG, accepted_versions, fingerprint_of
from provisioning.answers import House
from provisioning.checks import Check, State


async def lexicon_check(house: House, name: str) -> Check:
    """Say who accepted the lexicon in force, and whether the config folder holds another one that nobody accepted."""
    versions = accepted_versions(house.directory.root)
    if not versions:
        bad = "none was accepted yet; the watcher adopts the house's own when it starts, start it with `keyhouse up`"
        return Check(name, State.WARN, bad)
    newest = versions[-1]
    who = "nobody (it came along)" if newest.by == CAME_ALONG else newest.by
    said = f"version {newest.name} is in force, accepted on {newest.at:%d %B %Y} by {who}"
    if fingerprint_of(house.settings.config / "lexicons") != newest.fingerprint:
        more = "config/lexicons was changed and is not in force; try it with `keyhouse lexicon check`, then accept it"
        return Check(name, State.WARN, f"{said}; {more}")
    return Check(name, State.OK, said)
