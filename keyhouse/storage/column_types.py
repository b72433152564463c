"""Times as the database keeps them: UTC, never without a zone."""

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator

from keyhouse.storage.errors import NaiveTime


def as_utc(moment: datetime) -> datetime:
    """Return the same moment in UTC; raises NaiveTime for one without a zone."""
    if moment.utcoffset() is None:
        raise NaiveTime
    return moment.astimezone(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. What comes out is aware and UTC on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone."""
        return None if value is None else as_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back what SQLite leaves out and what PostgreSQL may show in another zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
