"""What `up` refuses, it refuses before it has made anything."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keyhouse.core.ids import Condition, RoomId
from keyhouse.core.people import Role
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.house import HouseSettings, load_house, save_house
from keyhouse.storage.errors import StoreFault, StoreNewer
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.migrating import migrate
from provisioning.answers import Failure
from provisioning.directory import HouseDirectory
from provisioning.house_lock import HouseLock, holder
from provisioning.preflight import DEFAULT_FRONT_PORT, DEFAULT_PORT, SHIPPED_CONFIG, Wishes, may_begin
from provisioning.processes import lives, started
from provisioning.ready import Demonstration, Ready, write_ready
from provisioning.state import ChildState, ChildStatus, save_state, state_file
from tests.support.ports import free_port

UP_ENDS_WITHIN_S = 60


@pytest.fixture
def wishes() -> Wishes:
    return Wishes(port=free_port(), front_port=free_port())


@pytest.fixture
def new(tmp_path: Path) -> HouseDirectory:
    """A directory that nobody has made yet."""
    return HouseDirectory(tmp_path / "house")


@pytest.fixture
def kept(tmp_path: Path) -> HouseDirectory:
    """The directory of a house that was up before."""
    directory = HouseDirectory(tmp_path / "house")
    directory.house_keys.parent.mkdir(parents=True)
    HouseKeys.load_or_create(directory.house_keys)
    database = f"sqlite:///{directory.database}"
    migrate(database)
    urls = [f"http://127.0.0.1:{free_port()}" for _ in range(2)]
    settings = HouseSettings(
        server_name="keyhouse.localhost",
        homeserver=urls[0],
        front_door=urls[1],
        database=database,
        config=SHIPPED_CONFIG,
    )
    save_house(directory.root, settings)
    return directory


@contextmanager
def somebody_listens_on(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


def files_of(directory: HouseDirectory) -> set[str]:
    return {str(path.relative_to(directory.root)) for path in directory.root.rglob("*")}


def test_a_new_house_may_begin_and_nothing_is_made_yet(new: HouseDirectory, wishes: Wishes) -> None:
    settings = may_begin(new, wishes)

    assert settings.homeserver == f"http://127.0.0.1:{wishes.port}"
    assert settings.server_name == "keyhouse.localhost"
    assert not settings.demo
    assert not new.root.exists()


@pytest.mark.parametrize("which", ["port", "front_port"])
def test_a_port_in_use_is_named_with_what_to_do_and_nothing_is_made(
    new: HouseDirectory, wishes: Wishes, which: str
) -> None:
    taken, option = getattr(wishes, which), f"--{which.replace('_', '-')} N"

    with somebody_listens_on(taken), pytest.raises(Failure, match=f"^port {taken} is in use .*{option}"):
        may_begin(new, wishes)

    assert not new.root.exists()


def test_one_port_for_both_is_refused(new: HouseDirectory) -> None:
    port = free_port()

    with pytest.raises(Failure, match=f"cannot both have port {port}"):
        may_begin(new, Wishes(port=port, front_port=port))


def test_a_file_in_place_of_the_directory_is_refused_and_stays(new: HouseDirectory, wishes: Wishes) -> None:
    new.root.write_text("mine")

    with pytest.raises(Failure, match="is a file, not a directory; choose another place"):
        may_begin(new, wishes)

    assert new.root.read_text() == "mine"


def test_a_file_above_the_directory_is_refused(new: HouseDirectory, wishes: Wishes) -> None:
    new.root.write_text("mine")

    with pytest.raises(Failure, match="is a file"):
        may_begin(HouseDirectory(new.root / "deeper" / "still"), wishes)


def test_a_house_that_was_up_keeps_its_ports_and_settings(kept: HouseDirectory) -> None:
    assert may_begin(kept, Wishes()) == load_house(kept.root)


def test_a_port_on_the_line_counts_more_than_the_one_kept(kept: HouseDirectory) -> None:
    port = free_port()

    settings = may_begin(kept, Wishes(port=port))

    assert settings.homeserver == f"http://127.0.0.1:{port}"
    assert settings.front_door == load_house(kept.root).front_door


def test_the_first_ports_are_those_of_the_contract() -> None:
    assert (DEFAULT_PORT, DEFAULT_FRONT_PORT) == (8008, 8090)


def test_a_house_that_is_up_is_refused_by_the_process_that_keeps_it(kept: HouseDirectory) -> None:
    with HouseLock(kept.supervisor_pid):
        before = files_of(kept)

        with pytest.raises(Failure, match=rf"already up \(process {os.getpid()}\).*down`"):
            may_begin(kept, Wishes())

        assert files_of(kept) == before
    assert holder(kept.supervisor_pid) is None
    may_begin(kept, Wishes())


def test_of_two_that_start_at_once_only_one_keeps_the_house(kept: HouseDirectory) -> None:
    with HouseLock(kept.supervisor_pid), pytest.raises(Failure, match="already up"), HouseLock(kept.supervisor_pid):
        pass


def test_the_data_of_a_newer_version_is_refused_and_stays(kept: HouseDirectory) -> None:
    with sqlite3.connect(kept.database) as database:
        database.execute("UPDATE alembic_version SET version_num = 'from_next_year'")
    database.close()
    before = files_of(kept)

    with pytest.raises(StoreNewer, match="newer version of keyhouse; install that version"):
        may_begin(kept, Wishes())

    assert files_of(kept) == before


def test_a_house_whose_keys_are_gone_is_refused_instead_of_getting_new_ones(kept: HouseDirectory) -> None:
    kept.house_keys.unlink()

    with pytest.raises(StoreFault, match="is missing; restore it from a backup"):
        may_begin(kept, Wishes())

    assert not kept.house_keys.exists()


def test_broken_files_are_refused_with_every_fault_of_all_of_them_and_nothing_is_made(
    kept: HouseDirectory, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    shutil.copytree(SHIPPED_CONFIG, config)
    save_house(kept.root, load_house(kept.root).model_copy(update={"config": config}))
    before = sorted(kept.root.rglob("*"))
    may_begin(kept, Wishes())

    (config / "building.yaml").write_text("house: {name: A}\nservices: {}\nroms: []\n")
    (config / "signposting.yaml").unlink()
    with pytest.raises(SettingsFault) as refused:
        may_begin(kept, Wishes())

    for place in ("building.yaml: house.team_space", "building.yaml: services", "building.yaml: roms"):
        assert any(place in fault for fault in refused.value.faults), place
    assert any("signposting.yaml: cannot be read" in fault for fault in refused.value.faults)
    assert sorted(kept.root.rglob("*")) == before


def test_a_house_that_never_was_a_demonstration_does_not_become_one(kept: HouseDirectory) -> None:
    with pytest.raises(Failure, match="no demonstration"):
        may_begin(kept, Wishes(demo=True))


def test_what_a_killed_up_left_running_is_ended_before_its_ports_are_asked_for(kept: HouseDirectory) -> None:
    port = free_port()
    serve = "import socket as s, sys; t = s.create_server(('', int(sys.argv[1]))); print(1, flush=True); t.accept()"
    command = [sys.executable, "-S", "-c", serve, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as leftover:
        assert leftover.stdout
        leftover.stdout.readline()
        seen = started(leftover.pid)
        assert seen
        save_state(state_file(kept), [ChildStatus("synapse", ChildState.RUNNING, seen.pid, seen.ticks)])

        may_begin(kept, Wishes(port=port))

        assert not lives(seen)


def test_the_command_itself_refuses_in_one_line_with_status_1(new: HouseDirectory, wishes: Wishes) -> None:
    assert wishes.port
    with somebody_listens_on(wishes.port):
        told = subprocess.run(
            [sys.executable, "-c", "from provisioning.cli import main; main()", "--data", str(new.root), "up", "--demo",
             "--port", str(wishes.port), "--front-port", str(wishes.front_port)],
            capture_output=True, text=True, timeout=UP_ENDS_WITHIN_S, check=False,
        )  # fmt: skip

    (line,) = told.stderr.splitlines()
    assert (told.returncode, told.stdout) == (1, "")
    assert line.startswith(f"error: port {wishes.port} is in use")
    assert not new.root.exists()


def a_space(room: str, condition: str, role: Role) -> RoomScope:
    roles, conditions = frozenset({role, Role.CLINICIAN}), frozenset({Condition(condition)})
    return RoomScope(RoomId(room), f"s.{room}", RoomKind.SPACE, "A house", roles, conditions, service="one")


def test_ready_names_one_space_for_each_condition_the_patients_first(kept: HouseDirectory) -> None:
    rooms = (
        a_space("!carers", "perinatal", Role.CARER),
        a_space("!patients", "perinatal", Role.PATIENT),
        a_space("!families", "autism", Role.CARER),
        RoomScope(RoomId("!care"), "one.care", RoomKind.CARE, "Care room", frozenset({Role.CLINICIAN}), service="one"),
    )

    document = Ready(load_house(kept.root), rooms, None).document()

    assert document["spaces"] == {"perinatal": "!patients", "autism": "!families"}
    assert document["care_rooms"] == {"one": "!care"}
    assert "demo" not in document


def test_ready_is_for_its_owner_alone_and_holds_what_others_rely_on(kept: HouseDirectory) -> None:
    demonstration = Demonstration("@sam-demo:keyhouse.localhost", "a password", "a code", "a link")
    ready = Ready(load_house(kept.root), (), demonstration)

    write_ready(kept.ready, ready)
    write_ready(kept.ready, ready)

    assert kept.ready.stat().st_mode & 0o777 == 0o600
    assert set(ready.document()) == {
        "homeserver", "server_name", "front_door", "spaces", "bots", "care_rooms", "pid", "demo"
    }  # fmt: skip
    assert ready.document()["bots"] == {
        "risk_monitor": "@watcher:keyhouse.localhost",
        "room_gatekeeper": "@concierge:keyhouse.localhost",
        "booking": "@booking:keyhouse.localhost",
    }
    assert ready.document()["demo"] == {
        "clinician": {"user_id": "@sam-demo:keyhouse.localhost", "password": "a password"},
        "patient_code": "a code",
    }
