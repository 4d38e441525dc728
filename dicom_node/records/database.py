"""The engine, its durability and its migrations; knows no table's meaning.

SQLite runs in WAL with `synchronous=FULL`, so that a committed row survives a power cut, and every write begins
IMMEDIATE, so that two processes never read the same state and both change it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from dicom_node.errors import ConfigError, DurabilityError

_MIGRATIONS = Path(__file__).parent / "migrations"
_SYNCHRONOUS_FULL = 2


class Database:
    """One database, opened and migrated to this version's tables.

    Parameters
    ----------
    url
        SQLAlchemy URL; "sqlite:///PATH".
    busy_timeout_s
        How long a transaction waits for another's write, s.

    Raises
    ------
    ConfigError
        If the URL is of another database, or the database cannot be opened or does not keep the durability asked for.
    """

    def __init__(self, url: str, busy_timeout_s: float = 30.0) -> None:
        self.url = url
        if make_url(url).get_backend_name() != "sqlite":
            raise ConfigError("[database] url: only sqlite:///PATH is supported")
        self._engine = _sqlite_engine(url, busy_timeout_s)
        self._check_durability()

    def migrate(self) -> None:
        """Bring the tables to this version's shape; each step and its record are one transaction."""
        configuration = AlembicConfig()
        configuration.set_main_option("script_location", str(_MIGRATIONS))
        with self._engine.connect().execution_options(write=True) as connection:
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
            connection.commit()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose transaction holds the write lock from its start and is committed, durably, at the end.

        Raises
        ------
        DurabilityError
            If the database did not take the transaction; nothing of it is kept.
        """
        try:
            with (
                self._engine.connect().execution_options(write=True) as connection,
                connection.begin(),
                Session(connection) as session,
            ):
                yield session
                session.flush()
        except (DBAPIError, SQLAlchemyError) as error:
            raise DurabilityError(f"the database did not commit: {type(error).__name__}") from error

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing."""
        with self._engine.connect() as connection, Session(connection) as session:
            yield session
            session.rollback()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _check_durability(self) -> None:
        try:
            with self._engine.connect() as connection:
                synchronous = connection.execute(text("PRAGMA synchronous")).scalar_one()
                journal = connection.execute(text("PRAGMA journal_mode")).scalar_one()
        except SQLAlchemyError as error:
            raise ConfigError(f"[database] url: cannot open the database: {type(error).__name__}") from error
        if synchronous != _SYNCHRONOUS_FULL or journal != "wal":
            raise ConfigError(
                f"[database] runs with synchronous={synchronous}, journal_mode={journal}; needs FULL and WAL"
            )


def _sqlite_engine(url: str, busy_timeout_s: float) -> Engine:
    # a bound parameter may be a name: never in an exception text
    engine = create_engine(url, connect_args={"timeout": busy_timeout_s}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, not where sqlite3 guesses
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={int(busy_timeout_s * 1000)}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine
