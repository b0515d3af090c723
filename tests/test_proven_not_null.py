"""PostgreSQL sets NOT NULL without a scan where miglint says that a CHECK proves it, and scans where not."""

from __future__ import annotations

import measure
from effects import Prediction

TABLE = (
    "migrations.CreateModel('Item', [('id', models.BigAutoField(primary_key=True)), "
    "('name', models.IntegerField(null=True)), ('size', models.IntegerField(null=True, db_column='Size'))])"
)
PROOFS = [
    "Q(name__isnull=False)",
    "Q(('name__isnull', False))",
    "Q(name__isnull=False, size__gt=0)",
    "Q(('size__gt', 0), ('name__isnull', False))",
    "Q(('size__gt', 0), ('name__isnull', False), _connector='AND')",
    "Q(size__gt=0) & Q(name__isnull=False)",
    "Q(Q(('size__isnull', False)), Q(('name__isnull', False)))",
    "~Q(name__isnull=True)",
    "Q(('name__isnull', True), _negated=True)",
    "~Q(name=None)",
    "~Q(name__exact=None)",
    "Q(('name__isnull', False), _connector='OR')",
    "Q(**{'name__isnull': False})",
    "Q(**{'%s__isnull' % 'name': False})",
    "Q(**dict(name__isnull=False)) & Q(size__gt=0)",
    "Q(*[('name__isnull', False)])",
]
NO_PROOFS = [
    "Q(name__isnull=True) | Q(name__gt=0)",
    "Q(name__isnull=False) | Q(size__gt=0)",
    "Q(('name__isnull', False), ('size__gt', 0), _connector='OR')",
    "~Q(name__isnull=True, size__gt=0)",
    "Q(name__gt=0)",
    "Q(name=None) | Q(name__gt=0)",
    "Q(size__isnull=False)",
    "Q(**{'size__isnull': False})",
    "Q(('name__isnull', False), ('size__lt', 0), _negated=True)",
]
SQL_PROOFS = [
    "name IS NOT NULL",
    "(name IS NOT NULL)",
    "name IS NOT NULL AND name > 0",
    'name > 0 AND ("name" IS NOT NULL AND "Size" > 0)',
    "((NAME IS NOT NULL) AND name < 10000)",
]
NO_SQL_PROOFS = [
    "name IS NOT NULL OR name > 0",
    'NOT (name IS NULL AND "Size" > 0)',
    '(name IS NOT NULL) = ("Size" IS NOT NULL) AND name > 0',
    "CASE WHEN name > 0 AND name IS NOT NULL AND name < 5 THEN true ELSE true END",
    '"Size" IS NOT NULL AND name > 0',
]
ALTER = "migrations.AlterField('item', 'name', models.IntegerField())"
CHECKS = {
    **{condition: f"migrations.AddConstraint('item', models.CheckConstraint(condition={condition}, name='c'))"
       for condition in (*PROOFS, *NO_PROOFS)},
    **{condition: f"migrations.RunSQL('''ALTER TABLE app_item ADD CONSTRAINT c CHECK ({condition})''')"
       for condition in (*SQL_PROOFS, *NO_SQL_PROOFS)},
}  # fmt: skip
CASES = {text: {"before": f"[{TABLE}, {check}]", "operation": ALTER} for text, check in CHECKS.items()}


def test_postgresql_scans_where_nothing_proves_that_a_column_holds_no_null() -> None:
    done = measure.measured(CASES)
    versions = {"version": f"PostgreSQL {done['version']}", "django": done["django"]}
    scanned = [text for text in CASES if done["cases"][text]["scanned"] == ["app_item"]]
    predicted = [text for text in CASES if "app_item" in Prediction({**CASES[text], **versions}).scanned]
    assert scanned == [*NO_PROOFS, *NO_SQL_PROOFS]
    assert predicted == scanned
