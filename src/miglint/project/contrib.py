"""What Django's own apps bring, by label: the same in Django 3.1 and all later versions up to 6.0."""

from __future__ import annotations

from collections.abc import Mapping

# The migrations. Source: django/contrib/*/migrations
CONTRIB: Mapping[str, tuple[str, ...]] = {
    "admin": (
        "0001_initial",
        "0002_logentry_remove_auto_add",
        "0003_logentry_add_action_flag_choices",
    ),
    "auth": (
        "0001_initial",
        "0002_alter_permission_name_max_length",
        "0003_alter_user_email_max_length",
        "0004_alter_user_username_opts",
        "0005_alter_user_last_login_null",
        "0006_require_contenttypes_0002",
        "0007_alter_validators_add_error_messages",
        "0008_alter_user_username_max_length",
        "0009_alter_user_last_name_max_length",
        "0010_alter_group_name_max_length",
        "0011_update_proxy_permissions",
        "0012_alter_user_first_name_max_length",
    ),
    "contenttypes": ("0001_initial", "0002_remove_content_type_name"),
    "flatpages": ("0001_initial",),
    "redirects": ("0001_initial", "0002_alter_redirect_new_path_help_text"),
    "sessions": ("0001_initial",),
    "sites": ("0001_initial", "0002_alter_domain_unique"),
}

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
