"""Settings of the example. Every secret comes from the environment; there is no default for any."""

from __future__ import annotations

import os
from pathlib import Path

SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "127.0.0.1").split(",")
DEBUG = False

# What vcid needs: a folder for its stores beside Django's, and what this registry is called.
DATA = Path(os.environ["REGISTRY_DATA"])
REGISTRY_PASSPHRASE = os.environ["REGISTRY_PASSPHRASE"]
REGISTRY_DID = os.environ.get("REGISTRY_DID", "did:web:civil.example")
REGISTRY_JURISDICTION = os.environ.get("REGISTRY_JURISDICTION", "KE")
LOG_ORIGIN = os.environ.get("REGISTRY_LOG_ORIGIN", "civil.example/log")
WITNESS_NAME = os.environ.get("REGISTRY_WITNESS_NAME", "civil.example/witness")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "registrations",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "civil_site.urls"
LOGIN_REDIRECT_URL = "/"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.request",
            ]
        },
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA / "app.db"}}
USE_TZ = True
TIME_ZONE = "UTC"

# Off only to try the example on http://127.0.0.1.
OVER_HTTPS = os.environ.get("REGISTRY_OVER_HTTPS", "1") == "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = OVER_HTTPS

# What happened, to which registration, by whom; never what a registration says. SQL would show it.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {
        "registrations": {"handlers": ["console"], "level": "INFO"},
        "django.db.backends": {"level": "WARNING"},
    },
}
