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

# Their tables. Source: `db_table` in django/contrib/*/models.py
CONTRIB_TABLES: Mapping[tuple[str, str], str] = {
    ("admin", "logentry"): "django_admin_log", ("auth", "group"): "auth_group",
    ("auth", "permission"): "auth_permission", ("auth", "user"): "auth_user",
    ("contenttypes", "contenttype"): "django_content_type",
    ("flatpages", "flatpage"): "django_flatpage", ("redirects", "redirect"): "django_redirect",
    ("sessions", "session"): "django_session", ("sites", "site"): "django_site",
}  # fmt: skip

# The apps that an app's first migration depends on; besides, admin depends on the user model's.
CONTRIB_PARENTS: Mapping[str, frozenset[str]] = {
    "admin": frozenset({"contenttypes"}),
    "auth": frozenset({"contenttypes"}),
    "flatpages": frozenset({"sites"}),
    "redirects": frozenset({"sites"}),
}

# The methods of today's models that the historical ones do not carry.
# Source: dir() of both kinds, Django 4.2 to 6.1
CONTRIB_METHODS: Mapping[str, frozenset[str]] = {
    "admin.logentry": frozenset({
        "get_admin_url", "get_change_message", "get_edited_object", "is_addition", "is_change", "is_deletion",
    }),
    "auth.group": frozenset({"natural_key"}),
    "auth.permission": frozenset({"natural_key"}),
    "auth.user": frozenset({
        "acheck_password", "aget_all_permissions", "aget_group_permissions", "aget_user_permissions",
        "ahas_module_perms", "ahas_perm", "ahas_perms", "check_password", "email_user", "get_all_permissions",
        "get_email_field_name", "get_full_name", "get_group_permissions", "get_session_auth_fallback_hash",
        "get_session_auth_hash", "get_short_name", "get_user_permissions", "get_username", "has_module_perms",
        "has_perm", "has_perms", "has_usable_password", "natural_key", "normalize_username", "set_password",
        "set_unusable_password",
    }),
    "contenttypes.contenttype": frozenset({
        "get_all_objects_for_this_type", "get_object_for_this_type", "model_class", "natural_key",
    }),
    "flatpages.flatpage": frozenset({"get_absolute_url"}),
    "sessions.session": frozenset({"get_decoded", "get_session_store_class"}),
    "sites.site": frozenset({"natural_key"}),
}  # fmt: skip

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
