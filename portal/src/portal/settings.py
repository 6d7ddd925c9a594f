"""Django settings of the portal."""

SECRET_KEY = "replaced"  # noqa: S105
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
USE_TZ = True
