"""Real small child processes are kept alive, restarted with patience, and ended in order."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from provisioning.logs import KEPT, TURN_AT_BYTES, last_line, open_log
from provisioning.processes import Started, end_all, lives, started
from provisioning.state import ChildState, ChildStatus, load_state, save_state
from provisioning.supervisor import Child, Patience, Supervisor

QUICK = Patience(steps_s=(0.02, 0.04, 0.08), healthy_after_s=60, ends_within_s=5)
WAITS_FOREVER = "import signal; print('up', flush=True); signal.pause()"
DEADLINE_S = 20


def a_child(name: str, program: str, *arguments: str) -> Child:
    return Child(name, (sys.executable, "-S", "-c", textwrap.dedent(program), *arguments))


@asynccontextmanager
async def supervising(directory: Path, patience: Patience = QUICK) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(directory / "run" / "supervisor.json", directory / "logs", patience)
    try:
        yield supervisor
    finally:
        await supervisor.stop()


async def eventually(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not holds():  # noqa: ASYNC110 (other processes set no event here)
            await asyncio.sleep(0.01)


def says(directory: Path, name: str, words: str) -> bool:
    return last_line(directory / "logs", name) == words


async def test_a_child_that_is_killed_is_started_again_with_a_new_pid(tmp_path: Path) -> None:
    async with supervising(tmp_path) as supervisor:
        supervisor.start(a_child("watcher", WAITS_FOREVER))
        await eventually(lambda: supervisor.status("watcher").pid)
        first = supervisor.status("watcher")
        assert first.pid

        os.kill(first.pid, signal.SIGKILL)
        await eventually(lambda: supervisor.status("watcher").restarts == 1)

        second = supervisor.status("watcher")
        assert second.state is ChildState.RUNNING
        assert second.pid != first.pid


async def test_a_child_that_keeps_dying_is_started_after_longer_and_longer_waits(tmp_path: Path) -> None:
    waits = Patience(steps_s=(0.05, 0.2, 30))
    moments: list[float] = []

    def note(status: ChildStatus) -> None:
        if status.state is ChildState.RUNNING:
            moments.append(asyncio.get_running_loop().time())

    supervisor = Supervisor(tmp_path / "state.json", tmp_path / "logs", waits, note)
    supervisor.start(a_child("unlucky", "raise SystemExit(1)"))
    await eventually(lambda: len(moments) == 3 and supervisor.status("unlucky").state is ChildState.WAITING)
    await supervisor.stop()

    assert moments[1] - moments[0] >= 0.05
    assert moments[2] - moments[1] >= 0.2
    assert len(moments) == 3, "the third wait is 30 s, and stopping does not sit it out"


@pytest.mark.parametrize(("deaths", "wait_s"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (7, 30), (500, 30)])
def test_the_waits_double_up_to_half_a_minute(deaths: int, wait_s: float) -> None:
    assert Patience().before_restart(deaths) == wait_s


async def test_after_a_healthy_run_the_waits_begin_anew(tmp_path: Path) -> None:
    # The second wait is longer than the test: only a child that counts as healthy is ever started a third time.
    patience = Patience(steps_s=(0.01, 600), healthy_after_s=0)

    async with supervising(tmp_path, patience) as supervisor:
        supervisor.start(a_child("short-lived", "raise SystemExit(0)"))

        await eventually(lambda: supervisor.status("short-lived").restarts >= 2)


async def test_a_child_that_needs_a_decision_is_not_started_again_and_its_sentence_is_kept(tmp_path: Path) -> None:
    program = "import sys; print('error: its identity is gone; restore the file', file=sys.stderr); sys.exit(3)"

    async with supervising(tmp_path) as supervisor:
        supervisor.start(a_child("bot", program))
        await eventually(lambda: supervisor.status("bot").state is ChildState.FAILED)

        assert supervisor.status("bot").restarts == 0
        assert supervisor.status("bot").sentence == "its identity is gone; restore the file"
    assert supervisor.status("bot").state is ChildState.FAILED


async def test_children_are_ended_in_reverse_order_each_before_the_next(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    program = """
        import signal, sys, time
        def leave(*_):
            with open(sys.argv[1], "a") as diary: diary.write(f"{sys.argv[2]} told\\n")
            time.sleep(0.1)
            with open(sys.argv[1], "a") as diary: diary.write(f"{sys.argv[2]} gone\\n")
            sys.exit(0)
        signal.signal(signal.SIGTERM, leave)
        print("ready", flush=True)
        signal.pause()
    """
    async with supervising(tmp_path) as supervisor:
        for name in ("synapse", "bot"):
            supervisor.start(a_child(name, program, str(diary), name))
            await eventually(lambda name=name: says(tmp_path, name, "ready"))

    assert diary.read_text().split("\n")[:-1] == ["bot told", "bot gone", "synapse told", "synapse gone"]


async def test_a_child_that_does_not_listen_is_ended_by_force(tmp_path: Path) -> None:
    deaf = """
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf", flush=True)
        while True: signal.pause()
    """
    async with supervising(tmp_path, Patience(ends_within_s=0.2)) as supervisor:
        supervisor.start(a_child("deaf", deaf))
        await eventually(lambda: says(tmp_path, "deaf", "deaf"))
        process = supervisor.status("deaf").process
        assert process

    assert not lives(process)
    assert supervisor.status("deaf").state is ChildState.STOPPED


async def test_what_a_child_started_itself_ends_with_it(tmp_path: Path) -> None:
    program = """
        import signal, subprocess, sys
        below = subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"])
        print(below.pid, flush=True)
        signal.pause()
    """
    async with supervising(tmp_path) as supervisor:
        supervisor.start(a_child("parent", program))
        await eventually(lambda: last_line(tmp_path / "logs", "parent"))
        below = started(int(last_line(tmp_path / "logs", "parent")))
        assert below

    await eventually(lambda: not lives(below))


async def test_a_stop_at_once_after_a_start_leaves_nothing(tmp_path: Path) -> None:
    async with supervising(tmp_path) as supervisor:
        supervisor.start(a_child("late", WAITS_FOREVER))
        await asyncio.sleep(0)

    assert supervisor.status("late").state is ChildState.STOPPED
    assert supervisor.status("late").pid is None


async def test_when_the_supervisor_itself_is_killed_its_children_end(tmp_path: Path) -> None:
    program = f"""
        import asyncio, sys
        from pathlib import Path
        from provisioning.supervisor import Child, Supervisor
        async def main():
            supervisor = Supervisor(Path(sys.argv[1]) / "state.json", Path(sys.argv[1]) / "logs")
            supervisor.start(Child("orphan", (sys.executable, "-S", "-c", {WAITS_FOREVER!r})))
            await asyncio.Event().wait()
        asyncio.run(main())
    """
    above = await asyncio.create_subprocess_exec(sys.executable, "-c", textwrap.dedent(program), str(tmp_path))
    try:
        await eventually(lambda: says(tmp_path, "orphan", "up"))
        (orphan,) = [status.process for status in load_state(tmp_path / "state.json")]
        assert orphan
        assert lives(orphan)
    finally:
        above.kill()
        await above.wait()

    await eventually(lambda: not lives(orphan))


async def test_a_child_that_ends_again_and_again_has_been_unwell_since_its_first_end(tmp_path: Path) -> None:
    async with supervising(tmp_path) as supervisor:
        supervisor.start(a_child("brief", "pass"))
        supervisor.start(a_child("steady", WAITS_FOREVER))
        await eventually(lambda: supervisor.status("brief").unwell_since)
        first = supervisor.status("brief").unwell_since

        await eventually(lambda: supervisor.status("brief").restarts >= 2)

        assert supervisor.status("brief").unwell_since == first
        assert supervisor.status("steady").unwell_since is None


async def test_the_state_on_disk_names_each_process_as_it_is(tmp_path: Path) -> None:
    async with supervising(tmp_path) as supervisor:
        supervisor.start(a_child("watcher", WAITS_FOREVER))
        await eventually(lambda: says(tmp_path, "watcher", "up"))

        (status,) = load_state(tmp_path / "run" / "supervisor.json")

        assert status == supervisor.status("watcher")
        assert status.process
        assert lives(status.process)
    (after,) = load_state(tmp_path / "run" / "supervisor.json")
    assert (after.state, after.pid) == (ChildState.STOPPED, None)


def test_a_leftover_is_ended_but_a_stranger_with_its_old_pid_is_not() -> None:
    program = [sys.executable, "-S", "-c", "import signal; signal.pause()"]
    leftover, stranger = (subprocess.Popen(program, start_new_session=True) for _ in range(2))
    try:
        ours, theirs = started(leftover.pid), started(stranger.pid)
        assert ours
        assert theirs

        end_all([ours, Started(theirs.pid, theirs.ticks - 1)])

        assert not lives(ours)
        assert lives(theirs)
    finally:
        for process in (leftover, stranger):
            process.kill()
            process.wait()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"processes": [{}]}'], ids=["empty", "cut", "list", "strange"])
def test_an_unreadable_state_is_no_state(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)

    assert load_state(tmp_path / "state.json") == []
    save_state(tmp_path / "state.json", [ChildStatus("bot", ChildState.WAITING)])
    assert load_state(tmp_path / "state.json") == [ChildStatus("bot", ChildState.WAITING)]


def test_a_large_log_is_put_aside_at_the_next_start_and_the_oldest_is_forgotten(tmp_path: Path) -> None:
    for turn in range(KEPT + 2):
        with open_log(tmp_path, "bot") as log:
            log.write(f"{turn}\n".encode())
            log.truncate(TURN_AT_BYTES)
    with open_log(tmp_path, "bot") as log:
        log.write(b"now\n")

    assert last_line(tmp_path, "bot") == "now"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bot.log", *[f"bot.log.{n + 1}" for n in range(KEPT)]]
