"""Nautobot with its own settings."""

from nautobot.core.settings import *

SECRET_KEY = "-"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
