"""Tables of SQLite, DuckDB and PostgreSQL by their address, each through its own driver, read only.

`sqlite:///shop.db?table=orders`, `duckdb:///shop.duckdb?query=SELECT ...`, `postgresql://me@host/shop?table=orders`.
"""

from __future__ import annotations

import os
import shlex
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_plus, urlsplit, urlunsplit
from uuid import UUID

from learnt.contracts import Cells
from learnt.data import streams
from learnt.data.columns import unique
from learnt.errors import DataError, LearntError, MissingExtra, RequestError, unknown

SCHEMES = {"sqlite": "sqlite", "duckdb": "duckdb", "postgresql": "postgresql", "postgres": "postgresql"}
WEB = {"http", "https", "ftp"}
SIGNATURES = ((0, b"SQLite format 3\0", "sqlite"), (8, b"DUCK", "duckdb"))
"""Where in a file, what stands there, and of which database that is."""
FILES = {".db", ".sqlite", ".sqlite3", ".duckdb", ".ddb"}
_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT GLOB 'sqlite_*'",
    "duckdb": "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()",
    "postgresql": "SELECT table_name FROM information_schema.tables WHERE table_schema = ANY (current_schemas(false))",
}


@dataclass(frozen=True, slots=True)
class Database:
    """One table or query of a database. `place`: a file, or an address that may hold a password and is never shown."""

    kind: str
    place: str = field(repr=False)
    shown: str
    """The address without its password."""
    table: str = ""
    query: str = ""

    @property
    def name(self) -> str:
        """What the rows are called in messages."""
        return f"{self.table} in {self.shown}" if self.table else self.shown

    @property
    def stem(self) -> str:
        """What a run is called by."""
        return self.table or Path(urlsplit(self.shown).path).stem or self.kind

    def tables(self) -> list[str]:
        """The names of its tables and views."""
        with self._cursor() as cursor:
            cursor.execute(_TABLES[self.kind])
            return sorted(str(name) for (name,) in cursor.fetchall())

    def batches(self, rows: int) -> Iterator[dict[str, Cells]]:
        """Blocks of `rows`, at least one, as the database sends them.

        Raises RequestError for a table that is not there, or where several are and none was named; DataError for what
        the database refuses; MissingExtra without its driver.
        """
        query = self.query or f"SELECT * FROM {_quoted(self._chosen())}"
        with self._cursor(streaming=True) as cursor:
            cursor.execute(query)
            first = cursor.fetchmany(rows)
            if cursor.description is None:
                raise RequestError(f"The query of {self.shown} gives no rows. Write: ?query=SELECT ... FROM ...")
            names = unique([column[0] for column in cursor.description], self.name)
            yield _columns(names, first)
            while block := cursor.fetchmany(rows):
                yield _columns(names, block)

    def _chosen(self) -> str:
        found = self.tables()
        if self.table:
            if self.table not in found:
                raise unknown("table", self.table, found, self.shown)
            return self.table
        if len(found) != 1:
            listed = ", ".join(map(repr, found[:12])) or "none"
            raise RequestError(
                f"{self.shown} has {len(found)} tables: {listed}. Name one: "
                f"'{self.shown}?table={found[0] if found else 'TABLE'}'"
            )
        return found[0]

    def _file(self) -> Path:
        """The file of the database. Raises DataError for one that holds no such database."""
        path = streams.existing(self.place, "data")
        assert isinstance(path, Path)
        found = _signed(path)
        if found and found != self.kind:
            raise DataError(f"{path.name} is a database of another kind. Write: '{found}:///{self.place}?table=TABLE'")
        if not found and path.stat().st_size:
            raise _no_database(path)
        return path

    @contextmanager
    def _cursor(self, streaming: bool = False) -> Iterator[Any]:
        try:
            with closing(self._connected()) as connection:
                named = {"name": "learnt"} if streaming and self.kind == "postgresql" else {}
                with closing(connection.cursor(**named)) as cursor:
                    yield cursor
        except (LearntError, GeneratorExit):
            raise
        except ModuleNotFoundError as error:
            raise MissingExtra(str(error.name), self.kind, f"Reading {self.kind}") from None
        except Exception as error:
            said = str(error).strip().replace("\n", " ").rstrip(".")
            raise DataError(f"{self.name} cannot be read: {self._without_password(said)}.") from None

    def _connected(self) -> Any:
        if self.kind == "sqlite":
            return sqlite3.connect(f"{self._file().resolve().as_uri()}?mode=ro", uri=True)
        if self.kind == "duckdb":
            import duckdb

            return duckdb.connect(str(self._file()), read_only=True)
        import psycopg

        try:
            connection = psycopg.connect(self.place)
        except psycopg.OperationalError as error:
            raise self._refused(" ".join(str(error).split())) from None
        connection.read_only = True
        return connection

    def _refused(self, said: str) -> DataError:
        """What a server says that lets nobody in, and the line that mends it or shows more."""
        address = self.shown.replace(":***@", "@")
        if "password" in said:
            cure = f"Give the one that this user has: PGPASSWORD=... learnt train '{address}?table=TABLE'"
        else:
            cure = f"This shows whether a server answers there: psql {shlex.quote(address)} -c 'SELECT 1'"
        return DataError(f"{self.shown} lets nobody in: {self._without_password(said).rstrip('.?')}. {cure}")

    def _without_password(self, text: str) -> str:
        password = urlsplit(self.place).password if self.kind == "postgresql" else None
        for secret in filter(None, {password, unquote(password or "")}):
            text = text.replace(secret, "***")
        return text


def addressed(source: str) -> Database | None:
    """The database of an address or a file; None for another source. Raises RequestError for a scheme nobody knows."""
    address, asked = _asked(source)
    scheme, found, _ = address.partition("://")
    if found:
        if scheme.lower() not in SCHEMES:
            if scheme.lower() in WEB:
                raise RequestError(f"Nothing is fetched from the web. Fetch it first: curl -LO {shlex.quote(address)}")
            known = ", ".join(f"{name}://" for name in SCHEMES if name != "postgres")
            raise RequestError(f"No source is read from {scheme}://. Known: {known}, and files.")
        return _of_address(SCHEMES[scheme.lower()], address, asked)
    # A text of any length may be asked about: pathlib raises for what is too long to be a name.
    path, there = Path(address), os.path.isfile(address)
    if path.suffix.lower() not in FILES or not (there or asked):
        return None
    kind = _signed(path) if there else "sqlite"
    if not kind:
        raise _no_database(path)
    return Database(kind, address, address, **asked)


def shown(source: Any) -> str:
    """A source as it may be printed: an address without its password."""
    text = str(source)
    try:
        parts = urlsplit(text)
        password = parts.password
    except ValueError:
        return text.split("@")[-1]
    if not password:
        return text
    name, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{name.split(':')[0]}:***@{place}"))


def _asked(source: str) -> tuple[str, dict[str, str]]:
    """The address, and which table or query of it; a query is last and stands as it is written, or percent-encoded."""
    address, _, asked = source.partition("?")
    rest = []
    found: dict[str, str] = {}
    while asked:
        name, _, value = asked.partition("=")
        if name == "query":
            found["query"] = value if any(map(str.isspace, value)) else unquote_plus(value)
            break
        value, _, asked = value.partition("&")
        if name == "table":
            found["table"] = unquote(value)
        else:
            rest.append(f"{name}={value}")
    if len(found) > 1:
        raise RequestError("An address asks for a table or for a query. Leave one of them out.")
    return address + ("?" + "&".join(rest) if rest else ""), found


def _of_address(kind: str, address: str, asked: dict[str, str]) -> Database:
    if kind == "postgresql":
        return Database(kind, address, shown(address), **asked)
    place = unquote(address.partition("://")[2])
    if not place.startswith("/") or not place[1:]:
        raise RequestError(f"{address} names no file. Write: {kind}:///FILE?table=TABLE (an absolute path has four /)")
    return Database(kind, place[1:], address, **asked)


def _signed(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(64)
    return next((kind for at, mark, kind in SIGNATURES if head[at:].startswith(mark)), "")


def _no_database(path: Path) -> DataError:
    shows = shlex.quote(str(path))
    return DataError(f"{path.name} is no database of SQLite or DuckDB. This shows what it is: file {shows}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _columns(names: Sequence[str], block: Sequence[Sequence[Any]]) -> dict[str, Cells]:
    if not block:
        return {name: [] for name in names}
    return {name: list(map(_cell, column)) for name, column in zip(names, zip(*block, strict=True), strict=True)}


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, UUID | time):
        return str(value)
    return bytes(value) if isinstance(value, memoryview | bytearray) else value
