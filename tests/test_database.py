import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import inspect

from dicom_node.errors import ConfigError, DurabilityError
from dicom_node.records.database import Database
from dicom_node.records.tables import Base, UtcTime
from tests.ledgers import at, instance, ledger


def test_migrations_make_the_tables_of_the_models(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    database.migrate()
    database.migrate()  # a second start changes nothing
    with database.reading() as session:
        found = inspect(session.connection())
        for name, table in Base.metadata.tables.items():
            columns = {c["name"]: c for c in found.get_columns(name)}
            assert set(columns) == set(table.columns.keys()), name
            assert {c.name for c in table.columns if not c.nullable} == {
                n for n, c in columns.items() if not c["nullable"]
            }, name
            indexes = {i["name"] for i in found.get_indexes(name)}
            assert {i.name for i in table.indexes} <= indexes, name


def test_the_database_is_durable_as_set(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    with book._database.reading() as session:
        connection = session.connection()
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_other_databases_are_refused() -> None:
    with pytest.raises(ConfigError, match="only sqlite"):
        Database("mysql://somewhere/ledger")


def test_an_unusable_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot open the database"):
        Database(f"sqlite:///{tmp_path / 'no' / 'folder' / 'a.sqlite3'}")


def test_a_write_that_cannot_begin_is_a_durability_error_and_keeps_nothing(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book._database.close()
    blocker = sqlite3.connect(tmp_path / "ledger.sqlite3", isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    impatient = Database(f"sqlite:///{tmp_path / 'ledger.sqlite3'}", busy_timeout_s=0.05)
    book._database = impatient
    with pytest.raises(DurabilityError):
        book.record_instance(instance(1), now=at(0))
    blocker.execute("ROLLBACK")
    blocker.close()
    assert book.open_studies() == []


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        UtcTime().process_bind_param(at(0).replace(tzinfo=None), None)  # type: ignore[arg-type]
