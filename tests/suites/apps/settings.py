"""Many small apps in one project."""

SECRET_KEY = "-"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SITE_ID = 1
STATIC_URL = "/static/"

ROOT_URLCONF = "-"
STATIC_ROOT = "static"
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]
ESI_SSO_CLIENT_ID = ESI_SSO_CLIENT_SECRET = ESI_SSO_CALLBACK_URL = ESI_USER_CONTACT_EMAIL = "-"
CAS_SERVER_URL = "-"
NEWSLETTER_THUMBNAIL = "sorl-thumbnail"
COMMENTS_APP = "django_comments_xtd"
FERNET_KEYS = ["-"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sites",
    "django.contrib.staticfiles",
    "actstream",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    "auditlog",
    "axes",
    "background_task",
    "constance",
    "django_apscheduler",
    "django_cas_ng",
    "django_celery_beat",
    "django_celery_results",
    "django_comments",
    "django_comments_xtd",
    "django_ledger",
    "django_mailbox",
    "django_otp",
    "django_otp.plugins.otp_email",
    "django_otp.plugins.otp_hotp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "django_q",
    "django_rest_passwordreset",
    "django_rq",
    "easyaudit",
    "esi",
    "eveuniverse",
    "explorer",
    "flags",
    "guardian",
    "hijack",
    "import_export",
    "invitations",
    "knox",
    "newsletter",
    "oauth2_provider",
    "organizations",
    "parler",
    "polymorphic",
    "post_office",
    "push_notifications",
    "recurrence",
    "rest_framework",
    "rest_framework.authtoken",
    "rest_framework_api_key",
    "rest_framework_simplejwt.token_blacklist",
    "reversion",
    "silk",
    "simple_history",
    "social_django",
    "sorl.thumbnail",
    "taggit",
    "two_factor",
    "two_factor.plugins.phonenumber",
    "waffle",
]
