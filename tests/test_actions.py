"""What operations and SQL do to the database."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from effects import actions, history_of
from miglint.database import Database, Vendor
from miglint.project.action import (
    Action,
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddUnique,
    AlterColumnType,
    CreateIndex,
    CreateTable,
    DeleteRows,
    DropColumn,
    DropDefault,
    DropIndex,
    DropTable,
    Execute,
    InsertRows,
    Reference,
    Reindex,
    RemakeTable,
    RenameTable,
    SetDefault,
    SetNotNull,
    UpdateRows,
)
from miglint.project.columns import type_change
from miglint.project.inform import inform
from miglint.project.schema import Schema
from miglint.project.statements import sql_actions
from miglint.project.truth import Truth
from miglint.syntax.sql import read_sql

POSTGRESQL = Database(vendor="postgresql", version=(15,))
SQLITE = Database(vendor="sqlite", version=(3, 40))

ITEM = "migrations.CreateModel('Item', [('id', models.BigAutoField(primary_key=True)), ('name', {name})])"
REF = "migrations.CreateModel('Ref', [('id', models.BigAutoField(primary_key=True))])"
KEY = "models.ForeignKey('app.Ref', models.CASCADE)"
CHAR = "models.CharField(max_length=50)"


def item(name: str = CHAR) -> str:
    return f"[{REF}, {ITEM.format(name=name)}]"


def kinds(found: list[Action]) -> list[str]:
    return [type(action).__name__ for action in found]


def altered(before: str, after: str, *, django: tuple[int, ...] = (5, 2)) -> list[Action]:
    return actions(item(before), f"migrations.AlterField('item', 'name', {after})", django=django)


# -- fields ---------------------------------------------------------------------------------------------


def test_a_python_default_is_dropped_again_at_once() -> None:
    found = actions(item(), "migrations.AddField('item', 'qty', models.IntegerField(default=0))")
    assert kinds(found) == ["AddColumn", "DropDefault"]
    assert [action.temporary for action in found if isinstance(action, DropDefault)] == [True]


def test_a_database_default_stays() -> None:
    found = actions(item(), "migrations.AddField('item', 'qty', models.IntegerField(db_default=0))")
    assert kinds(found) == ["AddColumn"]
    assert [action.column.default for action in found if isinstance(action, AddColumn)] == [Truth.YES]


@pytest.mark.parametrize(
    "field, names",
    [
        ("models.CharField(max_length=5, null=True, db_index=True)", ["", "_like"]),
        ("models.CharField(max_length=5, null=True, unique=True)", ["_like"]),
        ("models.CharField(max_length=5, null=True, unique=True, db_index=True)", ["_like"]),
        ("models.SlugField(null=True)", ["", "_like"]),
        ("models.IntegerField(null=True, db_index=True)", [""]),
        ("models.IntegerField(null=True, unique=True)", []),
        ("pgfields.ArrayField(models.CharField(max_length=5), null=True, db_index=True)", [""]),
    ],
)
def test_text_columns_have_a_twin_index_for_like(field: str, names: list[str]) -> None:
    found = actions(item(), f"migrations.AddField('item', 'tag', {field})")
    indexes = [action for action in found if isinstance(action, CreateIndex)]
    assert ["_like" if index.name.endswith("_like") else "" for index in indexes] == names
    assert all(index.deferred for index in indexes)


def test_a_foreign_key_is_a_column_a_key_a_lock_elsewhere_and_an_index_at_the_end() -> None:
    found = actions(
        item(), "migrations.AddField('item', 'ref', models.ForeignKey('app.Ref', models.CASCADE, null=True))"
    )
    assert kinds(found) == ["AddColumn", "AddForeignKey", "Reference", "CreateIndex"]
    assert [action.table for action in found] == ["app_item", "app_item", "app_ref", "app_item"]
    assert [(i.reason, i.deferred) for i in found if isinstance(i, CreateIndex)] == [("foreign key", True)]
    assert [key.empty for key in found if isinstance(key, AddForeignKey)] == [True]


def test_a_foreign_key_to_an_unknown_app_names_no_table() -> None:
    field = "models.ForeignKey('other.Thing', models.CASCADE, null=True)"
    found = actions(item(), f"migrations.AddField('item', 'thing', {field})")
    assert [(a.table, a.model) for a in found if isinstance(a, Reference)] == [("", ("other", "thing"))]


def test_a_foreign_key_to_a_swappable_model_finds_it_where_the_setting_is_known() -> None:
    field = "models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True)"
    operation = f"migrations.AddField('item', 'owner', {field})"
    found = actions(item(), operation, swappable={"AUTH_USER_MODEL": "app.Ref"})
    assert [action.table for action in found if isinstance(action, Reference)] == ["app_ref"]


def test_a_many_to_many_field_is_a_table_of_its_own() -> None:
    found = actions(item(), "migrations.AddField('item', 'refs', models.ManyToManyField('app.Ref'))")
    assert [(a.table, a.joins) for a in found if isinstance(a, CreateTable)] == [("app_item_refs", "refs")]
    assert {a.table for a in found if isinstance(a, Reference)} == {"app_item", "app_ref"}
    assert all(a.on_new_table for a in found if not isinstance(a, Reference))


def test_a_field_of_an_unknown_class_may_or_may_not_be_a_column() -> None:
    found = actions(item(), "migrations.AddField('item', 'extra', uuid.SomeField())")
    assert [(type(a).__name__, a.certain) for a in found] == [("AddColumn", False)]


@pytest.mark.parametrize(
    "change",
    [
        "blank=True", "choices=[('a', 'A')]", "help_text='x'", "verbose_name='x'", "validators=[]", "editable=False",
        "error_messages={}", "default='x'", "null=False", "db_index=False",
    ],
)  # fmt: skip
def test_what_no_database_sees_is_no_action(change: str) -> None:
    assert altered(CHAR, f"models.CharField(max_length=50, {change})") == []


@pytest.mark.parametrize("change", ["on_delete=models.PROTECT", "related_name='x'", "limit_choices_to={'a': 1}"])
def test_what_no_database_sees_is_no_action_on_a_foreign_key(change: str) -> None:
    before = "models.ForeignKey('app.Ref', on_delete=models.CASCADE)"
    after = f"models.ForeignKey('app.Ref', {change})"
    assert altered(before, after if "on_delete" in change else after[:-1] + ", on_delete=models.CASCADE)") == []


def test_a_default_on_a_foreign_key_makes_the_key_again() -> None:
    found = altered(KEY, "models.ForeignKey('app.Ref', models.CASCADE, default=1)")
    assert kinds(found) == ["DropForeignKey", "Reference", "AddForeignKey", "Reference"]
    assert [key.recreated for key in found if isinstance(key, AddForeignKey)] == [True]


def test_a_key_to_another_model_of_an_unknown_table_may_stay_as_it_is() -> None:
    found = altered("models.ForeignKey('other.A', models.CASCADE)", "models.ForeignKey('other.B', models.CASCADE)")
    assert found != []
    assert not any(action.certain for action in found)


def test_a_text_column_whose_new_class_is_unknown_keeps_its_twin_index() -> None:
    found = altered("models.SlugField(unique=True)", "fields.AutoSlugField(unique=True)")
    assert "DropIndex" not in kinds(found)


@pytest.mark.parametrize(
    ("sql", "guarded"),
    [
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS a ON app_item (name)", True),
        ("CREATE INDEX a ON app_item (name)", False),
        ("DROP INDEX IF EXISTS a", True),
        ("DROP TABLE IF EXISTS app_item", True),
        ("ALTER TABLE IF EXISTS app_item DROP COLUMN name", False),
        ("ALTER TABLE app_item DROP COLUMN IF EXISTS name", True),
        ("ALTER TABLE app_item ADD COLUMN IF NOT EXISTS other int", True),
        ("ALTER TABLE app_item DROP CONSTRAINT IF EXISTS c", True),
        ("INSERT INTO app_item (name) VALUES ('a') ON CONFLICT DO NOTHING", True),
        ("ALTER TABLE app_item ADD CONSTRAINT c EXCLUDE USING gist (name WITH =)", False),
    ],
)
def test_sql_that_may_run_twice_is_guarded(sql: str, guarded: bool) -> None:
    (action,) = sql_actions(sql, POSTGRESQL)
    assert action.guarded == guarded


def test_strings_of_a_run_sql_are_counted_and_each_knows_whether_it_is_alone() -> None:
    found = actions(item(), "migrations.RunSQL(['DROP INDEX a; DROP INDEX b', 'DROP INDEX c'])")
    assert [(action.part, action.alone) for action in found] == [(0, False), (0, False), (1, True)]


def test_null_to_not_null_with_a_default_updates_the_rows() -> None:
    found = altered("models.IntegerField(null=True)", "models.IntegerField(default=0)")
    assert kinds(found) == ["SetDefault", "UpdateRows", "SetNotNull", "DropDefault"]
    assert [action.temporary for action in found if isinstance(action, SetDefault)] == [True]


def test_null_to_not_null_without_a_default_only_checks_the_rows() -> None:
    assert kinds(altered("models.IntegerField(null=True)", "models.IntegerField()")) == ["SetNotNull"]


def test_an_unknown_class_with_other_arguments_changes_to_an_unknown_type() -> None:
    found = altered("uuid.SomeField(size=1)", "uuid.SomeField(size=2)")
    assert [(type(a).__name__, a.certain) for a in found] == [("AlterColumnType", False)]


def test_an_unknown_class_that_only_gains_an_index_keeps_its_type() -> None:
    found = altered("uuid.SomeField(size=1)", "uuid.SomeField(size=1, db_index=True)")
    assert [action for action in found if isinstance(action, AlterColumnType)] == []


def test_the_columns_that_refer_to_a_key_change_with_it() -> None:
    before = f"[{REF.replace('Big', '')}, {ITEM.format(name=KEY)}]"
    found = actions(before, "migrations.AlterField('ref', 'id', models.BigAutoField(primary_key=True))")
    assert [(a.table, a.column, a.cascades) for a in found if isinstance(a, AlterColumnType)] == [
        ("app_ref", "id", False),
        ("app_item", "name_id", True),
    ]


def test_removing_a_field_cascades_up_to_django_5() -> None:
    operation = "migrations.RemoveField('item', 'name')"
    cascades = [
        action.cascade
        for version in ((5, 2), (6, 1))
        for action in actions(item(), operation, django=version)
        if isinstance(action, DropColumn)
    ]
    assert cascades == [True, False]


# -- models ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", ["{'managed': False}", "{'proxy': True}"])
def test_unmanaged_and_proxy_models_touch_nothing(options: str) -> None:
    model = f"migrations.CreateModel('Thing', [('id', models.AutoField(primary_key=True))], options={options})"
    assert actions(item(), model) == []
    assert actions(f"[{model}]", "migrations.AddField('thing', 'x', models.IntegerField())") == []
    assert actions(f"[{model}]", "migrations.DeleteModel('thing')") == []


def test_state_only_operations_touch_nothing() -> None:
    operation = "migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField('item', 'name')])"
    assert actions(item(), operation) == []


def test_a_model_the_state_does_not_know_gives_nothing() -> None:
    assert actions(item(), "migrations.AddIndex('ghost', models.Index(fields=['x'], name='ix'))") == []


def test_renaming_a_model_that_keeps_its_table_touches_nothing() -> None:
    before = f"[{REF}, migrations.AlterModelTable('ref', 'app_ref')]"
    assert actions(before, "migrations.RenameModel('Ref', 'Thing')") == []


def test_renaming_a_table_renames_its_join_tables() -> None:
    found = actions(item("models.ManyToManyField('app.Ref')"), "migrations.AlterModelTable('item', 'things')")
    assert [(a.table, a.new_table) for a in found if isinstance(a, RenameTable)] == [
        ("app_item", "things"),
        ("app_item_name", "things_name"),
    ]


@pytest.mark.parametrize("groups", ["{('name', 'id')}", "set([('name', 'id')])", "[['name', 'id']]", "('name', 'id')"])
def test_unique_together_is_read_in_all_its_spellings(groups: str) -> None:
    found = actions(item(), f"migrations.AlterUniqueTogether('item', {groups})")
    assert [(type(action).__name__, action.certain) for action in found] == [("AddUnique", True)]
    assert [action.columns for action in found if isinstance(action, AddUnique)] == [("name", "id")]


def test_a_join_table_goes_with_its_model() -> None:
    found = actions(item("models.ManyToManyField('app.Ref')"), "migrations.DeleteModel('item')")
    assert [(a.table, a.joins) for a in found if isinstance(a, DropTable)] == [
        ("app_item_name", "name"),
        ("app_item", ""),
    ]


def test_a_unique_constraint_with_a_condition_is_an_index() -> None:
    constraint = "models.UniqueConstraint(fields=['name'], name='u', condition=Q(name='x'))"
    found = actions(item(), f"migrations.AddConstraint('item', {constraint})")
    assert [(type(a).__name__, a.name) for a in found if isinstance(a, CreateIndex) and a.unique] == [
        ("CreateIndex", "u")
    ]


def test_an_operation_of_the_project_is_not_understood() -> None:
    found = actions(item(), "uuid.SomeOperation()")
    assert [a.understood for a in found if isinstance(a, Execute)] == [False]


# -- SQL ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql, expected",
    [
        ("CREATE INDEX CONCURRENTLY ix ON app_item (name)", ["CreateIndex"]),
        ("DROP INDEX ix", ["DropIndex"]),
        ("ALTER TABLE a ADD b integer, DROP COLUMN c, ALTER d SET NOT NULL", ["AddColumn", "DropColumn", "SetNotNull"]),
        ("DROP TABLE a, b CASCADE", ["DropTable", "DropTable"]),
        ("TRUNCATE a; DELETE FROM b", ["TruncateTable", "DeleteRows"]),
        ("ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES b (id) NOT VALID", ["AddForeignKey", "Reference"]),
        ("CREATE TABLE a (x int REFERENCES b); CREATE INDEX i ON a (x)", ["CreateTable", "Reference", "CreateIndex"]),
        ("WITH old AS (SELECT 1) DELETE FROM b WHERE id IN (SELECT * FROM old)", ["DeleteRows"]),
        (
            "WITH gone AS (DELETE FROM a RETURNING *), n(x) AS MATERIALIZED (SELECT 1) INSERT INTO b SELECT 1",
            ["DeleteRows", "InsertRows"],
        ),
        (
            "MERGE INTO a USING b ON true WHEN MATCHED THEN UPDATE SET y = 1\nWHEN NOT MATCHED THEN INSERT VALUES (1)",
            ["UpdateRows", "InsertRows"],
        ),
        ("MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE", ["DeleteRows"]),
        ("-- only a comment", []),
        ("SELECT 1", ["Execute"]),
    ],
)  # fmt: skip
def test_sql_is_the_same_actions(sql: str, expected: list[str]) -> None:
    assert kinds(list(sql_actions(sql, POSTGRESQL))) == expected


@pytest.mark.parametrize(
    "sql",
    ["DO $$ BEGIN DELETE FROM a; END $$", "ALTER TABLE a SPLIT PARTITION b", "CALL x()", "NONSENSE 'open", "%("],
)  # fmt: skip
def test_sql_that_cannot_be_read_says_so(sql: str) -> None:
    assert [a.understood for a in sql_actions(sql, POSTGRESQL) if isinstance(a, Execute)] == [False]


@pytest.mark.parametrize("sql", ["SELECT 1", "GRANT SELECT ON a TO b", "SET lock_timeout = '2s'", "CREATE EXTENSION x"])
def test_sql_that_touches_no_table_is_understood(sql: str) -> None:
    assert [a.understood for a in sql_actions(sql, POSTGRESQL) if isinstance(a, Execute)] == [True]


def test_where_is_seen_outside_of_subqueries_and_strings_only() -> None:
    texts = ["UPDATE a SET b = (SELECT 1 WHERE true)", "UPDATE a SET b = ' where '", "UPDATE a SET b = 1 WHERE c"]
    found = [action for text in texts for action in sql_actions(text, POSTGRESQL)]
    assert [action.filtered for action in found if isinstance(action, UpdateRows)] == [False, False, True]


def test_a_join_of_mysql_leaves_out_the_rows_that_find_none() -> None:
    joined = "UPDATE a INNER JOIN (SELECT id FROM b) c ON a.id = c.id SET a.d = 1"
    texts = [joined, "UPDATE a SET d = (SELECT 1 FROM b JOIN c)"]
    found = [action for text in texts for action in sql_actions(text, Database(vendor="mysql"))]
    assert [action.filtered for action in found if isinstance(action, UpdateRows)] == [True, False]


@pytest.mark.parametrize(
    ("condition", "filtered"),
    [
        ("true", False), ("TRUE RETURNING b", False), ("1=1", False), ("((1 = 1))", False), ("1", False),
        ("'a' = 'a'", False), ("false", True), ("1 = 2", True), ("b = b", True), ("true AND b", True),
        ("'1' = 1", True), ("true LIMIT 10", True), ("(1) = (1)", True), ('"true"', True),
    ],
)  # fmt: skip
def test_a_condition_that_every_row_meets_leaves_none_out(condition: str, filtered: bool) -> None:
    found = sql_actions(f"UPDATE a SET b = 1 WHERE {condition}; DELETE FROM a WHERE {condition}", POSTGRESQL)
    assert [action.filtered for action in found if isinstance(action, UpdateRows | DeleteRows)] == [filtered] * 2


def test_a_delete_of_all_rows_is_told_from_one_of_some() -> None:
    found = sql_actions("DELETE FROM a; DELETE FROM a WHERE b = %s", POSTGRESQL)
    assert [action.filtered for action in found if isinstance(action, DeleteRows)] == [False, True]


def test_an_insert_that_may_run_twice_is_guarded() -> None:
    found = sql_actions("INSERT INTO a VALUES (1); INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING", POSTGRESQL)
    assert [action.guarded for action in found if isinstance(action, InsertRows)] == [False, True]


def test_quoted_and_qualified_names_are_one_table() -> None:
    found = sql_actions('DROP TABLE public."app_item"; DROP TABLE APP_ITEM', POSTGRESQL)
    assert [action.table for action in found] == ["app_item", "app_item"]


def test_mysql_is_read_with_its_own_quotes() -> None:
    found = sql_actions("ALTER TABLE `a` MODIFY `b` varchar(20) NOT NULL", Database(vendor="mysql", version=(8, 0)))
    assert [(a.table, a.column, a.new_type) for a in found if isinstance(a, AlterColumnType)] == [
        ("a", "b", "varchar(20)")
    ]


def test_sql_knows_the_model_of_its_table() -> None:
    found = actions(item(), "migrations.RunSQL('DROP TABLE app_item')")
    assert [action.model for action in found] == [("app", "item")]


def test_a_list_of_statements_is_read_one_by_one() -> None:
    found = actions(item(), "migrations.RunSQL(['DROP TABLE a', ('DELETE FROM b WHERE c = %s', [1])])")
    assert kinds(found) == ["DropTable", "DeleteRows"]


def test_computed_sql_is_not_understood() -> None:
    found = actions(item(), "migrations.RunSQL(uuid.sql())")
    assert [a.understood for a in found if isinstance(a, Execute)] == [False]


@pytest.mark.parametrize(
    "text",
    [
        "", ";;", "ALTER", "CREATE INDEX", "ALTER TABLE", "ALTER TABLE a", "ALTER TABLE a ADD", "DROP", "INSERT",
        "UPDATE", "WITH", "COMMENT ON", "REINDEX", "TRUNCATE", "ALTER TABLE a ADD CHECK (", "CREATE TABLE (", "((((",
        "'", "ALTER TABLE a ALTER b TYPE", "ALTER TABLE a ADD CONSTRAINT", "ALTER TABLE a ADD b ((", "UPDATE a SET",
    ],
)  # fmt: skip
def test_broken_sql_is_no_crash(text: str) -> None:
    assert all(statement.text for statement in read_sql(text, "postgresql"))


def test_sqlglot_is_imported_only_for_sql() -> None:
    code = "import sys, miglint.project.actions; print('sqlglot' in sys.modules)"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "False"


# -- types ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "old, new, change",
    [
        ("varchar(20)", "varchar(50)", "compatible"),
        ("varchar(50)", "varchar(20)", "rewrite"),
        ("varchar(50)", "text", "compatible"),
        ("text", "varchar(50)", "rewrite"),
        ("varchar", "varchar(50)", "rewrite"),
        ("numeric(10, 2)", "numeric(12, 2)", "compatible"),
        ("numeric(10, 2)", "numeric(12, 3)", "rewrite"),
        ("numeric(10, 2)", "numeric", "compatible"),
        ("integer", "bigint", "rewrite"),
        ("varchar(10)[]", "varchar(10)[5]", "compatible"),
        ("varchar(10)[]", "varchar(20)[]", "rewrite"),
        ("integer", "integer", "same"),
        (None, "integer", "unknown"),
    ],
)
def test_what_a_change_of_type_does_to_the_rows(old: str | None, new: str | None, change: str) -> None:
    assert type_change(old, new) == change


# -- the schema -----------------------------------------------------------------------------------------


def schema_of(*sources: str) -> Schema:
    history, _ = history_of(list(sources))
    return history.steps[-1].schema_after


def test_a_column_that_the_state_forgot_is_still_in_the_schema() -> None:
    forget = "migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField('item', 'name')])"
    table = schema_of(item(), forget).table("app_item")
    assert table is not None
    assert sorted(table.columns) == ["id", "name"]


ITEM_MODEL = "apps.get_model('app', 'Item')"
INDEX = "models.Index(fields=['name'], name='ix')"
CHECK = "models.CheckConstraint(condition=Q(name__gt=''), name='c')"
UNIQUE = "models.UniqueConstraint(fields=['name'], name='u')"


@pytest.mark.parametrize("vendor", ["postgresql", "mysql", "sqlite"])
@pytest.mark.parametrize(
    ("asked", "operation", "first"),
    [
        ("delete_model({model})", "migrations.DeleteModel('Item')", []),
        ("delete_model(model={model})", "migrations.DeleteModel('Item')", []),
        ("remove_field({model}, {model}._meta.get_field('name'))", "migrations.RemoveField('item', 'name')", []),
        ("remove_field({model}, field={model}._meta.get_field('ref'))", "migrations.RemoveField('item', 'ref')", []),
        ("alter_db_table({model}, 'app_item', 'x')", "migrations.AlterModelTable('item', 'x')", []),
        ("alter_db_table({model}, {model}._meta.db_table, 'x')", "migrations.AlterModelTable('item', 'x')", []),
        (f"add_index({{model}}, {INDEX})", f"migrations.AddIndex('item', {INDEX})", []),
        (f"remove_index({{model}}, {INDEX})", "migrations.RemoveIndex('item', 'ix')", [f"AddIndex('item', {INDEX})"]),
        (f"add_constraint({{model}}, {CHECK})", f"migrations.AddConstraint('item', {CHECK})", []),
        (f"add_constraint({{model}}, {UNIQUE})", f"migrations.AddConstraint('item', {UNIQUE})", []),
        (
            f"remove_constraint({{model}}, {CHECK})",
            "migrations.RemoveConstraint('item', 'c')",
            [f"AddConstraint('item', {CHECK})"],
        ),
    ],
)
def test_code_that_asks_the_schema_editor_does_what_the_operation_does(
    vendor: Vendor, asked: str, operation: str, first: list[str]
) -> None:
    database = Database(vendor=vendor, version=(15,))
    before = ", ".join([
        f"{item()[:-1]}, migrations.AddField('item', 'ref', {KEY.replace('CASCADE', 'CASCADE, null=True')})",
        *(f"migrations.{each}" for each in first),
    ])  # fmt: skip
    code = f"migrations.RunPython(lambda apps, editor: editor.{asked.format(model=ITEM_MODEL)})"
    found = actions(f"{before}]", code, database=database)
    assert found == actions(f"{before}]", operation, database=database)
    assert found


def test_a_model_that_code_makes_is_new_for_what_follows() -> None:
    state = f"migrations.SeparateDatabaseAndState(state_operations={item()})"
    code = f"migrations.RunPython(lambda apps, editor: editor.create_model({ITEM_MODEL}))"
    found = actions("[]", f"[{state}, {code}]")
    assert [action.table for action in found if isinstance(action, CreateTable)] == ["app_item"]
    assert schema_of(state, code).table("app_item") is not None


@pytest.mark.parametrize(
    "asked",
    [
        "delete_model(found())",
        "delete_model(apps.get_model('app', 'Gone'))",
        "remove_field({model}, found())",
        "remove_field({model}, {model}._meta.get_field(found()))",
        "remove_field({model}, {model}._meta.get_field('gone'))",
        "alter_db_table({model}, found(), 'x')",
        "add_index({model}, found())",
        "remove_index({model}, found())",
        "add_field({model}, found())",
    ],
)
def test_what_the_schema_editor_is_asked_for_and_is_not_known_is_passed_over(asked: str) -> None:
    code = f"migrations.RunPython(lambda apps, editor: editor.{asked.format(model=ITEM_MODEL)})"
    assert actions(item(), code) == []


def test_what_the_schema_editor_is_asked_for_under_a_condition_is_not_certain() -> None:
    code = f"migrations.RunPython(lambda apps, editor: editor.delete_model({ITEM_MODEL}) if found() else None)"
    assert [action.certain for action in actions(item(), code)] == [False]


def test_a_constraint_is_validated_when_it_is_said_so() -> None:
    add = "migrations.RunSQL('ALTER TABLE app_item ADD CONSTRAINT c CHECK (name IS NOT NULL) NOT VALID')"
    validate = "migrations.RunSQL('ALTER TABLE app_item VALIDATE CONSTRAINT c')"
    tables = [schema_of(*sources).table("app_item") for sources in ((item(), add), (item(), add, validate))]
    assert [table is not None and table.proves_not_null("name") for table in tables] == [False, True]


def test_a_proven_column_is_set_not_null_without_a_scan() -> None:
    check = "models.CheckConstraint(condition=Q(name__isnull=False), name='c')"
    before = f"{item('models.IntegerField(null=True)')[:-1]}, migrations.AddConstraint('item', {check})]"
    found = actions(before, "migrations.AlterField('item', 'name', models.IntegerField())")
    assert [action.proven for action in found if isinstance(action, SetNotNull)] == [True]


def test_an_index_dropped_by_sql_is_found_on_its_table() -> None:
    before = f"{item()[:-1]}, migrations.AddIndex('item', models.Index(fields=['name'], name='ix'))]"
    found = actions(before, "migrations.RunSQL('DROP INDEX ix')")
    assert [action.table for action in found if isinstance(action, DropIndex)] == ["app_item"]


def test_sql_that_changes_a_type_is_compared_with_the_type_before() -> None:
    found = actions(item(), "migrations.RunSQL('ALTER TABLE app_item ALTER name TYPE varchar(80)')")
    assert [(a.old_type, a.change) for a in found if isinstance(a, AlterColumnType)] == [("varchar(50)", "compatible")]


def test_keys_follow_a_renamed_table() -> None:
    before = item("models.ForeignKey('app.Ref', models.CASCADE)")
    table = schema_of(before, "migrations.RunSQL('ALTER TABLE app_ref RENAME TO other')").table("app_item")
    assert table is not None
    assert [key.to_table for key in table.foreign_keys] == ["other"]


def test_steps_share_the_tables_they_do_not_change() -> None:
    first = schema_of(item())
    second = schema_of(item(), "migrations.RunSQL('CREATE TABLE other_thing (id integer)')")
    assert first.table("app_item") == second.table("app_item")
    assert second.without("other_thing").groups["app"] is second.groups["app"]


# -- SQLite ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "operation, copied",
    [
        ("migrations.AddField('item', 'x', models.IntegerField(null=True))", 0),
        ("migrations.AddField('item', 'x', models.IntegerField(default=0))", 1),
        ("migrations.AlterField('item', 'name', models.CharField(max_length=60))", 1),
        ("migrations.AlterField('item', 'name', models.CharField(max_length=50, help_text='x'))", 0),
        ("migrations.RemoveField('item', 'name')", 0),
        ("migrations.RenameField('item', 'name', 'title')", 0),
        ("migrations.AddConstraint('item', models.CheckConstraint(condition=Q(id__gt=0), name='c'))", 1),
    ],
)
def test_sqlite_copies_the_table_for_what_it_cannot_alter(operation: str, copied: int) -> None:
    found = actions(item(), operation, database=SQLITE)
    assert len([action for action in found if isinstance(action, RemakeTable)]) == copied


def test_actions_compare_without_their_place() -> None:
    one, other = (actions(item(), f"{pad}migrations.RemoveIndex('item', 'ix')") for pad in ("", "   "))
    assert one == other
    assert isinstance(one[0], DropIndex)
    assert (AddCheck(table="t") == AddCheck(table="t"), AddUnique(table="t") == AddUnique(table="u")) == (True, False)


@pytest.mark.parametrize(
    ("sql", "verbs"),
    [
        ("ALTER TABLE a ATTACH PARTITION b DEFAULT", [("a", "attach partition")]),
        ("CREATE MATERIALIZED VIEW v AS SELECT * FROM a JOIN b USING (id)", [("a", "read rows"), ("b", "read rows")]),
        ("CREATE TABLE c AS SELECT * FROM a", [("a", "read rows")]),
        ("SELECT 1 FROM a WHERE id = 1 FOR UPDATE", [("a", "lock rows")]),
        ("SELECT 1 FROM a", [("", "select")]),
        ("ALTER TABLE a DETACH PARTITION b", [("a", "alter table"), ("b", "alter table")]),
        ("ALTER TABLE a DETACH PARTITION b CONCURRENTLY", [("a", "detach partition concurrently")]),
        ("CLUSTER VERBOSE a USING i", [("a", "cluster")]),
        ("CLUSTER i ON a", [("a", "cluster")]),
        ("CLUSTER", [("", "cluster all")]),
        ("ANALYZE VERBOSE a (x), b", [("a", "analyze"), ("b", "analyze")]),
        ("CREATE EVENT TRIGGER t ON ddl_command_start EXECUTE FUNCTION f()", [("", "create event")]),
        ("VACUUM (FULL, VERBOSE) a", [("a", "vacuum full")]),
        ("VACUUM (FULL FALSE) a", [("a", "vacuum")]),
        ("VACUUM FULL a, b", [("a", "vacuum full"), ("b", "vacuum full")]),
        ("VACUUM ANALYZE a (x)", [("a", "vacuum")]),
    ],
)  # fmt: skip
def test_sql_that_reads_or_checks_tables(sql: str, verbs: list[tuple[str, str]]) -> None:
    found = [(a.table, a.verb) for a in sql_actions(sql, POSTGRESQL) if isinstance(a, Execute)]
    assert found == verbs


@pytest.mark.parametrize(
    ("sql", "concurrently"),
    [
        ("REINDEX INDEX i", False),
        ("REINDEX SCHEMA public", False),
        ("REINDEX (CONCURRENTLY FALSE) TABLE a", False),
        ("REINDEX (CONCURRENTLY) TABLE a", True),
        ("REINDEX (VERBOSE) TABLE CONCURRENTLY a", True),
    ],
)
def test_an_index_is_built_anew_concurrently_where_the_statement_or_its_options_say_so(
    sql: str, concurrently: bool
) -> None:
    assert [a.concurrently for a in sql_actions(sql, POSTGRESQL) if isinstance(a, Reindex)] == [concurrently]


MYSQL = Database(vendor="mysql", version=(8, 0))
STATED = (
    "[migrations.CreateModel('Item', [('id', models.BigAutoField(primary_key=True)), "
    "('name', models.CharField(max_length=50)), ('note', models.TextField(null=True)), "
    "('n', models.IntegerField(null=True)), ('p', models.PositiveIntegerField()), "
    "('at', models.DateTimeField(null=True)), ('b', models.BooleanField())])]"
)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # What MariaDB 10.11 does for each was asked with ALGORITHM=…, LOCK=….
        ("MODIFY name varchar(60) NOT NULL", ["compatible"]),
        ("MODIFY name varchar(80) NOT NULL", ["rewrite"]),
        ("MODIFY name varchar(50) NULL", ["same", "DropNotNull"]),
        ("MODIFY name varchar(50) CHARACTER SET latin1 NOT NULL", ["unknown?"]),
        ("MODIFY note longtext NOT NULL", ["same", "SetNotNull"]),
        ("MODIFY n int(11) NOT NULL", ["same", "SetNotNull"]),
        ("MODIFY n int", ["same"]),
        ("MODIFY n integer NULL DEFAULT 3", ["same", "SetDefault"]),
        ("MODIFY n bigint", ["rewrite"]),
        ("MODIFY p int unsigned NOT NULL", ["same"]),
        ("MODIFY p int NOT NULL", ["unknown?"]),
        ("MODIFY COLUMN at datetime(6) NOT NULL", ["same", "SetNotNull"]),
        ("MODIFY b tinyint(1) NOT NULL", ["same"]),
        ("MODIFY id bigint AUTO_INCREMENT", ["same"]),
        ("CHANGE `n` `k` int NOT NULL", ["same", "SetNotNull", "RenameColumn"]),
    ],
)
def test_modify_says_the_whole_column_again(sql: str, expected: list[str]) -> None:
    found = sql_actions(f"ALTER TABLE app_item {sql}", MYSQL)
    informed, _ = inform(schema_of(STATED), found)
    words = [each.change if isinstance(each, AlterColumnType) else type(each).__name__ for each in informed]
    assert [word + ("" if each.certain else "?") for word, each in zip(words, informed, strict=True)] == expected


def test_of_a_table_that_is_not_known_modify_may_change_anything() -> None:
    informed, _ = inform(Schema(), sql_actions("ALTER TABLE legacy MODIFY name varchar(80) NOT NULL", MYSQL))
    assert [action.certain for action in informed] == [False, False]


@pytest.mark.parametrize(("vendor", "rewritten"), [("mysql", True), ("mariadb", False)])
def test_mariadb_makes_a_short_text_longer_without_a_copy(vendor: Vendor, rewritten: bool) -> None:
    before, after = (f"models.CharField(max_length={length})" for length in (31, 300))
    database = Database(vendor=vendor, version=(10, 11) if vendor == "mariadb" else (8, 0))
    found = actions(item(before), f"migrations.AlterField('item', 'name', {after})", database=database)
    assert ["rewrite" in action.conditions for action in found if isinstance(action, AlterColumnType)] == [rewritten]


def test_a_column_of_a_checked_domain_is_written_into_every_row() -> None:
    sql = "CREATE DOMAIN posint AS integer CHECK (VALUE > 0); ALTER TABLE a ADD COLUMN x posint"
    informed, _ = inform(Schema(), sql_actions(sql, POSTGRESQL))
    assert [a.volatile for a in informed if isinstance(a, AddColumn)] == [Truth.YES]


def test_timestamps_are_kept_alike_in_utc() -> None:
    before = item("models.DateTimeField()")
    change = "migrations.RunSQL('{}ALTER TABLE app_item ALTER COLUMN name TYPE timestamp')"
    for prefix, expected in (("", "rewrite"), ("SET TIME ZONE \\'UTC\\'; ", "compatible")):
        found = actions(before, change.format(prefix))
        assert [a.change for a in found if isinstance(a, AlterColumnType)] == [expected]
