"""SQLite, DuckDB and PostgreSQL through their own drivers; of PostgreSQL a real server, started here."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from learnt.cli import main
from learnt.data import databases, sources
from learnt.errors import DataError, RequestError

ORDERS = [(1, "KR", 2.5, None), (2, 'U"S', None, "x"), (3, "KR", -1.0, "y")]
COLUMNS = {"id": [1, 2, 3], "country": ["KR", 'U"S', "KR"], "amount": [2.5, None, -1.0], "note": [None, "x", "y"]}
CREATE = "CREATE TABLE orders (id INTEGER, country TEXT, amount {real}, note TEXT)"


@pytest.fixture(name="sqlite")
def _sqlite(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute(CREATE.format(real="REAL"))
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", ORDERS)
    connection.close()
    return path


@pytest.fixture(name="duckdb")
def _duckdb(tmp_path: Path) -> Path:
    duckdb = pytest.importorskip("duckdb", reason="DuckDB's driver is not installed")
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(CREATE.format(real="DECIMAL(8, 2)"))
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", ORDERS)
    return path


def test_a_file_of_a_database_is_a_table_when_it_has_one(sqlite: Path, duckdb: Path) -> None:
    for path in (sqlite, duckdb):
        assert sources.read(path) == COLUMNS
        assert [len(block["id"]) for block in sources.batches(path, 2)] == [2, 1]


def test_an_address_names_a_table_or_a_query(sqlite: Path, duckdb: Path) -> None:
    for path in (f"sqlite:///{sqlite}", f"duckdb:///{duckdb}", str(sqlite)):
        assert sources.read(f"{path}?table=orders") == COLUMNS
        query = "SELECT id, amount + 1 AS more FROM orders WHERE country = 'KR' AND id % 2 = 1 ORDER BY id"
        assert sources.read(f"{path}?query={query}") == {"id": [1, 3], "more": [3.5, 0]}
        assert sources.read(f"{path}?query=SELECT%20id+FROM+orders%20WHERE%20id=2") == {"id": [2]}
    assert sources.stem(f"sqlite:///{sqlite}?table=orders") == "orders"
    assert sources.stem(f"sqlite:///{sqlite}?query=SELECT 1") == "shop"


def test_no_rows_have_names_all_the_same(sqlite: Path) -> None:
    assert sources.read(f"sqlite:///{sqlite}?query=SELECT id FROM orders WHERE 0") == {"id": []}


def test_what_is_wrong_with_an_address_is_said(sqlite: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"No table 'order' in sqlite.*Did you mean 'orders'"):
        sources.read(f"sqlite:///{sqlite}?table=order")
    with pytest.raises(RequestError, match=r"no file.*Did you mean"):
        sources.read(f"sqlite:///{tmp_path}/shp.db?table=orders")
    with pytest.raises(RequestError, match=r"No source is read from mysql://\. Known: sqlite://"):
        sources.read("mysql://host/base")
    with pytest.raises(RequestError, match=r"Fetch it first: curl -LO 'https://host/a\.csv\?b=1'"):
        sources.read("https://host/a.csv?b=1")
    with pytest.raises(RequestError, match="Leave one of them out"):
        sources.read(f"sqlite:///{sqlite}?table=a&query=SELECT 1")
    with pytest.raises(DataError, match="no such column: nil"):
        sources.read(f"sqlite:///{sqlite}?query=SELECT nil FROM orders")
    with sqlite3.connect(sqlite) as connection:
        connection.execute("CREATE TABLE more (a)")
    connection.close()
    with pytest.raises(RequestError, match=r"2 tables: 'more', 'orders'\. Name one: .*\?table=more"):
        sources.read(sqlite)
    (tmp_path / "other.db").write_bytes(b"junk" * 100)
    with pytest.raises(DataError, match="no database of SQLite or DuckDB"):
        sources.read(tmp_path / "other.db")


def test_nothing_is_written(sqlite: Path, duckdb: Path) -> None:
    for address in (f"sqlite:///{sqlite}", f"duckdb:///{duckdb}"):
        with pytest.raises(DataError, match=r"read-?\s?only"):
            sources.read(f"{address}?query=DELETE FROM orders")
        assert len(sources.read(f"{address}?table=orders")["id"]) == 3


SECRET = "s3cr3t/pass"
"""A password that an address must write as s3cr3t%2Fpass."""


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[str]:
    """The address of a PostgreSQL server of this test's own, on a port that the system chose."""
    pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("There is no PostgreSQL server here; install Debian's package postgresql.")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    own = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if own and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no runuser to be somebody else.")
    (folder / "password").write_text(SECRET)
    (folder / "password").chmod(0o644)

    def run(program: str, *words: str) -> None:
        subprocess.run([*own, str(found[-1].parent / program), *words], check=True, capture_output=True, timeout=60)

    data = str(folder / "data")
    run("initdb", "-D", data, "-U", "me", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "-E", "UTF8", "-N")
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", f"-p {port} -k {folder} -h 127.0.0.1 -F", "start")
    try:
        yield f"postgresql://me:{SECRET.replace('/', '%2F')}@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


def test_a_real_server_of_postgresql_is_read(server: str) -> None:
    import psycopg

    with psycopg.connect(server) as connection:
        connection.execute("CREATE SEQUENCE numbered")
        connection.execute(CREATE.format(real="NUMERIC(8, 2)"))
        connection.cursor().executemany("INSERT INTO orders VALUES (%s, %s, %s, %s)", ORDERS)
    assert sources.read(f"{server}?table=orders") == COLUMNS
    assert sources.read(server) == COLUMNS
    assert sources.read(f"{server}?query=SELECT id FROM orders WHERE country LIKE 'K%' ORDER BY id") == {"id": [1, 3]}
    assert sources.read(f"{server}?connect_timeout=5&table=orders") == COLUMNS
    assert [len(block["id"]) for block in sources.batches(f"{server}?table=orders", 2)] == [2, 1]
    with pytest.raises(DataError, match="cannot be read"):
        sources.read(f"{server}?query=DELETE FROM orders")
    with pytest.raises(DataError, match="read-only"):
        sources.read(f"{server}?query=SELECT nextval('numbered')")
    assert len(sources.read(server)["id"]) == 3


def test_a_password_is_in_no_message(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert SECRET not in databases.shown(server)
    assert "s3cr3t" not in repr(databases.addressed(server))
    for wrong in (
        f"{server}?table=nothing",
        server.replace("s3cr3t", "s3cr3tx"),
        server.replace("/postgres", "/nobody"),
    ):
        for command in (["train", wrong, "--target", "a"], ["walk", wrong, "--target", "a", "--json"]):
            assert main(command) != 0
            said = capsys.readouterr()
            assert "s3cr3t" not in said.out + said.err
            assert "127.0.0.1" in said.err


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        (
            "connection to server failed: Connection refused\n\tIs the server running?",
            "psql postgresql://me@db.org/shop -c",
        ),
        (
            'FATAL:  password authentication failed for user "me"',
            "PGPASSWORD=... learnt train 'postgresql://me@db.org/",
        ),
    ],
)
def test_a_server_that_lets_nobody_in(monkeypatch: pytest.MonkeyPatch, said: str, cure: str) -> None:
    psycopg = pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed")

    def refuses(*_: object) -> None:
        raise psycopg.OperationalError(said)

    monkeypatch.setattr(psycopg, "connect", refuses)
    with pytest.raises(DataError) as error:
        sources.read("postgresql://me:s3cr3t@db.org/shop?table=orders")
    assert " ".join(said.rstrip("?").split()) in str(error.value)
    assert cure in str(error.value)
    assert "s3cr3t" not in str(error.value)


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_an_address_of_what_is_no_database(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a b.db"
    path.write_bytes(b"junk" * 500)
    with pytest.raises(DataError, match=r"a b\.db is no database of SQLite or DuckDB\. .*: file '.*a b\.db'"):
        sources.read(f"{kind}:///{path}?table=orders")


def test_an_address_of_another_database(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"SQLite format 3\0" + bytes(100))
    with pytest.raises(DataError, match=r"a\.db is a database of another kind. Write: 'sqlite:///.*a\.db\?table="):
        sources.read(f"duckdb:///{path}?table=orders")


def test_an_interrupted_training_does_not_repeat_the_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("learnt.training.train", interrupted)
    assert main(["train", "postgresql://me:s3cr3t@host/base?table=t", "--target", "a", "--json"]) == 130
    said = capsys.readouterr()
    assert "s3cr3t" not in said.out + said.err
    assert "me:***@host" in json.loads(said.out)["error"]["message"]
