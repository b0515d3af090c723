"""How large tables are: the file that says it, and what the rules of locks make of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from miglint.options import Options
from miglint.project.sizes import Sizes
from miglint.session import Session
from miglint.settings import SettingsError
from miglint.table_sizes import TableSizesError, read_table_sizes

MIGRATION = """\
from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_item")]

    operations = [
        migrations.AddField(
            "item",
            "tag",
            models.ForeignKey("shop.tag", db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE),
        ),
        migrations.AddIndex("order", models.Index(fields=["status"], name="order_status_idx")),
    ]
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"shop_order": 5, "shop_item": 2.0e6}', {"shop_order": 5, "shop_item": 2_000_000}),
        ('{"never_analysed": -1, "unknown": null}', {}),
        ("relname,reltuples\nshop_order,5\n", {"shop_order": 5}),
        ("shop_order,5\r\n\r\nshop_item,7\r\n", {"shop_order": 5, "shop_item": 7}),
        ('"a ""quoted"", name", 3\n', {'a "quoted", name': 3}),
        ("\ufeffshop_order,5\n", {"shop_order": 5}),
        ("shop_order,1e+06\n", {"shop_order": 1_000_000}),
        ("shop_order,\n", {}),
        ("", {}),
    ],
)
def test_sizes_are_read_as_json_or_csv(text: str, expected: dict[str, int], tmp_path: Path) -> None:
    file = tmp_path / "sizes"
    file.write_text(text, encoding="utf-8", newline="")
    assert read_table_sizes(file) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,1\nb\n", "line 2: two columns are expected, table and rows; found 1"),
        (b"table,rows\na,many\n", "line 2: 'many' is no number of rows"),
        (b"a,1\nb,nan\n", "line 2: 'nan' is no number of rows"),
        (b'{"a": Infinity}', "is no JSON object of table and rows"),
        (b'{"a": "5"}', "is no JSON object of table and rows"),
        (b'[["a", 5]]', "is no JSON object of table and rows"),
        (b'{"a": ' + b"[" * 100_000, "is no JSON object of table and rows"),
        (b'{"a": 1', "is no JSON object of table and rows"),
        (b"a,1" + b"0" * 400 + b"\n", "is no number of rows"),
        (b"a,99999999999999999999999\n", "line 1: '99999999999999999999999' is no number of rows"),
        (b'{"a": 9223372036854775808}', "a: '9223372036854775808' is no number of rows"),
        (b'a,"' + b"x" * 200_000, "not valid CSV"),
        (b"\xff\xfe,1\n", "is not UTF-8"),
        (b"a,1\nb,2\x00\n", "no number of rows"),
    ],
)
def test_what_is_no_table_of_sizes_is_said_with_its_place(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "sizes.csv"
    file.write_bytes(content)
    with pytest.raises(TableSizesError) as caught:
        read_table_sizes(file)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(file))


def test_a_directory_a_pipe_and_nothing_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, message in (("pipe", "is no file"), (".", "is no file"), ("gone.csv", "cannot be read")):
        with pytest.raises(TableSizesError, match=message):
            read_table_sizes(tmp_path / name)


def test_what_is_small_and_what_is_hot() -> None:
    sizes = Sizes(hot=("shop_order",), small=("*_settings",), rows={"shop_order": 9, "shop_tag": 9, "a": 10}, large=10)
    assert [t for t in ("shop_order", "shop_tag", "a", "shop_settings", "unknown") if sizes.is_small(t)] == [
        "shop_tag",
        "shop_settings",
    ]
    assert sizes.is_hot("shop_order")
    assert not sizes.is_hot("shop_order_2")


def _findings(root: Path, settings: str) -> dict[str, str]:
    """Severities by code, of the rules of locks."""
    import shutil

    shutil.copytree(Path(__file__).parent / "pages" / "prelude", root, dirs_exist_ok=True)
    (root / "shop" / "migrations" / "0003_example.py").write_text(MIGRATION)
    (root / "miglint.toml").write_text(settings)
    report = Session(Options(cache=False, jobs=1, select=("MG302", "MG306")), cwd=root).report([root])
    return {d.code: d.severity.label for d in report.findings if d.subject.migration == "0003_example"}


@pytest.mark.parametrize(
    ("settings", "rows", "expected"),
    [
        ("", "", {"MG302": "error", "MG306": "info"}),
        ('table-sizes = "sizes.csv"', "shop_order,99999\n", {"MG306": "info"}),
        ('table-sizes = "sizes.csv"', "shop_order,100000\n", {"MG302": "error", "MG306": "info"}),
        ('table-sizes = "sizes.csv"\nlarge-table-rows = 5', "shop_order,4\nshop_tag,5\n", {"MG306": "info"}),
        ('table-sizes = "sizes.csv"', "shop_tag,3\n", {"MG302": "error"}),
        ('table-sizes = "sizes.csv"\nhot-tables = ["shop_tag"]', "shop_tag,3\n", {"MG302": "error", "MG306": "error"}),
        ('small-tables = ["shop_*"]', "", {}),
        ('hot-tables = ["shop_t?g"]', "", {"MG302": "error", "MG306": "error"}),
    ],
)
def test_severity_follows_the_size(settings: str, rows: str, expected: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_text(rows)
    assert _findings(tmp_path, settings) == expected


def test_an_error_names_the_settings_file_the_key_and_both_lines(tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_text("a,1\nb,x\n")
    with pytest.raises(SettingsError) as caught:
        _findings(tmp_path, 'deploy = "downtime"\ntable-sizes = "sizes.csv"\n')
    assert str(caught.value) == (
        f"{tmp_path}/miglint.toml, line 2: table-sizes: {tmp_path}/sizes.csv, line 2: 'x' is no number of rows"
    )
