"""A house that is kept nowhere: the same ports over dictionaries, for tests of workflows."""

from keyhouse.storage.memory.store import MemoryStore

__all__ = ["MemoryStore"]
