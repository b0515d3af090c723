"""Histories as hypothesis draws them: each operation is one that Django can apply where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hypothesis import strategies as st

APPS = ("one", "two")
NAMES = ("Alpha", "Beta", "Gamma", "DeltaModel")
FIELDS = ("code", "amount", "Title", "owner", "state", "parent")
PLAIN = (
    "models.CharField(max_length={n})",
    "models.CharField('a name', max_length={n}, unique=True)",
    "models.CharField(max_length={n}, default='x', db_index=True)",
    "models.IntegerField(null=True)",
    "models.IntegerField(default=0, db_column='column{n}')",
    "models.BooleanField(default=False)",
    "models.DateTimeField(auto_now_add=True)",
    "models.DecimalField('price', None, 9, 2)",
    "models.TextField(blank=True)",
    "models.TextField(db_default='y')",
    "models.UUIDField(unique=True)",
    "models.SlugField()",
    "models.SlugField(db_index=False)",
    "models.EmailField()",
    "models.URLField(max_length={n})",
    "models.FileField(upload_to='files')",
    "models.ImageField()",
    "models.JSONField(default=dict)",
    "models.BinaryField(null=True)",
    "models.DurationField()",
    "models.FilePathField()",
    "models.GenericIPAddressField(null=True)",
    "models.PositiveSmallIntegerField(null=False)",
    "models.TimeField(auto_now=True)",
    "models.GeneratedField(expression=models.F('id'), output_field=models.IntegerField(), db_persist=True)",
)
RELATIONS = (
    "models.ForeignKey({to}, models.CASCADE)",
    "models.ForeignKey(to={to}, on_delete=models.SET_NULL, null=True)",
    "models.ForeignKey({to}, on_delete=models.CASCADE, db_index=False, db_column='ref{n}')",
    "models.ForeignKey({to}, models.CASCADE, to_field={key}, related_name='+')",
    "models.OneToOneField({to}, models.CASCADE)",
    "models.ManyToManyField({to})",
    "models.ManyToManyField({to}, through={to}, related_name='+')",
)
OPTIONS = ("'managed': False", "'verbose_name': 'x'", "'proxy': False", "'unique_together': set()")
ALTERED = (
    "'ordering': ('id',)",
    "'verbose_name': 'x', 'managed': True",
    "",
    "'get_latest_by': 'id'",
    "'permissions': []",
)


@dataclass
class Model:
    """A model as far as it must be known to write what may follow."""

    app: str
    name: str
    fields: list[str]
    indexes: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    groups: list[tuple[str, str]] = field(default_factory=list)


class Writer:
    """Draws operations and keeps what they make."""

    def __init__(self, draw: Callable[..., object]) -> None:
        self._draw = draw
        self._number = 0
        self.models: list[Model] = []
        self.app = APPS[0]
        # While branches are written, each writes models of its own.
        self.mine: list[Model] | None = None

    def one(self, of):  # type: ignore[no-untyped-def]
        return self._draw(st.sampled_from(list(of)))

    def often(self) -> bool:
        return bool(self._draw(st.integers(0, 3)))

    def number(self) -> int:
        self._number += 1
        return self._number

    def cased(self, name: str) -> str:
        """A model's name in any case, as an operation may write it."""
        return str(self.one((name, name.lower(), name.upper())))

    def own(self) -> list[Model]:
        models = self.models if self.mine is None else self.mine
        return [model for model in models if model.app == self.app]

    # -- fields --------------------------------------------------------------------------------------

    def field(self) -> str:
        number = self.number()
        targets = self.models
        if targets and not self.often():
            target = self.one(targets)
            written = [f"'{target.app}.{self.cased(target.name)}'"]
            written += [f"'{target.name}'"] if target.app == self.app else []
            written += ["'self'"]
            text = str(self.one(RELATIONS))
            return text.format(to=self.one(written), n=number, key=repr(self.one(target.fields)))
        return str(self.one(PLAIN)).format(n=number)

    def pair(self, name: str) -> str:
        return f"('{name}', {self.field()})"

    # -- operations ----------------------------------------------------------------------------------

    def operation(self) -> str:
        kinds = [self.create_model]
        if self.own():
            kinds += [getattr(self, name) for name in dir(self) if name.startswith("on_")]
        text = str(self.one(kinds)())
        wrapped = (
            "{}", "{}", "{}", "migrations.SeparateDatabaseAndState(state_operations=[{}])",
            "migrations.RunSQL('SELECT 1', 'SELECT 2', [{}])",
            "migrations.SeparateDatabaseAndState([migrations.RunSQL('SELECT 1')], [{}])",
            "migrations.RunPython(migrations.RunPython.noop), {}",
        )  # fmt: skip
        return str(self.one(wrapped)).format(text) if text else text

    def create_model(self) -> str:
        taken = {model.name.lower() for model in self.models if model.app == self.app}
        free = [each for each in NAMES if each.lower() not in taken]
        # Branches do not know each other: what one deletes the other must not create.
        name = free[0] if free and self.mine is None else f"Model{self.number()}"
        names = ["id", *[each for each in FIELDS if self.often()]]
        model = Model(self.app, name, names)
        pairs = ["('id', models.AutoField(primary_key=True))", *[self.pair(each) for each in names[1:]]]
        options = self.options(model)
        parents = [each for each in self.models if each is not model]
        bases = ""
        if parents and not self.often():
            parent = self.one(parents)
            bases = f", bases=('{parent.app}.{parent.name.lower()}',)"
        managers = ", managers=[('objects', models.Manager()), ('all', models.Manager())]" if not self.often() else ""
        self.models.append(model)
        if self.mine is not None:
            self.mine.append(model)
        return f"migrations.CreateModel('{name}', [{', '.join(pairs)}], {{{options}}}{bases}{managers})"

    def options(self, model: Model) -> str:
        found = []
        if not self.often():
            found.append(f"'ordering': ['{model.fields[-1]}']")
        if not self.often():
            found.append(f"'db_table': 'table{self.number()}'")
        if not self.often():
            found.append(str(self.one(OPTIONS)))
        if len(model.fields) > 2 and not self.often():
            model.groups = [(model.fields[1], model.fields[2])]
            found.append(f"'index_together': {{{model.groups[0]!r}}}")
        if not self.often():
            name = self.name(model.indexes)
            found.append(f"'indexes': [models.Index(fields=['{model.fields[0]}'], name='{name}')]")
        if not self.often():
            name = self.name(model.constraints)
            found.append(f"'constraints': [models.UniqueConstraint(fields=['{model.fields[0]}'], name='{name}')]")
        return ", ".join(found)

    def name(self, into: list[str]) -> str:
        into.append(f"name{self.number()}")
        return into[-1]

    def on_delete(self) -> str:
        model = self.one(self.own())
        self.models.remove(model)
        if self.mine is not None:
            self.mine.remove(model)
        return f"migrations.DeleteModel('{self.cased(model.name)}')"

    def on_rename(self) -> str:
        model = self.one(self.own())
        old, model.name = model.name, f"Named{self.number()}"
        return f"migrations.RenameModel('{self.cased(old)}', new_name='{model.name}')"

    def on_add_field(self) -> str:
        model = self.one(self.own())
        name = f"field{self.number()}"
        kept = str(self.one(("", "", ", preserve_default=False")))
        text = f"migrations.AddField('{self.cased(model.name)}', '{name}', {self.field()}{kept})"
        model.fields.append(name)
        return text

    def on_alter_field(self) -> str:
        model = self.one(self.own())
        kept = str(self.one(("", ", preserve_default=True", ", preserve_default=False")))
        return f"migrations.AlterField('{self.cased(model.name)}', '{self.one(model.fields)}', {self.field()}{kept})"

    def on_remove_field(self) -> str:
        model = self.one(self.own())
        if len(model.fields) < 2:
            return ""
        name = self.one(model.fields)
        model.fields.remove(name)
        model.groups = [group for group in model.groups if name not in group]
        return f"migrations.RemoveField('{self.cased(model.name)}', '{name}')"

    def on_rename_field(self) -> str:
        model = self.one(self.own())
        old, new = self.one(model.fields), f"renamed{self.number()}"
        model.fields[model.fields.index(old)] = new
        model.groups = [tuple(new if name == old else name for name in group) for group in model.groups]  # type: ignore[misc]
        return f"migrations.RenameField('{self.cased(model.name)}', '{old}', '{new}')"

    def on_options(self) -> str:
        model = self.one(self.own())
        return f"migrations.AlterModelOptions('{self.cased(model.name)}', {{{self.one(ALTERED)}}})"

    def on_table(self) -> str:
        table = self.one((f"'moved{self.number()}'", "None"))
        return f"migrations.AlterModelTable('{self.cased(self.one(self.own()).name)}', {table})"

    def on_comment(self) -> str:
        return f"migrations.AlterModelTableComment('{self.one(self.own()).name}', {self.one(('None', repr('why')))})"

    def on_managers(self) -> str:
        given = self.one(("[]", "[('objects', models.Manager())]"))
        return f"migrations.AlterModelManagers('{self.one(self.own()).name}', {given})"

    def on_unique_together(self) -> str:
        model = self.one(self.own())
        groups = self.one(
            (f"{{('{model.fields[0]}', '{model.fields[-1]}')}}", "set()", "[]", f"[['{model.fields[0]}']]")
        )
        return f"migrations.AlterUniqueTogether('{self.cased(model.name)}', {groups})"

    def on_index_together(self) -> str:
        model = self.one(self.own())
        model.groups = [(model.fields[0], model.fields[-1])] if self.often() else []
        return f"migrations.AlterIndexTogether('{self.cased(model.name)}', {set(model.groups) or 'set()'})"

    def on_order(self) -> str:
        model = self.one(self.own())
        return f"migrations.AlterOrderWithRespectTo('{model.name}', {self.one((repr(self.one(model.fields)), 'None'))})"

    def on_add_index(self) -> str:
        model = self.one(self.own())
        name = self.name(model.indexes)
        index = self.one((f"fields=['{model.fields[-1]}'], name='{name}'", f"models.F('id').desc(), name='{name}'"))
        return f"migrations.AddIndex('{self.cased(model.name)}', models.Index({index}))"

    def on_remove_index(self) -> str:
        model = self.one(self.own())
        return f"migrations.RemoveIndex('{model.name}', '{model.indexes.pop()}')" if model.indexes else ""

    def on_rename_index(self) -> str:
        model = self.one(self.own())
        if model.groups and not self.often():
            group = model.groups.pop()
            return (
                f"migrations.RenameIndex('{model.name}', new_name='{self.name(model.indexes)}', old_fields={group!r})"
            )
        if not model.indexes:
            return ""
        old = model.indexes.pop(0)
        return f"migrations.RenameIndex('{model.name}', old_name='{old}', new_name='{self.name(model.indexes)}')"

    def on_add_constraint(self) -> str:
        model = self.one(self.own())
        name = self.name(model.constraints)
        given = self.one(
            (f"models.UniqueConstraint(fields=['{model.fields[0]}'], name='{name}')",
             f"models.CheckConstraint(condition=models.Q(id__gt=0), name='{name}')")
        )  # fmt: skip
        return f"migrations.AddConstraint('{self.cased(model.name)}', {given})"

    def on_remove_constraint(self) -> str:
        model = self.one(self.own())
        return f"migrations.RemoveConstraint('{model.name}', '{model.constraints.pop()}')" if model.constraints else ""

    def on_alter_constraint(self) -> str:
        model = self.one(self.own())
        if not model.constraints:
            return ""
        name = model.constraints[0]
        given = f"models.UniqueConstraint(fields=['{model.fields[0]}'], name='{name}', deferrable=None)"
        return f"migrations.AlterConstraint('{model.name}', '{name}', {given})"


@dataclass
class Written:
    """One migration: what it depends on, its operations, what it replaces."""

    dependencies: list[str]
    operations: str
    replaces: list[str] = field(default_factory=list)


def _operations(writer: Writer, most: int) -> str:
    count = int(writer._draw(st.integers(1, most)))  # type: ignore[call-overload]
    return ", ".join(text for text in (writer.operation() for _ in range(count)) if text)


@st.composite
def histories(draw):  # type: ignore[no-untyped-def]
    """Migrations by `app.name`: one after the other, with branches that are merged and runs that are squashed."""
    writer = Writer(draw)
    found: dict[str, Written] = {}
    tips: list[str] = []
    for place in range(draw(st.integers(2, 7))):
        writer.app = draw(st.sampled_from(APPS))
        name = f"{writer.app}.{place:04}_step"
        if len(writer.models) > 1 and draw(st.integers(0, 3)) == 0:
            tips = list(_branches(writer, found, tips, place))
            continue
        found[name] = Written(tips, _operations(writer, 4))
        tips = [name]
    _squash(draw, found)
    return found


def _branches(writer: Writer, found: dict[str, Written], tips: list[str], place: int) -> Iterator[str]:
    """Branches from one point, each of which writes models of its own, and the merge of them."""
    shared = list(writer.models)
    parts = (shared[::2], shared[1::2])
    ends: list[str] = []
    for branch, part in enumerate(parts):
        writer.mine, parents = list(part), tips
        for step in range(int(writer._draw(st.integers(1, 2)))):  # type: ignore[call-overload]
            writer.app = writer.one(APPS)
            name = f"{writer.app}.{place:04}_{'ab'[branch]}{step}"
            found[name] = Written(parents, _operations(writer, 3))
            parents = [name]
        ends += parents
    writer.mine = None
    merge = f"{writer.app}.{place:04}_merge"
    found[merge] = Written(ends, "")
    yield merge


def _squash(draw, found: dict[str, Written]) -> None:  # type: ignore[no-untyped-def]
    """Two migrations of an app that follow each other directly, replaced by one that does what both do."""
    follows = [
        (parent, name)
        for name, each in found.items()
        for parent in each.dependencies
        if len(each.dependencies) == 1 and parent.partition(".")[0] == name.partition(".")[0]
        and sum(parent in other.dependencies for other in found.values()) == 1
    ]  # fmt: skip
    if follows and draw(st.booleans()):
        first, second = draw(st.sampled_from(follows))
        operations = ", ".join(text for text in (found[first].operations, found[second].operations) if text)
        found[f"{first}_squashed"] = Written(found[first].dependencies, operations, [first, second])
