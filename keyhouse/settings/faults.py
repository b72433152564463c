"""Everything wrong with a settings file, said at once, each with its place and what to do."""

from collections.abc import Iterable
from pathlib import Path

import yaml
from pydantic import ValidationError

# What pydantic says in its own words, and how we say it to somebody who edits YAML.
_IN_PLAIN_WORDS = {
    "extra_forbidden": "is not a known key; remove it or correct its spelling",
    "missing": "is missing; add it",
}


class SettingsFault(Exception):
    """The settings cannot be used; `faults` holds one line for each thing to correct."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults: tuple[str, ...] = tuple(faults)
        super().__init__("\n".join(self.faults))


def file_label(path: Path) -> str:
    """Name a file as its folder and name, as people call it: `lexicons/eating.yaml`."""
    return f"{path.parent.name}/{path.name}" if path.parent.name else path.name


def key_path(location: Iterable[int | str]) -> str:
    """Write a place inside a document as people write it: `rules[2].when`."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else part
    return path


def faults_of(file: str, error: ValidationError) -> tuple[str, ...]:
    """Turn what pydantic found into lines "file: path: message"."""
    return tuple(
        ": ".join(part for part in (file, key_path(fault["loc"]), _message(fault["type"], fault["msg"])) if part)
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    )


def read_yaml(path: Path) -> object:
    """Read one YAML document; an unreadable file or a YAML mistake is a SettingsFault with its line."""
    label = file_label(path)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 (a SafeLoader)
    except UnicodeDecodeError as error:
        raise SettingsFault([f"{label}: is not UTF-8 text; save it as UTF-8"]) from error
    except OSError as error:
        raise SettingsFault([f"{label}: cannot be read ({error.strerror}); check that it exists"]) from error
    except yaml.YAMLError as error:
        raise SettingsFault([f"{label}: {_place_of(error)}is not valid YAML; {_problem_of(error)}"]) from error


def _message(kind: str, words: str) -> str:
    return _IN_PLAIN_WORDS.get(kind, words.removeprefix("Value error, "))


def _place_of(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}: " if mark else ""


def _problem_of(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None)
    return str(problem) if problem else "check the characters it holds"


# The parser in C takes a seventh of the time of the one in Python, which a system without libyaml has to do with.
_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_SafeLoader):  # type: ignore[misc, valid-type]
    """A key written twice in one mapping is a mistake: plain YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool):
                continue
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f'the key "{key}" stands twice; keep one', key_node.start_mark
                )
            seen.add(key)
        mapping: dict[object, object] = super().construct_mapping(node, deep)
        return mapping
