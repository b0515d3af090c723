"""Where Django's settings are found: what a project's own `manage.py` names, on top of the project or below."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from commands import migration, run, write

SETTINGS = """\
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.mysql"}}
"""
INITIAL = {"shop.0001_initial": migration()}


def told(root: Path, *arguments: str) -> dict[str, Any]:
    """The settings in force, as JSON."""
    done = run("check", "--show-settings", "--output-format", "json", "--isolated", *arguments, cwd=root)
    assert done.returncode == 0, done.stderr
    (project,) = json.loads(done.stdout)["projects"]
    found: dict[str, Any] = project["settings"]
    return found


def database(root: Path) -> dict[str, str]:
    done = run("check", "--output-format", "json", "--exit-zero", cwd=root)
    found: dict[str, str] = json.loads(done.stdout)["summary"]["database"]
    return found


@pytest.mark.parametrize("below", ["", "website", "apps/api"])
def test_they_are_those_that_the_manage_py_names_wherever_it_stands(tmp_path: Path, below: str) -> None:
    write(tmp_path / below, INITIAL, SETTINGS)
    (tmp_path / ".git").mkdir()
    assert (database(tmp_path)["name"], database(tmp_path)["source"]) == ("mysql", "settings-file")
    assert told(tmp_path)["settings-file"] == f"{below}/config.py".lstrip("/")


def test_one_of_several_is_not_taken_and_those_of_tests_do_not_count(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path / "tests" / "site", INITIAL, SETTINGS.replace("mysql", "sqlite3"))
    assert told(tmp_path)["settings-file"] is None
    write(tmp_path / "site", {}, SETTINGS)
    assert told(tmp_path)["settings-file"] == "site/config.py"
    write(tmp_path / "other", {}, SETTINGS)
    assert told(tmp_path)["settings-file"] is None
    assert database(tmp_path)["source"] == "default"


def test_where_the_root_has_a_manage_py_none_below_is_asked(tmp_path: Path) -> None:
    write(tmp_path, INITIAL, SETTINGS)
    write(tmp_path / "example", {}, SETTINGS.replace("mysql", "sqlite3"))
    assert database(tmp_path)["name"] == "mysql"


def test_settings_below_say_where_migrations_are_and_which_apps_are_installed(tmp_path: Path) -> None:
    """The apps are found from where the settings import them, not from the top of the repository."""
    (tmp_path / ".git").mkdir()
    moved = 'INSTALLED_APPS = ["shop", "plain"]\nMIGRATION_MODULES = {"shop": "history.of_shop"}\n'
    site = write(tmp_path / "website", INITIAL, moved)
    for folder in ("history/of_shop", "history", "plain"):
        (site / folder).mkdir(parents=True, exist_ok=True)
        (site / folder / "__init__.py").touch()
    (site / "shop/migrations/0001_initial.py").rename(site / "history/of_shop/start.py")
    done = run("plan", "--output-format", "json", cwd=tmp_path)
    assert json.loads(done.stdout) == {"version": 1, "exact": True, "plan": [["shop", "start"]]}


def test_a_stated_file_counts_before_any_other(tmp_path: Path) -> None:
    write(tmp_path, INITIAL, SETTINGS)
    (tmp_path / "other.py").write_text(SETTINGS.replace("mysql", "postgresql"))
    (tmp_path / "miglint.toml").write_text('settings-file = "other.py"\n')
    assert database(tmp_path)["name"] == "postgresql"


def test_a_settings_file_of_miglint_that_lies_elsewhere_is_of_the_project_that_is_asked_for(tmp_path: Path) -> None:
    site = write(tmp_path / "site", INITIAL, SETTINGS)
    (tmp_path / "shared").mkdir()
    for folder in ("shared", "."):
        (tmp_path / folder / "given.toml").write_text('django-version = "4.2"\n')
        done = run("check", "--config", f"../{folder}/given.toml", "--output-format", "json", cwd=site)
        summary = json.loads(done.stdout)["summary"]
        assert (summary["migrations"], summary["django"]["version"]) == (1, "4.2")


def codes(root: Path) -> list[str]:
    done = run("check", "--select", "MG114", "--output-format", "json", "--exit-zero", cwd=root)
    return [each["code"] for each in json.loads(done.stdout)["diagnostics"]]


def test_an_app_that_stands_for_another_in_tests_is_no_duplicate_where_the_other_is_installed(tmp_path: Path) -> None:
    write(tmp_path, {"oscar.0001_initial": migration()}, 'INSTALLED_APPS = ["oscar.apps.OscarConfig"]\n')
    write(tmp_path / "forks", {"oscar.0001_initial": migration()})
    (tmp_path / "forks" / "manage.py").unlink()
    assert codes(tmp_path) == []
    (tmp_path / "config.py").write_text('INSTALLED_APPS = ["oscar", "forks.oscar"]\n')
    assert codes(tmp_path) == ["MG114"]
    (tmp_path / "config.py").write_text("INSTALLED_APPS = found()\n")
    assert codes(tmp_path) == ["MG114"]


@pytest.mark.parametrize("doubt", ["", "0001_gone.py"])
def test_an_empty_package_of_migrations_changes_no_order(doubt: str, tmp_path: Path) -> None:
    """And an entry means the app of its path before another that is only called the same."""
    apps = 'INSTALLED_APPS = ["front", "images", "wagtail.images"]\n'
    write(tmp_path, {"images.0001_initial": migration()}, apps)
    write(tmp_path / "wagtail", {"images.0001_initial": migration()})
    (tmp_path / "wagtail" / "images" / "apps.py").write_text(
        "from django.apps import AppConfig\nclass C(AppConfig):\n"
        '    name = "wagtail.images"\n    label = "wagtailimages"\n'
    )
    (tmp_path / "wagtail" / "manage.py").unlink()
    (tmp_path / "front" / "migrations").mkdir(parents=True)
    for folder in ("front", "front/migrations"):
        (tmp_path / folder / "__init__.py").touch()
    if doubt:
        (tmp_path / "front" / "migrations" / doubt).write_text("(")
        (tmp_path / "miglint.toml").write_text('exclude = ["front"]\n')
    done = run("plan", "--output-format", "json", cwd=tmp_path)
    assert json.loads(done.stdout)["exact"] is (not doubt)


def test_a_package_below_src_is_found_as_its_tests_import_it(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "src" / "oscar").mkdir(parents=True)
    (tmp_path / "src" / "oscar" / "defaults.py").write_text('DATABASES = {"default": {"ENGINE": "x.mysql"}}\n')
    write(tmp_path / "sandbox", INITIAL, "from oscar.defaults import *\n")
    assert database(tmp_path)["name"] == "mysql"


ENGINE = """from django.db import connection, migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    engine = connection.settings_dict["ENGINE"]
    if "sqlite3" in engine:
        operations = [migrations.RunSQL("SELECT 1", "")]
    elif connection.vendor == "postgresql" and "postgresql" in engine:
        operations = [migrations.RunSQL("SELECT 2", "")]
    else:
        operations = [migrations.RunSQL("SELECT 3", "")]
"""


def unread(root: Path, *arguments: str) -> list[str]:
    """The help of each MG902."""
    done = run("check", "--select", "MG902", "--output-format", "json", "--exit-zero", *arguments, cwd=root)
    return [each["help"] for each in json.loads(done.stdout)["diagnostics"]]


def test_a_database_that_is_stated_tells_its_engine(tmp_path: Path) -> None:
    write(tmp_path, INITIAL | {"shop.0002_b": ENGINE}, 'import os\nINSTALLED_APPS = ["shop"]\nDATABASES = os.environ\n')
    (told,) = unread(tmp_path)
    assert told.endswith("until the setting `database` says which database is in use.")
    for name in ("postgresql", "mysql", "mariadb", "sqlite"):
        assert unread(tmp_path, "--database", name) == []


def test_a_spatial_engine_has_another_name(tmp_path: Path) -> None:
    """`postgis` is no `postgresql`: where it may be either, it is not known which way the condition goes."""
    write(tmp_path, INITIAL | {"shop.0002_b": ENGINE}, 'INSTALLED_APPS = ["shop", "django.contrib.gis"]\n')
    assert [each.endswith("which database is in use.") for each in unread(tmp_path, "--database", "postgresql")] == [
        False
    ]
    assert unread(tmp_path, "--database", "mysql") == []


def test_a_condition_on_something_else_is_not_told_by_the_database(tmp_path: Path) -> None:
    text = ENGINE.replace('"sqlite3" in engine', 'open("which").read()')
    write(tmp_path, INITIAL | {"shop.0002_b": text}, 'import os\nINSTALLED_APPS = ["shop"]\nDATABASES = os.environ\n')
    (told,) = unread(tmp_path)
    assert "`database`" not in told
