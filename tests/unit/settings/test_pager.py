"""Who is told outside of Matrix."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyhouse.core.alarms import AlarmLimits
from keyhouse.settings.durations import read_duration
from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.pager import ChannelSettings, DeadMan, Mail, PagerSettings, Webhook, When, load_pager

CONFIG = Path(__file__).parents[3] / "config"
EXAMPLE = CONFIG / "pager.example.yaml"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A house's directory, with every secret that the example names."""
    secrets = tmp_path / "data" / "secrets"
    secrets.mkdir(parents=True)
    for name in ("pager-url", "dead-man-url"):
        (secrets / name).write_text("https://pager.example.org/house\n")
    for name in ("pager-secret", "mail-password"):
        (secrets / name).write_text("open sesame\n")
    return tmp_path / "data"


@pytest.fixture
def example() -> dict[str, Any]:
    """What the example says, to be changed; without the authority, for which there is no certificate here."""
    content: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    del content["channels"][1]["mail"]["ca_file"]
    return content


def load(content: object, data: Path) -> PagerSettings:
    config = data.parent / "config"
    config.mkdir(exist_ok=True)
    (config / "pager.yaml").write_text(yaml.safe_dump(content))
    return load_pager(config, data)


def test_as_shipped_nobody_is_told(data: Path) -> None:
    assert load_pager(CONFIG, data) == PagerSettings()


def test_a_house_without_the_file_tells_nobody(data: Path) -> None:
    assert load_pager(data, data) == PagerSettings()


def test_the_example_is_what_the_rules_do_without_it(data: Path, example: dict[str, Any]) -> None:
    settings = load(example, data)

    assert settings.when.limits() == AlarmLimits()
    assert [channel.name for channel in settings.channels] == ["on-call", "mail"]
    assert settings.dead_man == DeadMan(url_file=data / "secrets" / "dead-man-url", every=timedelta(minutes=1))


def test_every_key_stands_in_the_example() -> None:
    written = yaml.safe_load(EXAMPLE.read_text())
    webhook, mail = (channel for channel in written["channels"])

    assert set(written) == set(PagerSettings.model_fields)
    assert set(webhook) | set(mail) == set(ChannelSettings.model_fields)
    assert set(webhook["webhook"]) == set(Webhook.model_fields)
    assert set(mail["mail"]) == set(Mail.model_fields)
    assert set(written["dead_man"]) == set(DeadMan.model_fields)
    assert set(written["when"]) == set(When.model_fields)


def test_files_are_looked_for_in_the_house_unless_their_path_is_full(data: Path, example: dict[str, Any]) -> None:
    elsewhere = data.parent / "elsewhere"
    elsewhere.write_text("https://pager.example.org/other")
    example["dead_man"]["url_file"] = str(elsewhere)

    settings = load(example, data)

    assert settings.dead_man is not None
    assert settings.dead_man.url_file == elsewhere
    webhook = settings.channels[0].webhook
    assert webhook is not None
    assert webhook.url_file == data / "secrets" / "pager-url"


def test_no_secret_stands_in_what_the_settings_say_of_themselves(data: Path, example: dict[str, Any]) -> None:
    assert "sesame" not in repr(load(example, data))


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown key": ({"chanels": []}, "pager.yaml: chanels: is not a known key"),
    "a channel that is nothing": ({"channels": [{"name": "a"}]}, r"channels\[0\]: needs exactly one of webhook"),
    "a duration without its unit": ({"when": {"stopped_after": 60}}, "when.stopped_after: is not a duration"),
    "a secret that is not there": (
        {"dead_man": {"url_file": "secrets/none"}},
        r"dead_man.url_file: .*secrets/none cannot be read; make the file",
    ),
    "an empty secret": ({"dead_man": {"url_file": "secrets/empty"}}, "is empty; write the secret into it"),
    "an address in clear": ({"dead_man": {"url_file": "secrets/clear"}}, "without encryption; write https"),
    "no address": ({"dead_man": {"url_file": "secrets/pager-secret"}}, "holds no address; write https"),
    "mail in clear": (
        {"channels": [{"name": "a", "mail": {"host": "mail.example.org", "port": 25, "tls": "none", "sender": "a@b.c",
                                            "to": ["a@b.c"]}}]},
        "tls may be none only for a server on this machine",
    ),
    "a user without a password": (
        {"channels": [{"name": "a", "mail": {"host": "localhost", "port": 25, "tls": "none", "sender": "a@b.c",
                                            "to": ["a@b.c"], "user": "u"}}]},
        "user and password_file belong together",
    ),
    "an authority without certificates": (
        {"channels": [{"name": "a", "mail": {"host": "localhost", "port": 25, "sender": "a@b.c", "to": ["a@b.c"],
                                            "ca_file": "secrets/pager-secret"}}]},
        r"channels\[0\].mail.ca_file: .* holds no certificates",
    ),
    "a receiver that would be two headers": (
        {"channels": [{"name": "a", "mail": {"host": "localhost", "port": 25, "sender": "a@b.c",
                                            "to": ["a@b.c\nBcc: x@y.z"]}}]},
        r"channels\[0\].mail.to\[0\]",
    ),
    "two of one name": (
        {"channels": [{"name": "a", "webhook": {"url_file": "secrets/pager-url"}}] * 2},
        "two have the same name",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_said_with_its_place_and_what_to_do(data: Path, content: dict[str, Any], expected: str) -> None:
    (data / "secrets" / "empty").write_text("\n")
    (data / "secrets" / "clear").write_text("http://pager.example.org/house")

    with pytest.raises(SettingsFault, match=expected):
        load(content, data)


@pytest.mark.parametrize(("written", "means"), [("1s", 1), ("90s", 90), ("10m", 600), ("2h", 7200)])
def test_a_duration_has_its_unit(written: str, means: int) -> None:
    assert read_duration(written) == timedelta(seconds=means)


@pytest.mark.parametrize("written", [60, 1.5, "60", "0s", "-1s", "1 m", "1d", "1h30m", "", None, True])
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is not a duration; write a whole number with its unit"):
        read_duration(written)
