"""The one settings module. Values come from `treasury.environment`, which refuses what it does not know.

Without any variable set this gives a complete local installation: embedded PostgreSQL, jobs
carried by the database, generated keys in the data folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from treasury import embedded, environment, keys

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = environment.Environment()
DATA_FOLDER = BASE_DIR / ENVIRONMENT.text("ZHILIAN_DATA_FOLDER", ".data")

DEBUG = ENVIRONMENT.yes("ZHILIAN_DEBUG", default=False)
HTTPS = ENVIRONMENT.yes("ZHILIAN_HTTPS", default=False)
SECRET_KEY = ENVIRONMENT.secret("ZHILIAN_SECRET_KEY", least=50) or keys.kept(DATA_FOLDER, "session")
MASTER_KEYS = ENVIRONMENT.keys("ZHILIAN_MASTER_KEYS") or [keys.kept(DATA_FOLDER, "master")]
SIGNING_KEYS = ENVIRONMENT.keys("ZHILIAN_SIGNING_KEYS") or [keys.kept(DATA_FOLDER, "signing")]
ALLOWED_HOSTS = ENVIRONMENT.hosts("ZHILIAN_HOSTS", default=("127.0.0.1", "localhost", "[::1]"))
TESTING = "pytest" in sys.modules

INSTALLED_APPS = [
    "reconciliation.apps.ReconciliationConfig",
    "payments.apps.PaymentsConfig",
    "banks.apps.BanksConfig",
    "treasury.apps.TreasuryConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "django_q",
    "drf_spectacular",
    "guardian",
    "rest_framework",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "treasury.middleware.PreferredLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "treasury.middleware.PersonMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "treasury.urls"
WSGI_APPLICATION = "treasury.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "treasury.context.shell",
            ],
            "builtins": ["treasury.templatetags.portal"],
        },
    }
]

# --- database and jobs -------------------------------------------------------------------
DATABASE_URL = ENVIRONMENT.text("DATABASE_URL")


def _embedded() -> str:
    """The project's own server; a test run has another beside it, quick and forgetful."""
    return embedded.url(DATA_FOLDER / "tests", durable=False) if TESTING else embedded.url(DATA_FOLDER)


DATABASES = {
    "default": environment.database(DATABASE_URL or _embedded(), ENVIRONMENT)
    | {"ATOMIC_REQUESTS": False, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
}

BROKER_URL = environment.redis(ENVIRONMENT.text("BROKER_URL"), ENVIRONMENT)
# timeout < retry, always: a job still running must never be handed out a second time.
Q_CLUSTER = {
    "name": "zhilian",
    "label": "Jobs",
    "workers": ENVIRONMENT.number("ZHILIAN_WORKERS", default=2, least=1, most=64),
    "timeout": 240,
    "retry": 300,
    "max_attempts": 3,
    "ack_failures": True,
    "save_limit": 1000,
    "catch_up": False,
    "poll": 0.2,
    "guard_cycle": 0.5,
    "log_level": "WARNING",
    **({"redis": BROKER_URL} if BROKER_URL else {"orm": "default"}),
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": BROKER_URL}
    if BROKER_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# --- people ------------------------------------------------------------------------------
AUTH_USER_MODEL = "treasury.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
if TESTING:  # the cast signs in a thousand times; slow hashing protects nobody there
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ANONYMOUS_USER_NAME = None  # guardian: nobody acts without a name
GUARDIAN_MONKEY_PATCH_USER = False
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "treasury.sign_in.ClosedDoorAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_ISSUER = "Zhilian"
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS

# --- the edge ----------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "treasury.views.failures.csrf_failed"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 12 * 3600
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS] if HTTPS else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 365 * 86400 if HTTPS else 0
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
STATEMENT_FILE_LIMIT = 512 * 1024 * 1024
IMPORT_FILE_LIMIT = 20 * 1024 * 1024

STATIC_URL = "/static/"
STATIC_ROOT = DATA_FOLDER / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a folder that is not there
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

# --- languages and time ------------------------------------------------------------------
LANGUAGE_CODE = ENVIRONMENT.choice("ZHILIAN_LANGUAGE", default="en", of=("en", "zh-hans"))
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "templates" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = ENVIRONMENT.time_zone("ZHILIAN_TIME_ZONE", default="Asia/Shanghai")
FORMAT_MODULE_PATH = ["treasury.formats"]

# --- mail, API, log ----------------------------------------------------------------------
_mail = environment.mail(ENVIRONMENT.text("ZHILIAN_EMAIL_URL"), ENVIRONMENT)
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if _mail.host else 'console'}.EmailBackend"
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_SSL, EMAIL_USE_TLS, EMAIL_TIMEOUT = _mail.ssl, _mail.tls, 20
DEFAULT_FROM_EMAIL = ENVIRONMENT.text("ZHILIAN_EMAIL_FROM", "zhilian@localhost")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "treasury.api.tokens.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["treasury.api.parsing.StrictJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["treasury.api.tokens.TokenThrottle"],
    "DEFAULT_THROTTLE_RATES": {"token": "600/min"},
    "DEFAULT_PAGINATION_CLASS": "treasury.api.paging.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "treasury.api.errors.explain",
    "COERCE_DECIMAL_TO_STRING": True,
    "PAGE_SIZE": 100,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Zhilian API",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "DESCRIPTION": "Read what was granted to you; make payments under the same rules as on the pages.",
    "ENUM_NAME_OVERRIDES": {
        "AccountKind": "treasury.models.Account.Kind",
        "AccountStatus": "treasury.models.Account.Status",
        "BalanceSource": "treasury.models.Balance.Source",
        "BeneficiaryState": "payments.states.BeneficiaryState",
        "EntryStatus": "banks.models.Entry.Status",
        "FileState": "banks.states.FileState",
        "PaymentKind": "payments.models.Payment.Kind",
        "PaymentSource": "payments.models.payments.Source",
        "PaymentState": "payments.states.PaymentState",
        "RequestState": "payments.states.RequestState",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["console"],
        "level": ENVIRONMENT.choice(
            "ZHILIAN_LOG_LEVEL", default="INFO", of=("DEBUG", "INFO", "WARNING", "ERROR")
        ),
    },
}
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]
