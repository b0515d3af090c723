"""What is predicted agrees with a real PostgreSQL that the test starts itself: the tables cannot drift from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import measure
from effects import Prediction

HERE = Path(__file__).parent
DATA = HERE / "data" / "effects"
# Shapes that were measured elsewhere, and those that are measured here alone.
SOURCES: dict[str, Any] = json.loads((DATA / "cases.json").read_text(encoding="utf-8"))
MORE: dict[str, Any] = json.loads((DATA / "shapes.json").read_text(encoding="utf-8"))

# One of each shape: columns with and without work, keys on both ends, indexes, constraints, types, renames, SQL.
SHAPES = [
    "add_field_null", "add_field_not_null_constant_default", "add_field_db_default_random", "add_field_fk_null",
    "add_field_fk_not_null_default", "add_field_m2m_no_constraint", "add_field_positive_integer_null",
    "add_field_db_index_char_null", "add_field_unique_null", "add_field_generated_stored",
    "add_field_with_db_comment", "add_index_btree", "add_constraint_unique", "add_constraint_unique_include",
    "alter_field_blank", "alter_field_default_only", "alter_field_max_length_up", "alter_field_int_to_bigint",
    "alter_field_int_to_bigint_indexed", "alter_field_varchar_to_text_indexed", "alter_field_add_unique_char",
    "alter_field_int_to_positive", "alter_field_not_null_to_null", "alter_field_null_to_not_null",
    "alter_field_fk_default_added", "alter_field_fk_db_constraint_true", "alter_field_fk_db_constraint_false",
    "alter_field_db_comment", "alter_model_table", "alter_unique_together_add", "create_model_with_fk",
    "create_model_with_m2m", "delete_model", "delete_model_with_fk_out", "remove_field_null", "remove_field_fk_null",
    "remove_index", "rename_field", "rename_field_fk", "rename_model", "two_nullable_columns_one_migration",
    "index_then_nullable_column_one_migration", "sql_set_not_null_after_valid_check", "sql_add_check_not_valid",
    "sql_type_varchar_wider", "sql_update_all",
]  # fmt: skip


CASES = {**{name: SOURCES[name] for name in SHAPES}, **MORE}


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """What each case did on the server, the versions beside it."""
    return measure.measured(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_real_server_does_what_is_predicted(name: str, measured: dict[str, Any]) -> None:
    found = Prediction({**CASES[name], "version": f"PostgreSQL {measured['version']}", "django": measured["django"]})
    predicted = {
        "locks": found.locks,
        "rewritten": sorted(found.rewritten),
        "scanned": sorted(found.scanned),
        "indexes": found.indexes,
    }
    assert predicted == measured["cases"][name]
