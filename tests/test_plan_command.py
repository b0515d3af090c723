"""`miglint plan`: the order is Django's, and where it says that it is exact, it is."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import forked
from commands import migration, run, write

SHOP = {
    "shop.0001_initial": migration("AUTH_USER_MODEL"),
    "shop.0002_a": migration("shop.0001_initial", "bill.0001_initial"),
    "shop.0002_b": migration("shop.0001_initial"),
    "shop.0003_merge": migration("shop.0002_a", "shop.0002_b"),
    "bill.0001_initial": migration("sites.0002_alter_domain_unique"),
    "people.0001_initial": migration("auth.0012_alter_user_first_name_max_length"),
}
# The last is an app of the project without migrations.
APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig", "django.contrib.auth", "django.contrib.contenttypes",
    "django.contrib.sessions", "django.contrib.sites", "django.contrib.staticfiles", "shop", "bill", "people", "plain",
]  # fmt: skip


USER = """from django.contrib.auth.models import AbstractBaseUser
from django.db import models


class User(AbstractBaseUser):
    name = models.TextField(unique=True)
    USERNAME_FIELD = "name"
"""


def settings(apps: list[str], user: str = "people.User") -> str:
    base = f"INSTALLED_APPS = {apps[:3]!r}\n"
    return f"{base}INSTALLED_APPS += {apps[3:]!r}\nAUTH_USER_MODEL = {user!r}\n"


def project(root: Path, migrations: dict[str, str], text: str) -> Path:
    write(root, migrations, text)
    (root / "people" / "models.py").write_text(USER)
    (root / "plain").mkdir()
    (root / "plain" / "__init__.py").touch()
    return root


def planned(root: Path, *arguments: object) -> list[str]:
    done = run("plan", "--output-format", "json", *arguments, cwd=root)
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["exact"] is True
    return [".".join(pair) for pair in document["plan"]]


# -- Django's view ------------------------------------------------------------------------------------

DJANGO = """
import json, sys
sys.path.insert(0, sys.argv[1])
import config
from django.conf import settings

given = {name: getattr(config, name) for name in dir(config) if name.isupper()}
settings.configure(**given, DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
import django
django.setup()
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

executor = MigrationExecutor(connection)
targets = [tuple(pair) for pair in json.loads(sys.argv[2])] or executor.loader.graph.leaf_nodes()
plan = [[each.app_label, each.name] for each, _ in executor.migration_plan(targets)]
print(json.dumps(plan))
"""


def of_django(root: Path, *targets: list[str]) -> list[str]:
    """Django's own plan on an empty database, its own apps left out."""
    done = forked.run(DJANGO, str(root), json.dumps(targets), imported=forked.DJANGO, cwd=root)
    assert done.returncode == 0, done.stderr
    return [f"{app}.{name}" for app, name in json.loads(done.stdout) if (root / app).is_dir()]


def test_the_plan_is_that_of_django(tmp_path: Path) -> None:
    root = project(tmp_path, SHOP, settings(APPS))
    found = planned(root)
    assert found == of_django(root)
    assert found[0] == "people.0001_initial"  # which the admin brings


def test_without_the_admin_the_order_is_another_one(tmp_path: Path) -> None:
    root = project(tmp_path, SHOP, settings(APPS[1:]))
    found = planned(root)
    assert found == of_django(root)
    assert found[0] == "bill.0001_initial"


def test_a_target_brings_what_it_needs(tmp_path: Path) -> None:
    root = project(tmp_path, SHOP, settings(APPS))
    expected = of_django(root, ["shop", "0002_a"])
    assert planned(root, "--to", "shop.0002_a") == expected
    assert planned(root, "--app", "shop", "--to", "0002_a") == expected
    assert len(expected) == 4


def test_an_app_brings_what_it_needs(tmp_path: Path) -> None:
    root = project(tmp_path, SHOP, settings(APPS))
    assert planned(root, "--app", "bill") == of_django(root, ["bill", "0001_initial"]) == ["bill.0001_initial"]
    assert planned(root, "--app", "shop") == of_django(root, ["shop", "0003_merge"])


def some(seed: int) -> dict[str, str]:
    """A history of three apps with edges between them, to Django's apps, to the user and to an app without any."""
    pick = random.Random(seed)
    outside = ["AUTH_USER_MODEL", "auth.__first__", "contenttypes.__latest__", "sites.0001_initial", "plain.__first__"]
    found: dict[str, str] = {}
    for number in range(1, pick.randint(3, 6)):
        for app in pick.sample(["shop", "bill", "people"], 3):
            own = [key for key in found if key.startswith(app)]
            others = [key for key in found if not key.startswith(app)]
            needs = own[-1:] + pick.sample(others, min(len(others), pick.randint(0, 2)))
            allowed = outside if app != "people" else outside[1:]
            found[f"{app}.{number:04}_{app}"] = migration(*needs, *pick.sample(allowed, pick.randint(0, 2)))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_random_histories_are_planned_as_django_does(seed: int, tmp_path: Path) -> None:
    pick = random.Random(seed)
    # The user's model makes the admin, and whatever needs the user, come after the app that has it.
    root = project(tmp_path, some(seed), settings(pick.sample(APPS, len(APPS)), "auth.User"))
    assert planned(root) == of_django(root)


# -- what is said -------------------------------------------------------------------------------------


def test_the_text_is_numbered_and_says_that_it_is_exact(tmp_path: Path) -> None:
    root = project(
        tmp_path, {"shop.0001_initial": migration(), "people.0001_initial": migration()}, settings(APPS[-4:])
    )
    (root / "bill").mkdir()
    (root / "bill" / "__init__.py").touch()
    assert run("plan", cwd=root).stdout == (
        "1  people  0001_initial\n2  shop    0001_initial\n\n2 migrations, exactly in Django's order.\n"
    )


@pytest.mark.parametrize(
    "text, doubt",
    [
        (None, "INSTALLED_APPS is not known, and apps outside of the project can change it"),
        (settings([*APPS, "taggit"]), "taggit of INSTALLED_APPS could not be read, and may have migrations"),
        (settings([*APPS[:6], "shop", "people"]), "bill cannot be found in INSTALLED_APPS"),
        (
            settings([*APPS[:6], "shop", "people"]) + "\nif BILL:\n    INSTALLED_APPS += ['bill']\n",
            "a condition decides whether INSTALLED_APPS holds bill",
        ),
        (settings(APPS) + "AUTH_USER_MODEL = choose()\n", "the value of AUTH_USER_MODEL is not known"),
    ],
)
def test_what_may_change_the_order_is_said(text: str | None, doubt: str, tmp_path: Path) -> None:
    root = write(tmp_path, SHOP, text)
    done = run("plan", cwd=root)
    assert "Django's order may differ:\n" in done.stdout
    assert doubt in done.stdout
    assert json.loads(run("plan", "--output-format", "json", cwd=root).stdout)["exact"] is False


def test_a_graph_that_django_refuses_is_not_exact(tmp_path: Path) -> None:
    root = project(tmp_path, {**SHOP, "bill.0002": migration("bill.0009")}, settings(APPS))
    assert "Django refuses this graph: Migration bill.0002" in run("plan", cwd=root).stdout


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--to", "shop"], "'shop' names no migration: write app.name, such as billing.0003"),
        (["--to", "shop.0002"], "'shop.0002' may be shop.0002_a or shop.0002_b: write more of it"),
        (["--to", "shop.0003_marge"], "the app 'shop' has no migration '0003_marge'; did you mean shop.0003_merge?"),
        (["--to", "shpo.0001"], "there is no app 'shpo' with migrations here; did you mean shop?"),
        (["--app", "bil"], "there is no app 'bil' with migrations here; did you mean bill?"),
        (["--app", "bill", "--to", "shop.0001"], "--to names one migration: of the app that --app names, if both"),
    ],
)
def test_a_wrong_name_is_an_error_in_a_sentence(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = run("plan", *arguments, cwd=write(tmp_path, SHOP))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"miglint: {message}")


def test_a_replaced_migration_names_its_squash(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.0001": migration(), "a.0001_squashed": migration(replaces=("a.0001",))})
    assert run("plan", "--to", "a.0001", cwd=root).stderr == (
        "miglint: a.0001 is replaced by a.0001_squashed: Django applies that in its place\n"
    )


# -- the environment ----------------------------------------------------------------------------------


def installed(root: Path) -> Path:
    """A virtual environment with an app of another name than its folder, and one without migrations."""
    packages = root / "env" / "lib" / "python3.11" / "site-packages"
    write(packages / "tags", {"core.0001_initial": migration(), "core.0002_more": migration("tagging.0001_initial")})
    for folder in (packages / "tags", packages / "silent"):
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
    (packages / "tags" / "core" / "apps.py").write_text(
        "from django.apps import AppConfig\n\n\n"
        'class CoreConfig(AppConfig):\n    name = "tags.core"\n    label = "tagging"\n'
    )
    return packages


def test_apps_of_the_environment_are_walked_and_not_listed(tmp_path: Path) -> None:
    history = {"bill.0001_initial": migration("tagging.0002_more"), "shop.0001_initial": migration("silent.__first__")}
    root = write(tmp_path, history, f"INSTALLED_APPS = {['bill', 'shop', 'tags.core.apps.CoreConfig', 'silent']!r}\n")
    installed(root)
    assert "tags.core.apps.CoreConfig and silent of INSTALLED_APPS could not be read" in run("plan", cwd=root).stdout
    (root / "miglint.toml").write_text('environment = "env"\n')
    assert planned(root) == ["bill.0001_initial", "shop.0001_initial"]
    graph = json.loads(run("graph", "--output-format", "json", cwd=root).stdout)
    assert graph["external"] == []
    assert [app["label"] for app in graph["apps"]] == ["bill", "shop"]


def test_what_the_environment_lacks_is_refused(tmp_path: Path) -> None:
    history = {"bill.0001_initial": migration("tagging.0009_gone")}
    root = write(tmp_path, history, f"INSTALLED_APPS = {['bill', 'tags.core.apps.CoreConfig']!r}\n")
    installed(root)
    (root / "miglint.toml").write_text('environment = "env"\n')
    (problem,) = json.loads(run("graph", "--output-format", "json", cwd=root).stdout)["problems"]
    assert (problem["kind"], problem["app"]) == ("missing-parent", "bill")
