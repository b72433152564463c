"""config/pager.yaml → who is told outside of Matrix when the house itself is unwell, and when."""

import ssl
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from keyhouse.core.alarms import AlarmLimits
from keyhouse.core.notices import NoticeLimits
from keyhouse.settings.durations import Duration
from keyhouse.settings.faults import SettingsFault, faults_of, file_label, read_yaml

FILE = "pager.yaml"
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,29}$")]
Address = Annotated[str, Field(pattern=r"^[^@\s<>\"]+@[^@\s<>\"]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Webhook(_Strict):
    """An address that takes a page as JSON; mostly a secret itself. header: in which the other secret is sent."""

    url_file: Path
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] = "X-Keyhouse-Secret"
    secret_file: Path | None = None


class Mail(_Strict):
    """A mail server. tls: starttls, tls from the first byte on, or none for a server on this machine."""

    host: str
    port: Annotated[int, Field(ge=1, le=65535)]
    tls: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: Path | None = None
    user: str | None = None
    password_file: Path | None = None
    sender: Address
    to: list[Address] = Field(min_length=1, max_length=20)

    @model_validator(mode="after")
    def _nothing_in_clear(self) -> Self:
        if self.tls == "none" and not is_this_machine(self.host):
            raise ValueError("tls may be none only for a server on this machine; write starttls or tls")
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user and password_file belong together; give both or neither")
        return self


class ChannelSettings(_Strict):
    """One way to tell somebody: a webhook or mail. name: as `doctor` and the alarms call it."""

    name: Name
    webhook: Webhook | None = None
    mail: Mail | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.webhook is None) == (self.mail is None):
            raise ValueError("needs exactly one of webhook and mail")
        return self


class DeadMan(_Strict):
    """An outside service that raises the alarm when it is no longer told that all is well."""

    url_file: Path
    every: Duration = timedelta(minutes=1)


class When(_Strict):
    """How long something must be wrong before it is told; docs/operating.md explains each."""

    homeserver_after: Duration = AlarmLimits().homeserver_after
    store_after: Duration = AlarmLimits().store_after
    stopped_after: Duration = AlarmLimits().stopped_after
    lags_after: Duration = AlarmLimits().lags_after
    probe_after: Duration = AlarmLimits().probe_after
    room_after: Duration = AlarmLimits().room_after
    unreadable_events: Annotated[int, Field(ge=1)] = AlarmLimits().unreadable_events
    unreadable_within: Duration = AlarmLimits().unreadable_within
    outbox_after: Duration = AlarmLimits().outbox_after
    set_aside_for: Duration = AlarmLimits().set_aside_for
    well_after: Duration = AlarmLimits().well_after
    again_every: Duration = AlarmLimits().again_every

    def limits(self) -> AlarmLimits:
        """Return them as the rules take them."""
        return AlarmLimits(**dict(self))


class PagerSettings(_Strict):
    """The whole file. channels: in the order in which they are tried; empty means that nobody is told.

    probe_every: how often the house checks itself.  rooms_told_after: how long a room must be blind before it says so
    to its people.
    """

    channels: list[ChannelSettings] = Field(default=[], max_length=10)
    dead_man: DeadMan | None = None
    probe_every: Duration = timedelta(minutes=1)
    rooms_told_after: Duration = NoticeLimits().told_after
    when: When = When()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [channel.name for channel in self.channels]
        if len(set(names)) < len(names):
            raise ValueError("channels: two have the same name; give each its own")
        return self


def load_pager(config: Path, data: Path) -> PagerSettings:
    """Read and check config/pager.yaml; raises SettingsFault with every fault.

    A house without the file tells nobody, and `doctor` says so. data: the house's directory, from which the `*_file`s
    are looked for when they are no full paths. Secrets are read at each use, so that they can be changed at any time.
    """
    path = config / FILE
    if not path.exists():
        return PagerSettings()
    try:
        settings = _below(data, PagerSettings.model_validate(read_yaml(path)))
    except ValidationError as error:
        raise SettingsFault(faults_of(file_label(path), error)) from error
    if faults := list(_faults_of_files(settings)):
        raise SettingsFault(f"{file_label(path)}: {fault}" for fault in faults)
    return settings


def read_secret(file: Path) -> str:
    """Read one secret, without the line end that editors add; raises OSError."""
    return file.read_text(encoding="utf-8").strip()


def is_this_machine(host: str) -> bool:
    """Say whether what is sent there stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def address_fault(url: str) -> str | None:
    """Say what is wrong with an address that is to be told something; None when nothing is."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "holds no address; write https://…"
    if parts.scheme == "http" and not is_this_machine(parts.hostname):
        return "holds an address without encryption; write https://…"
    return None


def _below(data: Path, settings: PagerSettings) -> PagerSettings:
    return PagerSettings.model_validate(_full_paths(data, settings.model_dump()))


def _full_paths(data: Path, part: object) -> object:
    if isinstance(part, dict):
        return {key: _full_paths(data, value) for key, value in part.items()}
    if isinstance(part, list):
        return [_full_paths(data, value) for value in part]
    return data / part if isinstance(part, Path) else part


def _faults_of_files(settings: PagerSettings) -> list[str]:
    faults = []
    for place, channel in enumerate(settings.channels):
        if (webhook := channel.webhook) is not None:
            faults += _faults_of_address(f"channels[{place}].webhook.url_file", webhook.url_file)
            faults += _faults_of_secret(f"channels[{place}].webhook.secret_file", webhook.secret_file)
        if (mail := channel.mail) is not None:
            faults += _faults_of_secret(f"channels[{place}].mail.password_file", mail.password_file)
            faults += _faults_of_authority(f"channels[{place}].mail.ca_file", mail.ca_file)
    if settings.dead_man is not None:
        faults += _faults_of_address("dead_man.url_file", settings.dead_man.url_file)
    return faults


def _faults_of_secret(where: str, file: Path | None) -> list[str]:
    try:
        return [f"{where}: {file} is empty; write the secret into it"] if file and not read_secret(file) else []
    except (OSError, UnicodeDecodeError):
        return [f"{where}: {file} cannot be read; make the file, or correct its path"]


def _faults_of_address(where: str, file: Path) -> list[str]:
    if faults := _faults_of_secret(where, file):
        return faults
    fault = address_fault(read_secret(file))
    return [f"{where}: {file} {fault}"] if fault else []


def _faults_of_authority(where: str, file: Path | None) -> list[str]:
    try:
        if file is not None:
            ssl.create_default_context(cafile=file)
    except (OSError, ssl.SSLError):
        return [f"{where}: {file} holds no certificates; correct its path or its content"]
    return []
