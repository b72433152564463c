"""config/booking.yaml → what the house has settled about booking."""

from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from keyhouse.core.booking_rules import BookingRules
from keyhouse.settings.durations import Duration
from keyhouse.settings.faults import SettingsFault, faults_of, file_label, read_yaml

FILE = "booking.yaml"
ZONE = "Europe/London"


def _read_zone(written: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(written))
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"is not a zone; write one like {ZONE}") from None


def _read_time(written: object) -> time:
    # YAML reads 21:00 without quotes as a number of minutes.
    if not isinstance(written, str):
        raise ValueError('is not a time of day; write it in quotes, such as "21:00"')
    try:
        return time.fromisoformat(written)
    except ValueError:
        raise ValueError('is not a time of day; write it like "21:00"') from None


_Zone = Annotated[ZoneInfo, BeforeValidator(_read_zone)]
_Time = Annotated[time, BeforeValidator(_read_time)]
_Days = Annotated[int, Field(ge=1, le=730)]


class _BookingFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    zone: _Zone
    open_at_most: Annotated[int, Field(ge=1, le=20)]
    cancel_before: Duration
    hold_for: Duration
    offers_from: _Time
    offers_until: _Time
    missed_within_days: _Days
    kept_after_days: _Days

    @model_validator(mode="after")
    def _has_a_day(self) -> Self:
        if self.offers_from >= self.offers_until:
            raise ValueError("offers_from: is not before offers_until; nobody could ever be asked")
        return self


def load_booking(path: Path) -> BookingRules:
    """Read and check the booking file; raises SettingsFault with every fault. A house without one has the usual."""
    if not path.exists():
        return BookingRules(ZoneInfo(ZONE))
    try:
        file = _BookingFile.model_validate(read_yaml(path))
    except ValidationError as error:
        raise SettingsFault(faults_of(file_label(path), error)) from error
    return BookingRules(
        zone=file.zone,
        open_at_most=file.open_at_most,
        cancel_before=file.cancel_before,
        hold_for=file.hold_for,
        offers_from=file.offers_from,
        offers_until=file.offers_until,
        missed_within=timedelta(days=file.missed_within_days),
        kept_after=timedelta(days=file.kept_after_days),
    )
