"""What the front door writes down: what it did, never who came or what they typed."""

import logging
import sys
from traceback import extract_tb


class WithoutWords(logging.Formatter):
    """Writes our own lines as they are. Of a library's line it keeps where it came from and the kind of fault.

    aiohttp's own lines hold the visitor's address and, of a request that it cannot read, the request itself.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        if not record.name.startswith("front_door"):
            record = logging.makeLogRecord({**record.__dict__, "msg": _kind_and_place(record), "args": ()})
            record.exc_info = record.exc_text = record.stack_info = None
        return super().format(record)


def log_without_words() -> None:
    """Log to stderr from now on."""
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(WithoutWords())
    logging.basicConfig(level=logging.WARNING, handlers=[to_stderr], force=True)
    logging.getLogger("front_door").setLevel(logging.INFO)


def _kind_and_place(record: logging.LogRecord) -> str:
    fault = record.exc_info[1] if record.exc_info else None
    if fault is None:
        return f"a line of {record.module}, number {record.lineno}"
    place = "".join(f" at {frame.name}, line {frame.lineno}" for frame in extract_tb(fault.__traceback__)[-1:])
    return type(fault).__name__ + place
