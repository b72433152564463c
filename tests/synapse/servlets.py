"""Every servlet of the Synapse that is installed, with the paths that it answers."""

import importlib
import inspect
import pkgutil
import re
import warnings
from collections.abc import Iterator
from functools import cache
from itertools import product
from types import ModuleType
from typing import Any

METHODS = ("GET", "PUT", "POST", "DELETE")
_CHOICE = re.compile(r"\((?!\?)([^()]*)\)")
_NAMED = re.compile(r"\(\?P<(\w+)>([^()]*)\)")


@cache
def census() -> dict[str, type[Any]]:
    """Every method of every servlet for clients, as "PUT profile.ProfileFieldRestServlet", and its class."""
    found = {}
    for module in _modules("synapse.rest.client", "synapse.rest.media"):
        for name, servlet in inspect.getmembers(module, inspect.isclass):
            if servlet.__module__ == module.__name__:
                file = module.__name__.rpartition(".")[2]
                methods = [method for method in METHODS if hasattr(servlet, f"on_{method}")]
                found.update({f"{method} {file}.{name}": servlet for method in methods})
    return found


def paths_of(servlet: type[Any], **named: str) -> Iterator[str]:
    """Draw up every path that a servlet answers: each version, each prefix; named: the named parts of the path."""
    for pattern in servlet.PATTERNS:
        written = pattern.pattern.strip("^$").replace("\\", "")
        filled = _NAMED.sub(lambda part: part[2] if part[2].isidentifier() else named[part[1]], written)
        parts = _CHOICE.split(filled)
        for chosen in product(*(part.split("|") if odd % 2 else [part] for odd, part in enumerate(parts))):
            path = "".join(chosen)
            assert pattern.match(path), (pattern.pattern, path)
            yield path


def _modules(*packages: str) -> Iterator[ModuleType]:
    with warnings.catch_warnings():
        # Synapse's own imports are no matter of ours.
        warnings.simplefilter("ignore", DeprecationWarning)
        for package in packages:
            for file in pkgutil.iter_modules(importlib.import_module(package).__path__):
                yield importlib.import_module(f"{package}.{file.name}")
