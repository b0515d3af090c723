"""Makes up Django projects of any number of migrations: `python -m benchmarks.projects DIRECTORY 10000`.

What is written is one valid history, the same for the same number: Django could migrate it. Sizes and shares are
those of saleor 3.21, netbox 4, nautobot 2, kpi and readthedocs.org together: half of the files have less than 0.9 KB
and one operation, AddField and AlterField are six operations out of ten. There are branches with their merges,
squashes beside what they replace, foreign keys and dependencies between apps, RunPython and RunSQL. Of a large
project both the apps and the migrations of an app are more: 20 apps of 50 at 1,000, 431 of 232 at 100,000.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

# The first migrations of an app: they only depend on those of apps before it, so that a squash makes no cycle.
_FIRST = 8
_SQUASHED = 0.3
_BRANCHED = 0.03
_MODELS = (2, 5)
_OPERATIONS = {1: 28, 2: 25, 3: 17, 4: 13, 5: 10, 6: 7}
_NOUNS = """
account address asset batch branch campaign category channel check claim comment contract country coupon course credit
customer delivery device discount document draft event export feature file folder grant group image import invoice
item label language lead ledger license line link listing log mail member message metric module note offer order page
parcel partner payment period person plan point policy price product profile project quota rate reason record refund
region report request review role rule sale schedule section segment session setting shipment site source stage stock
store subscription supplier survey tag task tax team template ticket topic transfer unit user value vendor version
visit voucher warehouse webhook widget zone
""".split()  # noqa: SIM905 (a hundred quotes less)
_ADJECTIVES = """
active archived automatic base billing cached current daily default deleted digital draft expected external final
first gross hidden initial internal last legacy local main manual maximum minimum monthly net next old open original
paid parent partial pending physical planned preferred previous primary private public raw real remote required
secondary shared short single sort stored temporary total unique valid visible weekly yearly
""".split()  # noqa: SIM905 (a hundred quotes less)
_PLAIN = (
    'models.CharField(blank=True, default="", help_text="{help}", max_length={length}, verbose_name="{verbose}")',
    (
        'models.CharField(choices=[("new", "New"), ("open", "Open"), ("{small}", "{verbose}"), ("done", "Done"), '
        '("left", "Left out")], default="new", help_text="{help}", max_length={length}, verbose_name="{verbose}")'
    ),
    'models.IntegerField(blank=True, help_text="{help}", null=True, verbose_name="{verbose}")',
    'models.BooleanField(default={truth}, help_text="{help}", verbose_name="{verbose}")',
    'models.DateTimeField(blank=True, db_index=True, help_text="{help}", null=True, verbose_name="{verbose}")',
    'models.DecimalField(decimal_places=2, default=0, help_text="{help}", max_digits=12, verbose_name="{verbose}")',
    'models.TextField(blank=True, help_text="{help}", null=True, verbose_name="{verbose}")',
    'models.JSONField(blank=True, default=dict, encoder=None, help_text="{help}", verbose_name="{verbose}")',
    (
        "models.PositiveIntegerField(default=0, validators=[django.core.validators.MinValueValidator({small}), "
        'django.core.validators.MaxValueValidator(10{length})], verbose_name="{verbose}")'
    ),
    'models.EmailField(blank=True, help_text="{help}", max_length=254, null=True, verbose_name="{verbose}")',
)


@dataclass
class _Model:
    """A model as it is; `fields` are their code by name. What an index, a constraint or a relation names stays."""

    name: str
    fields: dict[str, str]
    kept: set[str] = field(default_factory=set)
    indexes: list[str] = field(default_factory=list)
    is_target: bool = False
    options: str = "{}"


@dataclass
class _Made:
    """Operations as code, what must be there before, and functions that they call."""

    operations: list[str]
    needs: set[str] = field(default_factory=set)
    functions: list[str] = field(default_factory=list)


@dataclass
class _App:
    label: str
    directory: Path
    models: dict[str, _Model] = field(default_factory=dict)
    last: str = ""
    number: int = 0
    names: list[str] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)


def write(root: Path, migrations: int, *, apps: int | None = None) -> None:
    """Writes a project of so many migrations, squashes and merges counted, in `apps` apps."""
    _Author(root, migrations, apps or max(2, round(migrations ** (2 / 3) / 5))).write()


class _Author:
    def __init__(self, root: Path, migrations: int, apps: int) -> None:
        self._root = root
        self._left = migrations
        self._serial = 0
        self._random = random.Random(migrations)
        self._apps = {
            label: _App(label, root / "src" / f"team{number // 12:02}" / label / "migrations")
            for number, label in enumerate(f"{_NOUNS[n % len(_NOUNS)]}s{n // len(_NOUNS) or ''}" for n in range(apps))
        }
        self._makers: dict[Callable[[_App, _Model], _Made | None], float] = {
            self._add_field: 28,
            self._alter_field: 34,
            self._remove_field: 7,
            self._rename_field: 2,
            self._create_model: 7,
            self._alter_options: 4,
            self._add_index: 4,
            self._remove_index: 1,
            self._add_constraint: 3,
            self._unique_together: 3,
            self._delete_model: 1,
        }

    def write(self) -> None:
        self._write_settings()
        apps = list(self._apps.values())
        first = max(1, min(_FIRST, self._left // len(apps)))
        for at, app in enumerate(apps):
            for _ in range(first):
                self._step(app, apps[max(0, at - 8) : at], first=True)
            if first > 1 and self._random.random() < _SQUASHED and self._left:
                self._squash(app)
        weights = [1 / (at + 3) ** 0.5 for at in range(len(apps))]
        while self._left:
            (app,) = self._random.choices(apps, weights)
            if self._left >= 3 and len(app.models) > 1 and self._random.random() < _BRANCHED:
                self._branch(app)
            else:
                self._step(app, self._random.sample(apps, min(3, len(apps))), first=False)

    # -- migrations ----------------------------------------------------------------------------------

    def _step(self, app: _App, others: list[_App], *, first: bool) -> None:
        """The next migration of an app."""
        if not self._left:
            return
        if not app.number:
            names = [self._new_model(app, others) for _ in range(self._random.randint(*_MODELS))]
            made = _Made([each for each, _ in names], {need for _, needs in names for need in needs})
            self._file(app, "initial", made, [app.last])
            return
        if not first and self._random.random() < 0.09:
            made = self._code(app)
        else:
            (count,) = self._random.choices(list(_OPERATIONS), list(_OPERATIONS.values()))
            made = self._some(app, others, count)
        if not first and self._random.random() < 0.1:
            other = self._random.choice(others)
            made.needs |= {other.label} - {app.label}
        self._file(app, self._words(), made, [app.last])

    def _branch(self, app: _App) -> None:
        """Two migrations after one, each about a model of its own, and their merge."""
        start, number = app.last, app.number
        ends = []
        for model in self._random.sample(list(app.models.values()), 2):
            app.number = number
            made = self._random.choice((self._add_field, self._alter_field))(app, model) or _Made([])
            self._file(app, self._words(), made, [start])
            ends.append(app.last)
        self._file(app, "merge", _Made([]), ends)

    def _squash(self, app: _App) -> None:
        """All that the app has so far in one file, which replaces what stays beside it."""
        operations = [_create(model) for model in app.models.values()]
        operations += [each for model in app.models.values() for each in model.indexes]
        replaced = [f'("{app.label}", "{name}")' for name in app.names]
        name = f"0001_squashed_{app.last}"
        self._write(app, name, _Made(operations, set(app.needs)), [], f"    replaces = [{', '.join(replaced)}]\n\n")

    def _file(self, app: _App, words: str, made: _Made, before: list[str]) -> None:
        app.number += 1
        app.last = f"{app.number:04}_{words}"
        if (app.directory / f"{app.last}.py").exists():
            app.last += f"_{len(app.names)}"
        app.names.append(app.last)
        app.needs |= made.needs
        self._write(app, app.last, made, [each for each in before if each])

    def _write(self, app: _App, name: str, made: _Made, before: list[str], replaces: str = "") -> None:
        dependencies = [f'("{app.label}", "{each}")' for each in before]
        dependencies += [f'("{label}", "{self._apps[label].last}")' for label in sorted(made.needs) if label != "user"]
        if "user" in made.needs:
            dependencies.append("migrations.swappable_dependency(settings.AUTH_USER_MODEL)")
        body = "".join(f"        {each},\n" for each in made.operations)
        uses = body + "".join(made.functions)
        imports = [
            "import django.core.validators\n" if "django.core" in uses else "",
            "import django.db.models.deletion\n" if "django.db.models" in uses else "",
            "from django.conf import settings\n" if "settings." in uses + str(dependencies) else "",
            "from django.db import migrations" + (", models\n" if "models." in uses else "\n"),
        ]
        text = (
            f"# Generated by Django 5.2 on 2025-{self._random.randint(1, 12):02}-11 10:15\n\n"
            f"{''.join(imports)}\n\n{''.join(made.functions)}"
            "class Migration(migrations.Migration):\n\n"
            f"{replaces}    dependencies = [\n{''.join(f'        {each},{chr(10)}' for each in dependencies)}    ]\n\n"
            f"    operations = [\n{body}    ]\n"
        )
        if not app.directory.exists():
            app.directory.mkdir(parents=True)
            for directory in (app.directory, app.directory.parent):
                (directory / "__init__.py").touch()
            config = f'class {app.label.title()}Config(AppConfig):\n    name = "{app.label}"\n'
            (app.directory.parent / "apps.py").write_text(f"from django.apps import AppConfig\n\n\n{config}")
        (app.directory / f"{name}.py").write_text(text)
        self._left -= 1

    def _write_settings(self) -> None:
        apps = "".join(f'    "{label}",\n' for label in self._apps)
        site = self._root / "site_settings.py"
        site.parent.mkdir(parents=True, exist_ok=True)
        site.write_text(
            f'INSTALLED_APPS = [\n    "django.contrib.auth",\n    "django.contrib.contenttypes",\n{apps}]\n'
            'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}}\n'
            'DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"\n'
        )
        (self._root / "manage.py").write_text(
            'import os\n\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")\n'
        )

    # -- operations ----------------------------------------------------------------------------------

    def _some(self, app: _App, others: list[_App], count: int) -> _Made:
        """Operations that change the schema, one of them perhaps a foreign key to another app."""
        made = _Made([])
        for maker in self._random.choices(list(self._makers), list(self._makers.values()), k=count):
            each = maker(app, self._random.choice(list(app.models.values())))
            if each is not None:
                made.operations += each.operations
                made.needs |= each.needs
        if others and self._random.random() < 0.12:
            each = self._foreign_key(app, self._random.choice(others))
            made.operations += each.operations
            made.needs |= each.needs
        if not made.operations:
            each = self._alter_options(app, next(iter(app.models.values())))
            made.operations += each.operations
        return made

    def _new_model(self, app: _App, others: list[_App]) -> tuple[str, set[str]]:
        name = self._fresh({key.lower() for key in app.models}).title().replace("_", "")
        fields = {"id": 'models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")'}
        needs: set[str] = set()
        for _ in range(self._random.choice((2, 3, 3, 4, 5, 8))):
            fields[self._fresh(fields)] = self._plain()
        kept = {"id"}
        if app.models and self._random.random() < 0.5:
            target = self._random.choice(list(app.models.values()))
            target.is_target = True
            fields["parent"] = _relation(f"{app.label}.{target.name}".lower(), f"{name.lower()}_children")
            kept.add("parent")
        if others and self._random.random() < 0.3:
            other = self._random.choice(others)
            if other is not app:
                target = self._random.choice(list(other.models.values()))
                target.is_target = True
                fields["source"] = _relation(f"{other.label}.{target.name}".lower(), f"{app.label}_{name}_set".lower())
                kept.add("source")
                needs.add(other.label)
        if self._random.random() < 0.1:
            fields["owner"] = (
                "models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, "
                'related_name="+", to=settings.AUTH_USER_MODEL)'
            )
            kept.add("owner")
            needs.add("user")
        model = _Model(name, fields, kept)
        if self._random.random() < 0.5:
            model.options = '{"ordering": ("id",), "verbose_name_plural": "' + name.lower() + 's"}'
        app.models[name] = model
        return _create(model), needs

    def _create_model(self, app: _App, model: _Model) -> _Made:
        code, needs = self._new_model(app, [])
        return _Made([code], needs)

    def _delete_model(self, app: _App, model: _Model) -> _Made | None:
        if model.is_target or len(app.models) < 3:
            return None
        del app.models[model.name]
        return _Made([_call("DeleteModel", f'name="{model.name}"')])

    def _add_field(self, app: _App, model: _Model) -> _Made:
        name = self._fresh(model.fields)
        model.fields[name] = self._plain()
        return _Made([_on("AddField", model, name, model.fields[name])])

    def _foreign_key(self, app: _App, other: _App) -> _Made:
        model = self._random.choice(list(app.models.values()))
        target = self._random.choice(list(other.models.values()))
        target.is_target = True
        name = self._fresh(model.fields)
        to = f"{other.label}.{target.name}".lower()
        model.fields[name] = _relation(to, f"{app.label}_{model.name}_{name}_set".lower())
        model.kept.add(name)
        return _Made([_on("AddField", model, name, model.fields[name])], {other.label} - {app.label})

    def _alter_field(self, app: _App, model: _Model) -> _Made | None:
        name = self._loose(model)
        if name is None:
            return None
        kind = model.fields[name].partition("(")[0]
        same = [each for each in _PLAIN if each.startswith(f"{kind}(")]
        model.fields[name] = self._plain(same)
        return _Made([_on("AlterField", model, name, model.fields[name])])

    def _remove_field(self, app: _App, model: _Model) -> _Made | None:
        name = self._loose(model)
        if name is None or len(model.fields) < 4:
            return None
        del model.fields[name]
        return _Made([_call("RemoveField", f'model_name="{model.name.lower()}"', f'name="{name}"')])

    def _rename_field(self, app: _App, model: _Model) -> _Made | None:
        old, new = self._loose(model), self._fresh(model.fields)
        if old is None:
            return None
        model.fields = {new if name == old else name: code for name, code in model.fields.items()}
        names = f'old_name="{old}"', f'new_name="{new}"'
        return _Made([_call("RenameField", f'model_name="{model.name.lower()}"', *names)])

    def _alter_options(self, app: _App, model: _Model) -> _Made:
        model.options = '{"ordering": ("-id",), "verbose_name": "' + self._phrase() + '"}'
        return _Made([_call("AlterModelOptions", f'name="{model.name.lower()}"', f"options={model.options}")])

    def _add_index(self, app: _App, model: _Model) -> _Made | None:
        name = self._loose(model)
        if name is None:
            return None
        model.kept.add(name)
        self._serial += 1
        index = f'index=models.Index(fields=["{name}"], name="{app.label[:12]}_{self._serial}_idx")'
        code = _call("AddIndex", f'model_name="{model.name.lower()}"', index)
        model.indexes.append(code)
        return _Made([code])

    def _remove_index(self, app: _App, model: _Model) -> _Made | None:
        at = next((at for at, each in enumerate(model.indexes) if "AddIndex" in each), None)
        if at is None:
            return None
        name = model.indexes.pop(at).partition('name="')[2].partition('"')[2].partition('name="')[2].partition('"')[0]
        return _Made([_call("RemoveIndex", f'model_name="{model.name.lower()}"', f'name="{name}"')])

    def _add_constraint(self, app: _App, model: _Model) -> _Made | None:
        name = next((n for n, code in model.fields.items() if "Integer" in code and n not in model.kept), None)
        if name is None:
            return None
        model.kept.add(name)
        check = f'models.CheckConstraint(condition=models.Q(("{name}__gte", 0)), name="{app.label}_{name}_positive")'
        code = _call("AddConstraint", f'model_name="{model.name.lower()}"', f"constraint={check}")
        model.indexes.append(code)
        return _Made([code])

    def _unique_together(self, app: _App, model: _Model) -> _Made | None:
        names = [name for name in model.fields if name not in model.kept][:2]
        if len(names) < 2 or any("unique_together" in each for each in model.indexes):
            return None
        model.kept.update(names)
        pair = ", ".join(f'"{name}"' for name in names)
        code = _call("AlterUniqueTogether", f'name="{model.name.lower()}"', "unique_together={(" + pair + ")}")
        model.indexes.append(code)
        return _Made([code])

    def _code(self, app: _App) -> _Made:
        """RunPython or RunSQL, alone in their migration as they should be."""
        model = self._random.choice(list(app.models.values()))
        name = self._loose(model) or "id"
        table = f"{app.label}_{model.name}".lower()
        if self._random.random() < 0.35:
            sql = f"UPDATE {table} SET {name} = NULL WHERE id < {self._random.randint(1, 9999)}"
            return _Made([_call("RunSQL", f'sql="{sql}"', "reverse_sql=migrations.RunSQL.noop")])
        function = (
            f"def fill_{name}(apps, schema_editor):\n"
            f'    {model.name} = apps.get_model("{app.label}", "{model.name}")\n'
            f"    for {model.name.lower()} in {model.name}.objects.using(schema_editor.connection.alias).iterator():\n"
            f"        if {model.name.lower()}.{name} is None:\n"
            f"            {model.name.lower()}.{name} = {model.name.lower()}.pk\n"
            f'            {model.name.lower()}.save(update_fields=["{name}"])\n\n\n'
        )
        reverse = "migrations.RunPython.noop" if self._random.random() < 0.8 else "elidable=True"
        return _Made([f"migrations.RunPython(fill_{name}, {reverse})"], functions=[function])

    # -- names ---------------------------------------------------------------------------------------

    def _loose(self, model: _Model) -> str | None:
        """A field that nothing else names."""
        names = [name for name in model.fields if name not in model.kept]
        return self._random.choice(names) if names else None

    def _plain(self, kinds: list[str] | tuple[str, ...] = _PLAIN) -> str:
        return self._random.choice(kinds).format(
            help=f"The {self._phrase()} that this {self._random.choice(_NOUNS)} has, as the customer wrote it.",
            verbose=self._phrase(),
            length=self._random.choice((32, 64, 128, 200, 255)),
            truth=self._random.random() < 0.5,
            small=self._random.randint(0, 9),
        )

    def _phrase(self) -> str:
        return self._words().replace("_", " ")

    def _words(self) -> str:
        return f"{self._random.choice(_ADJECTIVES)}_{self._random.choice(_NOUNS)}"

    def _fresh(self, taken: dict[str, str] | set[str]) -> str:
        """A name that is free, and that no other field of a model ever has by chance."""
        name = self._words()
        while name in taken or name.replace("_", "") in taken:
            name = f"{self._words()}_{self._random.randint(2, 999)}"
        return name


def _relation(to: str, related_name: str) -> str:
    return (
        f"models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, "
        f'related_name="{related_name}", to="{to}")'
    )


def _create(model: _Model) -> str:
    fields = "".join(f'                    ("{name}", {code}),\n' for name, code in model.fields.items())
    return _call(
        "CreateModel", f'name="{model.name}"', f"fields=[\n{fields}                ]", f"options={model.options}"
    )


def _on(operation: str, model: _Model, name: str, code: str) -> str:
    return _call(operation, f'model_name="{model.name.lower()}"', f'name="{name}"', f"field={code}")


def _call(operation: str, *arguments: str) -> str:
    return f"migrations.{operation}(\n{''.join(f'            {each},{chr(10)}' for each in arguments)}        )"


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))
