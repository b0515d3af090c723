"""What Django's own apps bring, by label: the same in all versions of Django from 4.2 to 6.0."""

from __future__ import annotations

from collections.abc import Mapping

# The app of a dependency on a swappable model, whose name is the setting's.
# Source: django.db.migrations.autodetector.MigrationAutodetector
SETTING = "__setting__"

# The models, all of them made by the app's first migration. Source: django/contrib/*/models.py
CONTRIB_MODELS: Mapping[str, frozenset[str]] = {
    "admin": frozenset({"logentry"}),
    "auth": frozenset({"group", "permission", "user"}),
    "contenttypes": frozenset({"contenttype"}),
    "flatpages": frozenset({"flatpage"}),
    "redirects": frozenset({"redirect"}),
    "sessions": frozenset({"session"}),
    "sites": frozenset({"site"}),
}

# The apps that an app's first migration depends on; besides, admin depends on the user model's.
CONTRIB_PARENTS: Mapping[str, frozenset[str]] = {
    "admin": frozenset({"contenttypes"}),
    "auth": frozenset({"contenttypes"}),
    "flatpages": frozenset({"sites"}),
    "redirects": frozenset({"sites"}),
}

# The migrations by name, with their dependencies. Made from Django itself by tests/contrib_graphs.py.
# Source: django/contrib/*/migrations
CONTRIB: Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]] = {
    "admin": {
        "0001_initial": (("__setting__", "AUTH_USER_MODEL"), ("contenttypes", "__first__")),
        "0002_logentry_remove_auto_add": (("admin", "0001_initial"),),
        "0003_logentry_add_action_flag_choices": (("admin", "0002_logentry_remove_auto_add"),),
    },
    "auth": {
        "0001_initial": (("contenttypes", "__first__"),),
        "0002_alter_permission_name_max_length": (("auth", "0001_initial"),),
        "0003_alter_user_email_max_length": (("auth", "0002_alter_permission_name_max_length"),),
        "0004_alter_user_username_opts": (("auth", "0003_alter_user_email_max_length"),),
        "0005_alter_user_last_login_null": (("auth", "0004_alter_user_username_opts"),),
        "0006_require_contenttypes_0002": (
            ("auth", "0005_alter_user_last_login_null"),
            ("contenttypes", "0002_remove_content_type_name"),
        ),
        "0007_alter_validators_add_error_messages": (("auth", "0006_require_contenttypes_0002"),),
        "0008_alter_user_username_max_length": (("auth", "0007_alter_validators_add_error_messages"),),
        "0009_alter_user_last_name_max_length": (("auth", "0008_alter_user_username_max_length"),),
        "0010_alter_group_name_max_length": (("auth", "0009_alter_user_last_name_max_length"),),
        "0011_update_proxy_permissions": (
            ("auth", "0010_alter_group_name_max_length"),
            ("contenttypes", "0002_remove_content_type_name"),
        ),
        "0012_alter_user_first_name_max_length": (("auth", "0011_update_proxy_permissions"),),
    },
    "contenttypes": {
        "0001_initial": (),
        "0002_remove_content_type_name": (("contenttypes", "0001_initial"),),
    },
    "flatpages": {
        "0001_initial": (("sites", "0001_initial"),),
    },
    "redirects": {
        "0001_initial": (("sites", "0001_initial"),),
        "0002_alter_redirect_new_path_help_text": (("redirects", "0001_initial"),),
    },
    "sessions": {
        "0001_initial": (),
    },
    "sites": {
        "0001_initial": (),
        "0002_alter_domain_unique": (("sites", "0001_initial"),),
    },
}
