"""Django settings of the portal; what can be set from outside is in `portal.configuration`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from chronicle_runtime import configure_logging

from portal import database
from portal.accounts import appearance
from portal.api import framework
from portal.configuration import portal_settings

_portal = portal_settings()
_public = urlsplit(_portal.public_url)

# Without a key Django itself refuses to sign anything; `configuration.prepare` refuses earlier.
SECRET_KEY = _portal.secret_key.get_secret_value()
DEBUG = _portal.debug

ALLOWED_HOSTS = sorted({_public.hostname or "", "127.0.0.1", "localhost", "[::1]"})
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _public.scheme == "https"
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Order counts: unfold's templates come before those of the admin.
INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_filters",
    "django_structlog",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "portal.eventlog",
    "portal.jobs",
    "portal.projections",
    "portal.accounts",
    "portal.downloads",
    "portal.replay",
    "portal.catalogue",
    "portal.api",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]

ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": database.sqlite(_portal.sqlite_path)
    if _portal.database_url is None
    else database.postgresql(_portal.database_url)
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

REST_FRAMEWORK = framework.REST_FRAMEWORK
SPECTACULAR_SETTINGS = framework.SPECTACULAR_SETTINGS
UNFOLD = appearance.UNFOLD

LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"

EXPORTS = _portal.folder / "exports"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
FORMAT_MODULE_PATH = "portal.formats"
USE_TZ = True

# Served from the packages themselves: there is no collectstatic step that could be forgotten.
STATIC_URL = "/static/"
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True

# Django's own logging setup would put its handlers beside ours.
LOGGING_CONFIG = None
configure_logging("portal", level=_portal.log_level, json=not _portal.debug)
