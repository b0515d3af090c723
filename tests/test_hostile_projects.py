"""Projects and surroundings that no one would make, and what a user sees of them: a finding or a clear sentence."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import pty
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from commands import migration, write
from fuzzing.pipeline import run
from miglint import git
from miglint.database import Vendor
from miglint.options import Options
from miglint.root import UsageError
from miglint.session import Session
from miglint.writing import write_whole
from test_cli import miglint

INITIAL = 'migrations.CreateModel("Order", [("id", models.AutoField(primary_key=True)), ("note", models.TextField())])'
DROP = 'migrations.RemoveField("order", "note")'
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]")
COMMAND = [sys.executable, "-m", "miglint"]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    texts = {
        "shop.0001_initial": migration(operations=INITIAL),
        "shop.0002_drop": migration("shop.0001_initial", operations=DROP),
    }
    return write(tmp_path / "project", texts)


def large(root: Path, number: int, models: int) -> Path:
    """A project of many migrations that make many models: 400 of 40 take seconds to read, in several processes."""
    texts = {
        f"shop.{at:04}_step": migration(
            *([f"shop.{at - 1:04}_step"] if at else []),
            operations=", ".join(INITIAL.replace("Order", f"Order{at}x{each}") for each in range(models)),
        )
        for at in range(number)
    }
    return write(root, texts)


def codes(done: subprocess.CompletedProcess[bytes]) -> list[tuple[str, str]]:
    """Code and path of each finding."""
    assert done.returncode in (0, 1), done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return [(each["code"], each["path"]) for each in json.loads(done.stdout)["diagnostics"]]


def check(root: Path) -> list[tuple[str, str]]:
    """Code and path of each finding, in this process."""
    options = Options(cache=False, jobs=1, select=("MG102", "MG105", "MG201", "MG9"))
    found = Session(options, cwd=root).report([root]).diagnostics
    return [(each.code, (each.path or "").removeprefix(f"{root}/")) for each in found]


DROPPED = ("MG201", "shop/migrations/0002_drop.py")


# -- what stands on the disk --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["pyproject.toml", "miglint.toml", "manage.py", ".git", "miglint-baseline.txt", "shop/apps.py", "shop/__init__.py"],
)
@pytest.mark.parametrize("kind", ["pipe", "directory", "link to itself", "link to a device"])
def test_what_is_no_file_is_not_waited_for(shop: Path, name: str, kind: str) -> None:
    path = shop / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to(path if kind == "link to itself" else "/dev/zero")
    assert check(shop) == [DROPPED]


def test_a_pipe_that_a_migration_reads_is_not_waited_for(shop: Path) -> None:
    os.mkfifo(shop / "shop/migrations/data.sql")
    text = migration("shop.0002_drop", operations="migrations.RunSQL(open('data.sql').read(), '')")
    (shop / "shop/migrations/0004_sql.py").write_text(text)
    assert DROPPED in check(shop)


def _make(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to({"link to nothing": "gone.py", "link to itself": path.name}.get(kind, "/dev/zero"))


_NO_FILES = ["pipe", "directory", "link to nothing", "link to itself", "link to a device"]


@pytest.mark.parametrize("kind", _NO_FILES)
def test_what_is_called_as_a_migration_is_and_is_no_file_stops_django(shop: Path, kind: str) -> None:
    _make(shop / "shop/migrations/0003_late.py", kind)
    assert check(shop) == [DROPPED, ("MG901", "shop/migrations/0003_late.py")]
    code = (
        "import django; from django.conf import settings; settings.configure(INSTALLED_APPS=['shop']); django.setup(); "
        "from django.db.migrations.loader import MigrationLoader; MigrationLoader(None)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=shop, capture_output=True, timeout=60)
    assert done.stderr.decode().splitlines()[-1] == "ModuleNotFoundError: No module named 'shop.migrations.0003_late'"


@pytest.mark.parametrize("name", ["_helper.py", "~0003_late.py", ".#0003_late.py", "0003_late.old.py", "late.sql"])
@pytest.mark.parametrize("kind", _NO_FILES)
def test_what_django_does_not_take_for_a_migration_may_be_anything(shop: Path, kind: str, name: str) -> None:
    _make(shop / "shop/migrations" / name, kind)
    assert check(shop) == [DROPPED]


def test_what_is_no_file_is_said_of_packages_of_django_that_are_read_alone(shop: Path) -> None:
    for folder in ("alembic/migrations", "plain/migrations", "shop/vendored/migrations"):
        (shop / folder).mkdir(parents=True)
        _make(shop / folder / "0002_gone.py", "link to nothing")
    for folder in ("alembic/migrations", "shop/vendored/migrations"):
        (shop / folder / "__init__.py").write_text("")
    (shop / "alembic/migrations/0001_first.py").write_text("from alembic import op\n\ndef upgrade(): ...\n")
    (shop / "plain/migrations/0001_first.py").write_text(migration())
    (shop / "shop/vendored/migrations/0001_first.py").write_text(migration())
    (shop / "miglint.toml").write_text('exclude = ["vendored"]\n')
    assert check(shop) == [("MG105", "plain/migrations/0001_first.py"), DROPPED]


@pytest.mark.parametrize("why", ["a link of another process", "no link"])
def test_a_link_that_may_not_be_followed_leads_nowhere(shop: Path, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop / "shop/link").symlink_to("elsewhere")
    real = os.path.realpath

    def refused(path: Any, **more: Any) -> Any:  # as those in /proc are
        if os.fspath(path).endswith("shop/link") and why == "a link of another process":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return real(path, **more)

    monkeypatch.setattr(os.path, "realpath", refused)
    assert check(shop) == [DROPPED]


def test_a_link_to_migrations_elsewhere_is_read_as_django_reads_it(shop: Path, tmp_path: Path) -> None:
    texts = {
        "stock.0001_initial": migration(operations=INITIAL),
        "stock.0002_drop": migration("stock.0001_initial", operations=DROP),
    }
    other = write(tmp_path / "elsewhere", texts)
    (shop / "stock").symlink_to(other / "stock")
    assert check(shop) == [DROPPED, ("MG201", "stock/migrations/0002_drop.py")]


def test_links_in_circles_are_followed_once(shop: Path) -> None:
    (shop / "shop/again").symlink_to(shop)
    (shop / "shop/migrations/again").symlink_to(shop / "shop")
    (shop / "one").symlink_to(shop / "two")
    (shop / "two").symlink_to(shop / "one")
    assert check(shop) == [DROPPED]


@pytest.mark.parametrize("copy", ["build/lib", "build/lib.linux-x86_64-cpython-312"])
def test_the_copy_that_a_build_leaves_behind_is_no_second_app(shop: Path, copy: str) -> None:
    shutil.copytree(shop / "shop", shop / copy / "shop")
    options = Options(cache=False, jobs=1, select=("MG1", "MG201"))
    report = Session(options, cwd=shop).report([shop])
    assert [each.code for each in report.diagnostics] == ["MG201"]


def _without_power() -> None:
    """Root may read what it is not allowed to; the next program run by this process may not.

    Source: capabilities(7), and PR_CAPBSET_DROP in prctl(2).
    """
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)


def powerless(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *arguments], cwd=cwd, capture_output=True, preexec_fn=_without_power, timeout=60)


def _may_be_refused(tmp_path: Path) -> bool:
    """Whether a process without power is refused what a mode forbids; some containers let nobody drop it."""
    secret = tmp_path / "secret"
    secret.write_text("")
    secret.chmod(0)
    done = subprocess.run(["cat", str(secret)], preexec_fn=_without_power, capture_output=True)
    secret.unlink()
    return done.returncode != 0


def test_what_may_not_be_read_is_a_finding_and_the_rest_is_analysed(shop: Path, tmp_path: Path) -> None:
    if not _may_be_refused(tmp_path):
        pytest.skip("nobody is refused anything here")
    (shop / "shop/migrations/0003_secret.py").write_text(migration("shop.0002_drop"))
    (shop / "shop/migrations/0003_secret.py").chmod(0)
    write(shop, {"secret.0001_initial": migration()})
    (shop / "secret/migrations").chmod(0)
    try:
        done = powerless("check", "--select", "MG201,MG9", "--output-format", "json", cwd=shop)
    finally:
        (shop / "secret/migrations").chmod(0o755)
    assert codes(done) == [
        ("MG901", "secret/migrations"),
        DROPPED,
        ("MG901", "shop/migrations/0003_secret.py"),
    ]
    assert "Permission denied" in done.stdout.decode()


@pytest.mark.parametrize("name", ["miglint.toml", "pyproject.toml"])
def test_settings_that_may_not_be_read_are_said(shop: Path, tmp_path: Path, name: str) -> None:
    if not _may_be_refused(tmp_path):
        pytest.skip("nobody is refused anything here")
    (shop / name).write_text("")
    (shop / name).chmod(0)
    done = powerless("check", cwd=shop)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"miglint: {shop}/{name}: cannot be read: Permission denied\n"


def test_files_in_a_directory_that_may_not_be_entered_are_not_there(shop: Path, tmp_path: Path) -> None:
    if not _may_be_refused(tmp_path):
        pytest.skip("nobody is refused anything here")
    secret = tmp_path / "secret"
    secret.mkdir()
    secret.chmod(0)
    said = {
        ("check", "--config", f"{secret}/x.toml"): f"the settings file {secret}/x.toml does not exist",
        ("check", "--baseline", f"{secret}/x.txt"): f"the baseline {secret}/x.txt does not exist; "
        "`miglint check --write-baseline` makes it",
        ("check", "--write-baseline", "--baseline", f"{secret}/x.txt"): f"the baseline {secret}/x.txt cannot be read: "
        "Permission denied",
        ("check", "--output-file", f"{secret}/x.txt"): f"cannot write {secret}/x.txt: Permission denied",
    }
    for arguments, sentence in said.items():
        done = powerless(*arguments, "--no-cache", cwd=shop)
        assert (done.returncode, done.stderr.decode()) == (2, f"miglint: {sentence}\n")
    done = powerless("clean", "--cache-dir", f"{secret}/cache", cwd=shop)
    assert (done.returncode, done.stderr.decode()) == (0, f"nothing to remove: there is no {secret}/cache\n")
    done = powerless("check", "--stdin-filename", f"{secret}/shop/migrations/0001_x.py", "-", cwd=shop)
    assert b"Traceback" not in done.stderr


# Python converts no number of so many digits.
LONG = "9" * 5_000
REFUSED_BY_PYTHON = (
    'migrations.AddField("order", "of", *[models.IntegerField()][::0])',
    f'migrations.AlterField("order", "code", models.CharField(max_length={LONG}))',
    f'migrations.AlterField("order", "note", models.CharField(max_length={LONG}))',
    f'migrations.AlterField("order", "total", models.DecimalField(max_digits={LONG}, decimal_places=2))',
    f'migrations.AlterField("order", "total", models.DecimalField(max_digits=9, decimal_places={LONG}))',
    f'migrations.AddField("order", "at", models.DateTimeField(default=datetime.datetime({LONG}, 1, {LONG})))',
    *(
        f'migrations.RunSQL("ALTER TABLE shop_order ALTER COLUMN {column} TYPE {kind}")'
        for column in ("code", "note", "total")
        for kind in (f"varchar({LONG})", f"numeric({LONG}, {LONG})", f"timestamp({LONG})", f"bit({LONG})", "varchar(²)")
    ),
    f'migrations.RunSQL("ALTER TABLE shop_order MODIFY code varchar({LONG})")',
    f'migrations.RunSQL("UPDATE shop_order SET code = {LONG} WHERE total > {LONG} LIMIT {LONG}")',
)


@pytest.mark.parametrize("database", get_args(Vendor))
def test_what_python_refuses_is_no_error_of_ours(tmp_path: Path, database: Vendor) -> None:
    fields = (
        ', ("code", models.CharField(max_length=9)), ("total", models.DecimalField(max_digits=9, decimal_places=2))])'
    )
    texts = {"shop.0001_initial": migration(operations=INITIAL.removesuffix("])") + fields)}
    for number, operation in enumerate(REFUSED_BY_PYTHON):
        texts[f"shop.0002_{number}"] = migration("shop.0001_initial", operations=operation)
    texts[f"shop.0001_squashed_{'9' * 99}"] = migration(f"shop.{LONG}_gone", replaces=("shop.0001_initial",))
    root = write(tmp_path / "project", texts)
    report = Session(Options(cache=False, jobs=1, select=("ALL",), database=database), cwd=root).report([root])
    assert report.internal_errors == 0
    assert report.summary.migrations == len(texts)


# Code that is long in one direction: each `elif`, call and operator of a chain stands within the one before it.
DEEP = {
    "elif": "if n == 0:\n        pass\n" + "    elif n == 1:\n        rows.update(note='x')\n" * 190,
    "if": "".join(f"if n:\n{' ' * (5 + at)}" for at in range(80)) + "rows.update(note='x')\n",
    "calls": f"rows{'.filter(note=1)' * 120}.update(note='x')\n",
    "operators": f"rows.filter(models.Q(note=1){' | models.Q(note=1)' * 120}).update(note='x')\n",
    "comparison": f"rows.filter(note=n{' or n' * 480}).delete()\n",
    "brackets": f"rows.filter(note__in={'[' * 190}n{']' * 190}).delete()\n",
}


@pytest.mark.parametrize("body", DEEP.values(), ids=list(DEEP))
def test_code_that_is_deep_is_followed_as_far_as_python_goes(tmp_path: Path, body: str) -> None:
    code = f'def fill(apps, schema_editor):\n    n, rows = 1, apps.get_model("shop", "Order").objects\n    {body}\n\n'
    text = migration("shop.0001_initial", operations="migrations.RunPython(fill)")
    head, class_, rest = text.partition("class Migration")
    root = write(
        tmp_path / "project",
        {"shop.0001_initial": migration(operations=INITIAL), "shop.0002_fill": f"{head}{code}{class_}{rest}"},
    )
    report = Session(Options(cache=False, jobs=1, select=("ALL",)), cwd=root).report([root])
    assert report.internal_errors == 0
    assert [each.code for each in report.diagnostics if each.code == "MG901"] == []
    assert "MG501" in {each.code for each in report.diagnostics}


def _many(number: int, operation: str) -> dict[str, str]:
    operations = ", ".join(operation.format(at=at) for at in range(number))
    return {"shop.0001_initial": migration(operations=f"{INITIAL}, {operations}")}


def _branches(number: int) -> dict[str, str]:
    texts = {"shop.0001_initial": migration(operations=INITIAL)}
    for at in range(number):
        alter = f'migrations.AlterField("order", "note", models.TextField(default="{at}"))'
        texts[f"shop.0002_{at}"] = migration("shop.0001_initial", operations=alter)
    texts["shop.0003_merge"] = migration(*(f"shop.0002_{at}" for at in range(number)))
    return texts


HALF = "[migrations.RunSQL('SELECT {at}')]"
# Each took minutes, or would have for twice as many, while all of it was looked through for each part of it.
MANY = {
    "operations on nothing": _many(1_500, 'migrations.AddField("no{at}", "x", models.TextField(null=True))'),
    "pieces of code": _many(
        1_500, "migrations.RunPython(lambda apps, _: apps.get_model('shop', 'Order').objects.count())"
    ),
    "halves": _many(1_500, f"migrations.SeparateDatabaseAndState({HALF}, {HALF})"),
    "parents that are missing": {f"shop.{at:04}_x": migration(f"shop.{at:04}_y") for at in range(1_000)},
    "branches": _branches(250),
}


@pytest.mark.parametrize("texts", MANY.values(), ids=list(MANY))
def test_much_of_one_kind_takes_no_time_in_its_square(tmp_path: Path, texts: dict[str, str]) -> None:
    root = write(tmp_path / "project", texts)
    began = time.process_time()
    report = Session(Options(cache=False, jobs=1, select=("ALL",)), cwd=root).report([root])
    assert report.internal_errors == 0
    assert time.process_time() - began < 15


def test_a_standard_input_without_end_is_too_large(shop: Path) -> None:
    command = [*COMMAND, "check", "--no-cache", "--stdin-filename", "shop/migrations/0003_x.py", "-"]
    with open("/dev/zero", "rb") as endless:
        done = subprocess.run(command, cwd=shop, stdin=endless, capture_output=True, timeout=60)
    assert done.returncode == 1
    assert b"the file is larger than 4 MB" in done.stdout


def test_git_that_does_not_answer_is_not_waited_for(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "bin/git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin", prepend=os.pathsep)
    monkeypatch.setattr(git, "_PATIENCE", 0.2)
    with pytest.raises(UsageError, match=r"--since main: git does not answer: `git rev-parse .*` took 0\.2 seconds"):
        Session(Options(cache=False, since="main"), cwd=shop).report([shop])


def test_helpers_that_import_each_other_come_to_an_end(shop: Path) -> None:
    folder = shop / "shop/migrations"
    (folder / "_one.py").write_text("from ._two import operations, Base\nclass Migration(Base): ...\n")
    (folder / "_two.py").write_text("from ._one import operations, Migration as Base\n")
    (folder / "_three.py").write_text("from ._three import make\noperations = make() + operations\n")
    for name, text in (
        ("0003_one", "from ._one import Migration\n"),
        ("0004_two", ("from ._one import operations\nfrom ._two import Base\n"
         "class Migration(Base):\n    dependencies = [('shop', '0002_drop')]\n    operations = operations\n")),
        ("0005_three", ("from django.db import migrations\nfrom ._three import operations, make\n"
         "class Migration(migrations.Migration):\n    operations = make() + operations\n")),
        ("0006_self", "from .0006_self import *\nfrom . import *\n" + migration("shop.0002_drop")),
        ("0007_self", ("from django.db import migrations\noperations = [*operations, operations]\n"
         "class Migration(Migration):\n    operations = [*operations]\n    operations += operations\n")),
    ):  # fmt: skip
        (folder / f"{name}.py").write_text(text)
    found = check(shop)
    assert DROPPED in found
    assert {path for code, path in found if code in ("MG901", "MG902")} >= {
        f"shop/migrations/{name}.py" for name in ("0004_two", "0005_three", "0006_self", "0007_self")
    }


def test_operations_that_add_the_same_again_and_again_are_undone_one_by_one(tmp_path: Path) -> None:
    add = 'migrations.AddIndex("order", models.Index(fields=["id"], name="order_idx")), '
    index = migration("shop.0001_initial", operations=add * 300)
    write(tmp_path, {"shop.0001_initial": migration(operations=INITIAL), "shop.0002_index": index})
    began = time.process_time()
    # Who looks for what each of them added by comparing all with all takes minutes.
    answer = run("inspect", f"{tmp_path}/shop/migrations/0002_index.py", "--output-format", "json", "--no-cache")
    assert len(json.loads(answer.out)["operations"]) == 300
    assert time.process_time() - began < 20


STARS = """\
from django.db import migrations, models
from shop.models import *
import shop.b


def forwards(apps, schema_editor):
    Thing.objects.all()
    shop.b.other(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.AddField("order", "x", Fancy()),
        migrations.AddField("order", "y", shop.b.No()),
        Operation("x"),
        migrations.RunPython(forwards, shop.a.undo),
        *OPERATIONS,
    ]
"""


def test_modules_that_import_all_of_each_other_are_gone_through_once(shop: Path) -> None:
    stars = "".join(f"from shop.{other} import *\n" for other in "abcd") * 6
    for name in ("a", "b", "c", "d", "models"):
        twins = f"class Fancy{'s' * (name != 'd')}(Fancy, Fancier, Plain, Fancy, Plainer): pass\n"
        (shop / "shop" / f"{name}.py").write_text(stars + twins)
    (shop / "shop/migrations/0002_stars.py").write_text(STARS)
    # Whoever asks each module as often as it is imported does not see the end of this.
    found = Session(Options(cache=False, jobs=1, select=("ALL",)), cwd=shop).report([shop]).diagnostics
    assert {"MG503", "MG902"} <= {each.code for each in found if (each.path or "").endswith("0002_stars.py")}


def test_settings_that_import_each_other_come_to_an_end(shop: Path) -> None:
    (shop / "manage.py").write_text("import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.one')\n")
    (shop / "config").mkdir()
    (shop / "config/one.py").write_text(
        "from .two import *\nfrom .one import *\nINSTALLED_APPS = INSTALLED_APPS + ['x']\n"
    )
    (shop / "config/two.py").write_text("from .one import *\nINSTALLED_APPS = [*INSTALLED_APPS]\n")
    assert check(shop) == [DROPPED]


@pytest.mark.parametrize(
    "settings",
    [
        "INSTALLED_APPS = [*INSTALLED_APPS]",
        "A0 = ['x']\n" + "".join(f"A{n + 1} = [*A{n}, *A{n}]\n" for n in range(60)) + "INSTALLED_APPS = A60",
        "A0 = ['x']\n" + "".join(f"A{n + 1} = A{n} if x() else A{n}\n" for n in range(60)) + "INSTALLED_APPS = A60",
        "E0 = 'a.b'\n"
        + "".join(f"E{n + 1} = E{n} if x() else E{n}\n" for n in range(60))
        + "DATABASES = {'default': {'ENGINE': E60}}",
    ],
)
def test_settings_that_hold_each_other_come_to_an_end(shop: Path, settings: str) -> None:
    (shop / "manage.py").write_text("import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config')\n")
    (shop / "config.py").write_text(f"{settings}\n")
    assert check(shop) == [DROPPED]


# -- names --------------------------------------------------------------------------------------------

NAMES = ["x\x1b[31mred", "a\nb", "\x9b2J", "te\rst", "::error::x", "\u202egnp", "<b>&\"'`|", "caf\udce9", " ", "%0A"]


@pytest.mark.parametrize("name", NAMES)
def test_names_take_no_terminal_over(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = name.encode("unicode_escape").decode().replace("'", "\\'").replace('"', '\\"')
    texts = {
        f"{name}.0001_initial": migration(
            operations=INITIAL.replace("Order", f"Order{inside}").replace("note", inside)
        ),
        f"{name}.0002_{name}": migration(
            operations=f"migrations.RemoveField('Order{inside}', '{inside}'), migrations.RunSQL('DROP TABLE {inside}'),"
            f" migrations.AddIndex('Order{inside}', models.Index(fields=['{inside}'], name='{inside}'))"
        ).replace("dependencies = []", f"dependencies = [('{inside}', '0001_initial'), ('no', '{inside}')]"),
    }
    root = write(tmp_path / "project", texts)
    monkeypatch.chdir(root)
    commands = [
        ["check", "--select", "ALL", "--output-format", "json"],
        ["check", "--select", "ALL", "-v"],
        ["graph"],
        ["graph", "--output-format", "dot"],
        ["plan"],
        ["state"],
        ["inspect", f"./{name}/migrations/0002_{name}.py"],
    ]
    for command in commands:
        done = run(*command, "--no-cache")
        assert done.code in (0, 1), (command, done.err)
        assert CONTROL.findall(done.out + done.err) == [], command
        assert "MG999" not in done.out
    missing = run("check", f"no{name}")
    assert missing.code == 2
    assert CONTROL.findall(missing.err) == []


def on_a_terminal(*arguments: str, cwd: Path, **environment: str) -> bytes:
    """What a command writes on a terminal."""
    main, side = pty.openpty()
    process = subprocess.Popen([*COMMAND, *arguments], cwd=cwd, env=os.environ | environment, stdout=side, stderr=side)
    os.close(side)
    shown = b""
    while True:
        try:
            read = os.read(main, 65_536)
        except OSError:  # Linux says EIO when the other side is closed
            break
        if not read:
            break
        shown += read
    os.close(main)
    assert process.wait() in (0, 1)
    return shown


@pytest.mark.parametrize("command", [["check"], ["explain", "MG201"], ["graph"], ["state"], ["plan"], ["rules"]])
def test_a_terminal_that_shows_only_ascii_gets_ascii(tmp_path: Path, command: list[str]) -> None:
    texts = {
        "sh\u00f6p.0001_initial": migration(operations=INITIAL.replace("note", "\u540d")),
        "sh\u00f6p.0002_drop": migration("sh\u00f6p.0001_initial", operations=DROP.replace("note", "\u540d")),
    }
    root = write(tmp_path, texts)
    shown = on_a_terminal(*command, cwd=root, PYTHONIOENCODING="ascii", LC_ALL="C", NO_COLOR="1", TERM="xterm")
    assert shown
    assert shown.isascii()


# -- streams ------------------------------------------------------------------------------------------


def shell(command: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """A line of a shell, in which `miglint` is this one."""
    miglint = " ".join(f"'{word}'" for word in COMMAND)
    line = f"set -o pipefail; {command.replace('miglint', miglint)}"
    return subprocess.run(["bash", "-c", line], cwd=cwd, capture_output=True, timeout=60)


def test_a_reader_who_has_seen_enough_changes_no_exit_code(shop: Path) -> None:
    for number in range(3, 200):  # more than a pipe holds
        text = migration(f"shop.{number - 1:04}_drop", operations='migrations.RunSQL("DROP TABLE a")')
        (shop / f"shop/migrations/{number:04}_drop.py").write_text(text)
    done = shell("miglint check | head -1", shop)
    assert (done.returncode, done.stdout.count(b"\n")) == (1, 1)
    assert b"Error" not in done.stderr
    assert shell("miglint check --exit-zero 2>&1 | head -1", shop).returncode == 0
    assert shell("miglint graph | true", shop).stderr == b""
    assert shell("miglint check --select MG9 2>&1 | head -1", shop).returncode == 0


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_done_without(shop: Path, closed: str) -> None:
    done = shell(f"miglint check --output-format json --output-file report.json {closed}", shop)
    assert done.returncode == 1
    assert json.loads((shop / "report.json").read_text())["version"] == 1
    assert shell(f"miglint check {closed}", shop).returncode == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_under_stdout_is_said(shop: Path) -> None:
    done = shell("miglint check -q > /dev/full", shop)
    assert (done.returncode, done.stderr) == (2, b"miglint: cannot write to stdout: No space left on device\n")


def test_a_report_can_go_to_a_device(shop: Path) -> None:
    done = shell("miglint check --output-format json --output-file /dev/stdout | cat", shop)
    assert json.loads(done.stdout)["version"] == 1
    assert shell("miglint check --output-file /dev/null", shop).returncode == 1


def test_a_working_directory_that_is_gone_is_said(tmp_path: Path) -> None:
    done = shell("mkdir gone; cd gone; rmdir ../gone; miglint check", tmp_path)
    assert (done.returncode, done.stderr) == (2, b"miglint: the working directory is no longer there\n")


# -- what is written ----------------------------------------------------------------------------------


def _small_files() -> None:
    """No file may grow over four kilobytes: as on a full disk, the rest of a write fails."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, 4_096))


def test_a_full_disk_loses_neither_an_old_report_nor_the_cache(tmp_path: Path) -> None:
    root = large(tmp_path, 20, 1)
    (root / "shop/migrations/0020_drop.py").write_text(migration("shop.0019_step", operations=DROP))
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}

    def checked(*arguments: str, full: bool) -> subprocess.CompletedProcess[bytes]:
        command = [*COMMAND, "check", "--select", "ALL", *arguments]
        return subprocess.run(
            command, cwd=root, env=environment, capture_output=True, preexec_fn=_small_files if full else None
        )

    expected = checked("--output-format", "json", "--no-cache", full=False).stdout
    assert len(expected) > 4_096
    assert checked("--output-format", "json", full=True).stdout == expected
    assert not (root / ".miglint_cache/facts.bin").exists()
    (root / "report.json").write_text("old")
    done = checked("--output-format", "json", "--output-file", "report.json", "-q", full=True)
    assert (done.returncode, done.stderr) == (2, b"miglint: cannot write report.json: File too large\n")
    assert (root / "report.json").read_text() == "old"
    assert checked("--output-format", "json", full=False).stdout == expected
    kept = (root / ".miglint_cache/facts.bin").read_bytes()
    (root / "shop/migrations/0021_more.py").write_text(migration("shop.0020_drop"))
    assert checked(full=True).returncode == 1
    assert (root / ".miglint_cache/facts.bin").read_bytes() == kept
    assert list(root.rglob("*.tmp")) == []


@pytest.mark.parametrize("directory", ["miglint.toml/cache", "/proc/miglint", "/dev/null/cache"])
def test_a_cache_that_cannot_be_written_is_done_without(shop: Path, directory: str) -> None:
    (shop / "miglint.toml").write_text("")
    done = miglint("check", "--select", "MG201", "--output-format", "json", "--cache-dir", directory, cwd=shop)
    assert codes(done) == [DROPPED]
    assert done.stderr == b""


def test_runs_at_once_agree_and_leave_a_whole_cache(tmp_path: Path) -> None:
    root = large(tmp_path, 45, 1)
    command = [*COMMAND, "check", "--output-format", "json", "--select", "ALL"]
    runs = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    outputs = {run.communicate() for run in runs}
    assert len(outputs) == 1
    assert miglint(*command[3:], cwd=root).stdout == next(iter(outputs))[0]
    names = {path.name.partition("-")[0] for path in (root / ".miglint_cache").iterdir()}
    assert names == {"facts.bin", "verdict", "report", ".gitignore"}


def test_files_that_change_while_they_are_read_are_read_one_way_or_the_other(shop: Path) -> None:
    file = shop / "shop/migrations/0002_drop.py"
    texts = [file.read_text(), "class Migration(:", "", None]
    whole = {code for code, _ in codes(miglint("check", "--output-format", "json", cwd=shop))}
    assert "MG201" in whole
    process = subprocess.Popen(
        [sys.executable, "-c", (f"import os, pathlib\nfile = pathlib.Path({str(file)!r})\nwhile True:\n"
         f"    for text in {texts!r}:\n"
         "        file.unlink(missing_ok=True) if text is None else file.write_text(text)\n")],
    )  # fmt: skip
    try:
        for _ in range(6):
            done = miglint("check", "--output-format", "json", cwd=shop)
            assert {code for code, _ in codes(done)} <= whole | {"MG104", "MG105", "MG901"}
    finally:
        process.kill()
        process.wait()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "report"
    file.write_text("old")
    file.chmod(0o640)
    (tmp_path / "link").symlink_to(file)
    write_whole(tmp_path / "link", [b"new"])
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o640)
    assert (tmp_path / "link").is_symlink()

    def ended(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", ended)
    with pytest.raises(KeyboardInterrupt):
        write_whole(file, [b"newer"])
    assert file.read_text() == "new"

    def refused(*arguments: object) -> None:
        raise OSError(errno.EBUSY, "as of a file that is mounted")

    monkeypatch.setattr(os, "replace", refused)
    write_whole(file, [b"newest"])
    assert file.read_text() == "newest"
    write_whole(file, (part for part in (b"made ", b"once")))
    assert file.read_text() == "made once"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "report"]


# -- signals ------------------------------------------------------------------------------------------


def children(of: int) -> list[int]:
    """The processes that a process has started."""
    try:
        found = Path(f"/proc/{of}/task/{of}/children").read_text().split()
    except OSError:
        return []
    return [int(number) for number in found]


def until(holds: Callable[[], Any], seconds: float = 30) -> Any:
    """What a function gives once that is true."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.01)
    return found


def is_running(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_the_run_and_its_workers_and_leaves_nothing_half_written(tmp_path: Path, number: int) -> None:
    root = large(tmp_path, 400, 40)
    (root / "report.json").write_text("old")
    process = subprocess.Popen(
        [*COMMAND, "check", "--jobs", "2", "--output-format", "json", "--output-file", "report.json"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    workers = until(lambda: found if len(found := children(process.pid)) == 2 else None)
    time.sleep(0.3)  # they are reading
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == -number
    assert (out, err) == (b"", b"")
    until(lambda: not any(map(is_running, workers)))
    assert (root / "report.json").read_text() == "old"
    assert not (root / ".miglint_cache/facts.bin").exists()
    assert list(root.rglob("*.tmp")) == []


def test_a_signal_that_is_ignored_stays_ignored(shop: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ("import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
         "import miglint.cli as c, miglint.cli.common as common\n"
         "real = common.write\n"
         "import miglint.cli.check as check\n"
         "check.write = lambda *given: (os.kill(os.getpid(), signal.SIGINT), real(*given))\n"
         "sys.argv = ['miglint', 'check', '-q']; c.main()")],
        cwd=shop, capture_output=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, b"")


def test_an_error_of_ours_is_told_from_findings(shop: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ("import sys, miglint.load as s, miglint.cli as c\n"
         "def broken(*given, **more): raise RuntimeError('a\\x1b[31mb')\n"
         "s.interpret = broken; sys.argv = ['miglint', 'check']; c.main()")],
        cwd=shop, capture_output=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, b"")
    *trace, last = done.stderr.decode().splitlines()
    assert trace[0].startswith("Traceback")
    assert trace[-1] == r"RuntimeError: a\x1b[31mb"
    assert last.startswith("miglint: this is an error in miglint, not in your migrations")
