"""Reads the file of table sizes: table → rows, as JSON or CSV."""

from __future__ import annotations

import csv
import io
import math
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from miglint.project.sizes import LARGEST

# A database of ten thousand tables takes half a megabyte.
_MAX_BYTES = 16_000_000


class TableSizesError(Exception):
    """The file cannot be used; one sentence that names it and, where there is one, the line."""


def read_table_sizes(file: Path) -> Mapping[str, int]:
    """Rows by table. Negative counts, which PostgreSQL gives for a table it never analysed, are left out.

    JSON: an object of table → rows. CSV: two columns, table and rows, with or without a header.
    Raises TableSizesError.
    """
    text = _text(file)
    pairs = _from_json(file, text) if text.lstrip().startswith(("{", "[")) else _from_csv(file, text)
    return {table: rows for table, rows in pairs if rows >= 0}


def _text(file: Path) -> str:
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise TableSizesError(f"{file} is no file")
        if status.st_size > _MAX_BYTES:
            raise TableSizesError(f"{file} has more than {_MAX_BYTES // 1_000_000} MB")
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TableSizesError(f"{file} is not UTF-8") from None
    except (OSError, ValueError) as error:
        raise TableSizesError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _from_json(file: Path, text: str) -> Iterator[tuple[str, int]]:
    try:
        found = msgspec.json.decode(text, type=dict[str, int | float | None])
    except (msgspec.DecodeError, RecursionError) as error:
        raise TableSizesError(f"{file} is no JSON object of table and rows: {error}") from None
    for table, rows in found.items():
        if rows is not None:
            yield table, _whole(rows, f"{file}: {table}")


def _from_csv(file: Path, text: str) -> Iterator[tuple[str, int]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    first = True
    try:
        for row in reader:
            if not row or row == [""]:
                continue
            where = f"{file}, line {reader.line_num}"
            if len(row) != 2:
                raise TableSizesError(f"{where}: two columns are expected, table and rows; found {len(row)}")
            table, count = (cell.strip() for cell in row)
            header, first = first and not _is_number(count), False
            if count and not header:
                yield table, _whole(count, where)
    except csv.Error as error:
        raise TableSizesError(f"{file}, line {reader.line_num}: not valid CSV: {error}") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _whole(value: str | float, where: str) -> int:
    """A count; PostgreSQL's statistics are floating-point numbers."""
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise TableSizesError(f"{where}: {str(value)[:40]!r} is no number of rows") from None
    if not math.isfinite(number) or number > LARGEST:
        raise TableSizesError(f"{where}: {str(value)[:40]!r} is no number of rows")
    return int(number)
