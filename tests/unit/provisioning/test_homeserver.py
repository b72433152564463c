"""The homeserver that provisioning writes is closed, private and stays the same one."""

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioning.homeserver import (
    SECRET_FILES,
    HomeserverError,
    HomeserverPlan,
    start_command,
    write_homeserver,
)

ONE_TIME_FILES = ["signing.key", *SECRET_FILES.values()]


def a_plan(directory: Path, **more: Any) -> HomeserverPlan:
    return HomeserverPlan(**{"directory": directory / "synapse", "server_name": "keyhouse.test", "port": 8123, **more})


def written(plan: HomeserverPlan) -> dict[str, Any]:
    settings: dict[str, Any] = yaml.safe_load(write_homeserver(plan).read_text())
    return settings


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("enable_registration", True),
        ("registration_requires_token", True),
        ("allow_guest_access", False),
        ("inhibit_user_in_use_error", True),
        ("federation_domain_whitelist", []),
        ("trusted_key_servers", []),
        ("enable_3pid_changes", False),
        ("enable_3pid_lookup", False),
        ("default_identity_server", None),
        ("enable_set_displayname", False),
        ("enable_set_avatar_url", False),
        ("allowed_avatar_mimetypes", ["application/x-none"]),
        ("max_avatar_size", "1"),
        ("allow_per_room_profiles", False),
        ("include_profile_data_on_invite", False),
        ("limit_profile_requests_to_users_who_share_rooms", True),
        ("require_auth_for_profile_requests", True),
        ("user_directory", {"enabled": False}),
        ("enable_room_list_search", False),
        ("room_list_publication_rules", [{"action": "deny"}]),
        ("alias_creation_rules", [{"action": "deny"}]),
        ("enable_search", False),
        ("presence", {"enabled": False}),
        ("url_preview_enabled", False),
        ("max_event_delay_duration", None),
        ("report_stats", False),
        ("user_ips_max_age", "1h"),
        ("redaction_retention_period", "1d"),
        ("forgotten_room_retention_period", "1d"),
        ("auto_accept_invites", {"enabled": True, "only_from_local_users": True}),
        ("default_room_version", "12"),
        ("encryption_enabled_by_default_for_room_type", "off"),
    ],
)
def test_the_house_is_closed(tmp_path: Path, setting: str, value: object) -> None:
    settings = written(a_plan(tmp_path))

    assert setting in settings
    assert settings[setting] == value


def test_a_bot_never_loses_its_device_by_age(tmp_path: Path) -> None:
    assert "delete_stale_devices_after" not in written(a_plan(tmp_path))


def test_it_listens_on_loopback_for_clients_alone(tmp_path: Path) -> None:
    (listener,) = written(a_plan(tmp_path, port=8123))["listeners"]

    assert listener["port"] == 8123
    assert listener["bind_addresses"] == ["127.0.0.1"]
    assert [resource["names"] for resource in listener["resources"]] == [["client"]]


def test_a_person_may_send_thirty_short_messages_in_a_minute(tmp_path: Path) -> None:
    assert written(a_plan(tmp_path))["rc_message"]["burst_count"] >= 30


@pytest.mark.parametrize("limit", ["account", "failed_attempts"])
def test_only_a_demonstration_lifts_the_limits_of_an_account_s_logins(tmp_path: Path, limit: str) -> None:
    assert limit not in written(a_plan(tmp_path))["rc_login"]
    assert limit in written(a_plan(tmp_path, demo=True))["rc_login"]


@pytest.mark.parametrize("demo", [False, True])
def test_synapse_counts_nobody_by_an_address_because_it_sees_the_same_one_for_all(tmp_path: Path, demo: bool) -> None:
    settings = written(a_plan(tmp_path, demo=demo))

    for limit in (settings["rc_registration"], settings["rc_login"]["address"]):
        assert limit["burst_count"] >= 1000


def test_secrets_and_the_signing_key_are_made_once(tmp_path: Path) -> None:
    plan = a_plan(tmp_path)
    write_homeserver(plan)
    before = {name: (plan.directory / name).read_text() for name in ONE_TIME_FILES}

    write_homeserver(plan)

    assert {name: (plan.directory / name).read_text() for name in ONE_TIME_FILES} == before
    assert len(set(before.values())) == len(before)


def test_two_houses_have_different_secrets(tmp_path: Path) -> None:
    one, other = a_plan(tmp_path / "one"), a_plan(tmp_path / "other")
    write_homeserver(one)
    write_homeserver(other)

    for name in ONE_TIME_FILES:
        assert (one.directory / name).read_text() != (other.directory / name).read_text()


def test_no_secret_stands_in_the_settings(tmp_path: Path) -> None:
    plan = a_plan(tmp_path)
    text = write_homeserver(plan).read_text()

    for name in ONE_TIME_FILES:
        assert (plan.directory / name).read_text().strip() not in text
    assert "--no-secrets-in-config" in start_command(plan)


def test_everything_is_private_to_its_owner(tmp_path: Path) -> None:
    plan = a_plan(tmp_path)
    write_homeserver(plan)

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in plan.directory.iterdir()}

    assert stat.S_IMODE(plan.directory.stat().st_mode) == 0o700
    assert modes == dict.fromkeys(["homeserver.yaml", "log.yaml", *ONE_TIME_FILES], 0o600)


def test_requests_are_not_logged_because_they_name_addresses_and_people(tmp_path: Path) -> None:
    plan = a_plan(tmp_path)
    log = yaml.safe_load(Path(written(plan)["log_config"]).read_text())

    assert log["loggers"]["synapse.access.http"]["level"] == "WARNING"
    assert log["loggers"]["synapse.http.server"]["level"] == "ERROR"
    assert log["root"]["level"] == "INFO"
    assert [handler["filename"] for handler in log["handlers"].values()] == [str(plan.directory / "homeserver.log")]


def test_a_new_port_and_modules_arrive_with_the_next_start(tmp_path: Path) -> None:
    modules = [{"module": "synapse_module.door.Door", "config": {"settings": "/house"}}]
    write_homeserver(a_plan(tmp_path, port=1))

    settings = written(a_plan(tmp_path, port=2, modules=modules))

    assert settings["listeners"][0]["port"] == 2
    assert settings["public_baseurl"] == "http://127.0.0.1:2/"
    assert settings["modules"] == modules


def test_sqlite_is_the_default_and_another_database_is_taken_as_given(tmp_path: Path) -> None:
    postgres = {"name": "psycopg2", "args": {"host": "127.0.0.1"}}

    assert written(a_plan(tmp_path))["database"]["name"] == "sqlite3"
    assert written(a_plan(tmp_path, database=postgres))["database"] == postgres


def test_extra_settings_have_the_last_word(tmp_path: Path) -> None:
    assert written(a_plan(tmp_path, extra={"rc_message": {"per_second": 9}}))["rc_message"] == {"per_second": 9}


def test_a_directory_that_cannot_be_made_is_told_in_one_line_with_a_next_step(tmp_path: Path) -> None:
    (tmp_path / "synapse").write_text("a file stands where the directory should be")

    with pytest.raises(HomeserverError, match=r"cannot be written .*; .* choose another directory") as told:
        write_homeserver(a_plan(tmp_path))

    assert "\n" not in str(told.value)
