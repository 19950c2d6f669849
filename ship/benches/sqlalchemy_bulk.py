"""What S1 does: SQLAlchemy's bulk insert, 100 rows a batch. Prints how many rows a second.

Usage: sqlalchemy_bulk.py URL FILE: every line of FILE becomes a row of bulk.system_logs.
"""

import json
import sys
import time

from sqlalchemy import BigInteger, DateTime, MetaData, String, Text, create_engine, insert
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.sql import func


class Base(DeclarativeBase):
    metadata = MetaData(schema="bulk")


class SystemLog(Base):
    __tablename__ = "system_logs"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    service: Mapped[str] = mapped_column(String(50), index=True)
    level: Mapped[str] = mapped_column(String(20), index=True)
    message: Mapped[str] = mapped_column(Text)
    data: Mapped[dict] = mapped_column(JSONB, nullable=True)
    correlation_id: Mapped[str] = mapped_column(String(100), index=True, nullable=True)
    event_type: Mapped[str] = mapped_column(String(50), index=True, nullable=True)
    timestamp = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)


def row(line):
    event = json.loads(line)
    row = {key: event.pop(key, None) for key in ("service", "level", "message", "event_type", "timestamp")}
    row["level"] = row["level"].upper()
    row["correlation_id"] = event.get("correlation_id") or event.get("decision_id")
    row["data"] = event
    return row


def main():
    engine = create_engine(sys.argv[1])
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS bulk")
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE INDEX ON bulk.system_logs (service, timestamp)")
    lines = open(sys.argv[2]).read().splitlines()
    started = time.monotonic()
    with Session(engine) as session:
        for first in range(0, len(lines), 100):
            session.execute(insert(SystemLog), [row(line) for line in lines[first : first + 100]])
            session.commit()
    print(len(lines) / (time.monotonic() - started))


main()
