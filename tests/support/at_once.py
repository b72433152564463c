"""Many transactions that begin together."""

import threading
from collections.abc import Callable

from keyhouse.core.ports import Store, Transaction
from keyhouse.storage.errors import StoreFault


def at_once(store: Store, *doings: Callable[[Transaction], object]) -> list[object]:
    """Do each in a thread and a writing transaction of its own, all starting together; a fault is a result."""
    start = threading.Barrier(len(doings))
    results: list[object] = []

    def run(doing: Callable[[Transaction], object]) -> None:
        start.wait(20)
        result: object = None
        try:
            with store.writing() as tx:
                result = doing(tx)
        except StoreFault as fault:
            result = fault
        results.append(result)

    threads = [threading.Thread(target=run, args=[doing]) for doing in doings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert len(results) == len(doings), "a thread did not end"
    return results
