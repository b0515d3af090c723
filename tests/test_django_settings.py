"""What is read out of a Django settings file without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from miglint.modules import Modules
from miglint.project.django_settings import DjangoSettings, read_django_settings
from miglint.syntax.facts import Items, Literal, Opaque
from miglint.syntax.reader import read

POSTGRESQL = 'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql"}}\n'


def settings(text: str) -> DjangoSettings:
    return read_django_settings(read(text))


def test_nothing_is_known_of_an_empty_file() -> None:
    assert settings("") == DjangoSettings()


def test_a_file_that_cannot_be_parsed_says_nothing() -> None:
    assert settings("AUTH_USER_MODEL = (\n") == DjangoSettings()


@pytest.mark.parametrize(
    "text, expected",
    [
        ('AUTH_USER_MODEL = "accounts.User"\n', {"AUTH_USER_MODEL": "accounts.User"}),
        ('APP = "accounts"\nAUTH_USER_MODEL = APP + ".User"\n', {"AUTH_USER_MODEL": "accounts.User"}),
        ('OAUTH2_PROVIDER_APPLICATION_MODEL = "auth2.application"\n',
         {"OAUTH2_PROVIDER_APPLICATION_MODEL": "auth2.application"}),
        ('SHOP_ORDER = "shop.Order"\n', {"SHOP_ORDER": "shop.Order"}),
        ('ROOT_URLCONF = "config.urls"\n', {}),
        ('WSGI_APPLICATION = "config.wsgi.application"\n', {}),
        ('LANGUAGE_CODE = "en"\n', {}),
        ('user_model = "a.B"\n', {}),
        ('import os\nAUTH_USER_MODEL = os.environ["USER_MODEL"]\n', {}),
        ('if X:\n    AUTH_USER_MODEL = "a.B"\nelse:\n    AUTH_USER_MODEL = "a.C"\n', {}),
        ('if X:\n    AUTH_USER_MODEL = "a.B"\n', {}),
    ],
)  # fmt: skip
def test_swappable_settings_are_those_that_name_a_model(text: str, expected: dict[str, str]) -> None:
    assert settings(text).swappable == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("INSTALLED_APPS = []\n", {"AUTH_USER_MODEL": "auth.User"}),
        ("DEBUG = True\n", {}),
        ("from .unread import *\nINSTALLED_APPS = []\n", {}),
        ("import os\nINSTALLED_APPS = []\nAUTH_USER_MODEL = os.environ['M']\n", {}),
    ],
    ids=["nothing said", "no settings of a project", "more settings elsewhere", "said, but not readable"],
)
def test_the_user_model_is_djangos_own_where_nothing_else_can_be_said(text: str, expected: dict[str, str]) -> None:
    assert settings(text).swappable == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ('INSTALLED_APPS = ["a", "b.apps.BConfig"]\n', ("a", "b.apps.BConfig")),
        ('INSTALLED_APPS = ("a",)\n', ("a",)),
        ('A = ["a"]\nB = ["b"]\nINSTALLED_APPS = A + B\n', ("a", "b")),
        ('A = ["a"]\nINSTALLED_APPS = [*A, "b"]\nINSTALLED_APPS += ["c"]\n', ("a", "b", "c")),
        ('INSTALLED_APPS = ["a"]\nINSTALLED_APPS.append("b")\n', ("a", "b")),
        ('INSTALLED_APPS = []\n', ()),
        ('INSTALLED_APPS = ["a", name]\n', None),
        ('INSTALLED_APPS = ["a"] + found()\n', None),
        ('INSTALLED_APPS = ["a"]\nINSTALLED_APPS.remove("a")\n', None),
        ('from .base import *\nINSTALLED_APPS += ["b"]\n', None),
    ],
)  # fmt: skip
def test_installed_apps_are_known_where_every_part_is(text: str, expected: tuple[str, ...] | None) -> None:
    assert settings(text).installed_apps == expected


def test_migration_modules_are_read_and_what_cannot_be_read_is_left_out() -> None:
    text = 'MIGRATION_MODULES = {"a": "moved.a", "b": None, "c": computed(), **more}\n'
    assert settings(text).migration_modules == {"a": "moved.a", "b": None}


def test_migration_modules_that_are_no_dictionary_say_nothing() -> None:
    assert settings("MIGRATION_MODULES = DisableMigrations()\n").migration_modules == {}


@pytest.mark.parametrize(
    "engine, expected",
    [
        ("django.db.backends.postgresql", "postgresql"),
        ("django.contrib.gis.db.backends.postgis", "postgresql"),
        ("django_prometheus.db.backends.postgresql", "postgresql"),
        ("django_tenants.postgresql_backend", "postgresql"),
        ("django.db.backends.mysql", "mysql"),
        ("django.db.backends.sqlite3", "sqlite"),
        ("django.contrib.gis.db.backends.spatialite", "sqlite"),
        ("django.db.backends.oracle", None),
    ],
)
def test_the_engine_tells_the_vendor(engine: str, expected: str | None) -> None:
    assert settings(f'DATABASES = {{"default": {{"ENGINE": "{engine}"}}}}\n').vendor == expected


@pytest.mark.parametrize(
    "text",
    [
        'DEFAULT = {"ENGINE": "django.db.backends.postgresql"}\nDATABASES = {"default": DEFAULT, "other": x()}\n',
        'BASE = {"ENGINE": "django.db.backends.postgresql"}\nDATABASES = {"default": {**BASE, "NAME": "x"}}\n',
        'DATABASES = {"default": {"ENGINE": "a.sqlite3", "ENGINE": "django.db.backends.postgresql"}}\n',
        POSTGRESQL + 'DATABASES["default"]["ATOMIC_REQUESTS"] = True\n',
        POSTGRESQL + 'if SSL:\n    DATABASES["default"]["OPTIONS"]["sslmode"] = "require"\n',
        POSTGRESQL + 'DATABASES["default"]["OPTIONS"].update(x)\n',
        POSTGRESQL + 'CACHES["default"].update(x)\n',
    ],
)
def test_the_engine_is_found_where_it_is_certain(text: str) -> None:
    assert settings(text).vendor == "postgresql"


@pytest.mark.parametrize(
    "text",
    [
        'DATABASES = {"default": env.db("DATABASE_URL")}\n',
        'DATABASES = {"other": {"ENGINE": "django.db.backends.postgresql"}}\n',
        'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", **more()}}\n',
        'import os\nDATABASES = {"default": {"ENGINE": os.environ.get("E", "django.db.backends.postgresql")}}\n',
        POSTGRESQL + 'DATABASES["default"] = dj_database_url.config()\n',
        POSTGRESQL + 'DATABASES["default"].update(dj_database_url.config())\n',
        POSTGRESQL + 'DATABASES["default"]["ENGINE"] = engine()\n',
        POSTGRESQL + 'if X:\n    DATABASES["default"].update(y)\n',
    ],
)
def test_the_engine_is_not_guessed(text: str) -> None:
    assert settings(text).vendor is None


def test_the_default_auto_field_is_read() -> None:
    text = 'DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"\n'
    found = settings(text)
    assert found == DjangoSettings(default_auto_field="django.db.models.BigAutoField", written=found.written)


def test_settings_are_kept_as_written_where_they_are_constants() -> None:
    found = settings("import os\nOPEN = True\nNAMES = ['a', 'b']\nKEY = os.environ['KEY']\nlower = 1\n").written
    assert {name: type(value) for name, value in found.items()} == {"OPEN": Literal, "NAMES": Items, "KEY": Opaque}


@pytest.mark.parametrize(
    "text, expected, perhaps",
    [
        ('INSTALLED_APPS = ["a"]\nif DEBUG:\n    INSTALLED_APPS += ["debug"]\n', ("a", "debug"), {"debug"}),
        (
            'INSTALLED_APPS = ["a"]\nif X:\n    INSTALLED_APPS = ["x", *INSTALLED_APPS]\nINSTALLED_APPS += ["b"]\n',
            ("x", "a", "b"),
            {"x"},
        ),
        ('INSTALLED_APPS = ["a", "b"] if X else ["b"]\n', ("a", "b"), {"a"}),
        ('INSTALLED_APPS = ["a"]\nINSTALLED_APPS += ["b"] if X else ["b"]\n', ("a", "b"), set()),
        ('import sys\nINSTALLED_APPS = ["a"]\nif "test" in sys.argv:\n    INSTALLED_APPS += ["b"]\n', ("a",), set()),
        (
            'import sys\nT = "pytest" in sys.modules\nINSTALLED_APPS = ["a"]\nif not T:\n    INSTALLED_APPS += ["b"]\n',
            ("a", "b"),
            set(),
        ),
        ('import sys\nINSTALLED_APPS = ["a"]\nif sys.argv[1] == "test":\n    INSTALLED_APPS += ["b"]\n', ("a",), set()),
    ],
)  # fmt: skip
def test_an_app_that_a_condition_adds_is_perhaps_installed(
    text: str, expected: tuple[str, ...], perhaps: set[str]
) -> None:
    found = settings(text)
    assert (found.installed_apps, found.perhaps_installed) == (expected, perhaps)


def test_an_engine_that_is_postgresql_either_way_tells_the_vendor() -> None:
    text = 'E = "django.db.backends.postgresql"\nif IAM:\n    E = "{}"\nDATABASES = {{"default": {{"ENGINE": E}}}}\n'
    found = settings(text.format("iam.aws.postgresql"))
    assert (found.vendor, found.engine) == ("postgresql", None)
    found = settings(text.format("django.db.backends.mysql"))
    assert (found.vendor, found.engine) == (None, None)


def test_a_condition_on_the_list_that_it_changes_comes_to_an_end() -> None:
    """It asked for the list, which asked for the condition."""
    text = 'A = ["a"]\nfor x in [B, C]:\n    if x not in A:\n        A.append(x)\nINSTALLED_APPS = A\n'
    assert settings(text).installed_apps is None
    text = 'A = ["a"]\nif len(A) < N:\n    A.append("b")\nif "b" in A and M:\n    A.append("c")\nINSTALLED_APPS = A\n'
    assert settings(text).installed_apps == ("a", "b", "c")
    text = 'A = ["a"]\nshort = len(A) < N\nif short:\n    A.append("b")\nINSTALLED_APPS = A\n'
    assert settings(text).installed_apps == ("a", "b")


@pytest.mark.parametrize(
    "text, whole",
    [
        ("from .local import *\n", False),
        ("try:\n    from .local import *\nexcept ImportError:\n    pass\n", True),
        ("try:\n    from local_settings import *\nexcept ImportError:\n    pass\n", True),
        ("try:\n    from local_settings import *\nfinally:\n    X = 1\n", False),
        ("import os\nif os.path.exists('local.py'):\n    from .local import *\n", True),
        ("if DEBUG:\n    from company.settings import *\n", False),
    ],
)
def test_a_module_that_need_not_be_there_and_is_not_hides_nothing(tmp_path: Path, text: str, whole: bool) -> None:
    (tmp_path / "settings.py").write_text(f'INSTALLED_APPS = ["a"]\n{text}')
    modules = Modules(tmp_path.as_posix(), lambda file: read(Path(file).read_text()), {})
    found = modules.django_settings((tmp_path / "settings.py").as_posix())
    assert (found.whole, found.swappable) == (whole, {"AUTH_USER_MODEL": "auth.User"} if whole else {})


def test_settings_that_are_imported_in_a_try_count_as_if_they_stood_there(tmp_path: Path) -> None:
    (tmp_path / "local.py").write_text('AUTH_USER_MODEL = "a.B"\n')
    (tmp_path / "settings.py").write_text(
        'INSTALLED_APPS = ["a"]\ntry:\n    from .local import *\nexcept ImportError:\n    pass\n'
    )
    modules = Modules(tmp_path.as_posix(), lambda file: read(Path(file).read_text()), {})
    found = modules.django_settings((tmp_path / "settings.py").as_posix())
    assert (found.swappable, found.whole) == ({"AUTH_USER_MODEL": "a.B"}, True)


def test_where_the_module_of_a_try_is_not_there_its_handler_counts(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text(
        'INSTALLED_APPS = ["a"]\ntry:\n    from .local import *\nexcept ImportError:\n    AUTH_USER_MODEL = "a.B"\n'
    )
    modules = Modules(tmp_path.as_posix(), lambda file: read(Path(file).read_text()), {})
    found = modules.django_settings((tmp_path / "settings.py").as_posix())
    assert (found.swappable, found.whole) == ({"AUTH_USER_MODEL": "a.B"}, True)


def test_settings_that_are_imported_with_a_star_count_as_if_they_stood_there(tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text('AUTH_USER_MODEL = "a.B"\nINSTALLED_APPS = ["a"]\n')
    (tmp_path / "settings.py").write_text('from .base import *\nINSTALLED_APPS += ["b"]\nfrom .settings import *\n')
    modules = Modules(tmp_path.as_posix(), lambda file: read(Path(file).read_text()), {})
    found = modules.django_settings((tmp_path / "settings.py").as_posix())
    assert (found.swappable, found.installed_apps) == ({"AUTH_USER_MODEL": "a.B"}, ("a", "b"))
