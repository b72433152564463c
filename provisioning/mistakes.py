"""A mistake of ours, told in one line; what a programmer needs goes into the house's log."""

import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from provisioning.answers import say
from provisioning.directory import HouseDirectory


def tell_mistake(
    directory: HouseDirectory | None,
    kind: type[BaseException],
    fault: BaseException,
    trace: TracebackType | None,
) -> None:
    """Print one line instead of a stack trace. directory: None while the command line has not named one."""
    if issubclass(kind, KeyboardInterrupt):
        say("error: stopped before it was done; run the command again to go on")
        return
    kept = _keep(directory, kind, trace) if directory else None
    frames = [frame for frame in traceback.extract_tb(trace) if not frame.filename.startswith("<")]
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    where = f"; please report it with the end of {kept}" if kept else "; please report it"
    say(f"error: Keyhouse itself made a mistake ({kind.__name__}{place}){where}, then try the command again")


def _keep(directory: HouseDirectory, kind: type[BaseException], trace: TracebackType | None) -> Path | None:
    # Neither the exception's words nor any argument: both may hold a code, a name or a password.
    places = "".join(f"  {frame.filename}:{frame.lineno} in {frame.name}\n" for frame in traceback.extract_tb(trace))
    log = directory.logs / "command-line.log"
    try:
        if not directory.logs.is_dir():
            return None
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {kind.__name__}\n{places}")
    except OSError:
        return None
    return log
