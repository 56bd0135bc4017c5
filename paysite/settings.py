"""Every setting of the platform, read from the environment (README lists them)."""

from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from paysite.broker import transport_options
from paysite.env import BASE_DIR, env, required
from paysite.logs import logging_settings

# --- the mode ---------------------------------------------------------------------------------

DEMO: bool = env.bool("DEMO", default=False)
"""Demo mode: sandbox gateways, demo secrets, callbacks to loopback. Never in production."""

DEBUG: bool = env.bool("DEBUG", default=False)
OPERATING_MODE: str = env.str("OPERATING_MODE", default="own_merchant")
"""Who holds whose money: own_merchant, aggregator or licensed."""

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
AUDIT_ANCHOR_FILE = Path(
    env.str("AUDIT_ANCHOR_FILE", default=str(DATA_DIR / "audit-heads.jsonl"))
).resolve()
"""Where the sealer notes each new head of the audit trail, out of the database's reach."""
TSA_URL: str = env.str("TSA_URL", default="")
"""A time-stamp authority (RFC 3161) that signs the newest block of the audit trail. "": none."""
TSA_CERTIFICATE: str = env.str("TSA_CERTIFICATE", default="")
"""The file with the root certificates (PEM) that its stamps must lead to."""
REPORT_ENTITY: str = env.str("REPORT_ENTITY", default="Paysite")
"""Whose reports they are: the enterprise's registered name, with its licence number if it likes."""
REPORT_SIGNER: str = env.str("REPORT_SIGNER", default="")
"""A PKCS #12 file with the key and certificate that sign reports. "": the demo's test authority."""
REPORT_SIGNER_PASSWORD: str = env.str("REPORT_SIGNER_PASSWORD", default="")
BASE_URL: str = env.str("BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
"""The address under which customers, staff and gateways reach this platform."""

SECRET_KEY = required("SECRET_KEY", stand_in="demo-only-secret-key" * 3, is_demo=DEMO)
FIELD_KEYS: str = required(
    "FIELD_KEYS",
    stand_in="demo:ZGVtby1vbmx5LWZpZWxkLWtleS0zMi1ieXRlcyEhISE=",
    is_demo=DEMO,
)
"""`id:base64 of 32 bytes`, comma-separated; the first encrypts, all decrypt."""
KEY_SERVICE: str = env.str("KEY_SERVICE", default="compliance.protection.keyservice.LocalKeys")
"""What wraps the data keys: a class that fulfils compliance.protection.keyservice.KeyService."""

ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["*"] if DEMO else [])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
TRUSTED_PROXIES: int = env.int("TRUSTED_PROXIES", default=0)
"""How many proxies in front of us append to X-Forwarded-For. 0: the header is ignored."""

# --- gateways ------------------------------------------------------------------------------------

GATEWAYS: list[str] = [
    "payments.channels.alipay.Alipay",
    "payments.channels.wechatpay.WeChatPay",
    "payments.channels.unionpay.UnionPay",
]
SANDBOX_URL: str = env.str("SANDBOX_URL", default=BASE_URL)
"""Where the platform itself reaches the sandbox gateways (demo mode); browsers use BASE_URL."""
SANDBOX_SPEED: int = env.int("SANDBOX_SPEED", default=60)
"""How many times faster than the real gateways the sandbox repeats unanswered notifications."""

# --- Django ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "paysite.apps.PaysiteConfig",
    "payments.apps.PaymentsConfig",
    "merchants.apps.MerchantsConfig",
    "compliance.apps.ComplianceConfig",
    "paysite.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_otp",
    "django_otp_webauthn",
    "axes",
    "csp",
    "rest_framework",
    "drf_spectacular",
]
if DEMO:
    INSTALLED_APPS.append("payments.channels.sandbox.apps.SandboxConfig")

MIDDLEWARE = [
    "paysite.requests.numbered",
    # Early, so that even a refused host name is answered with the policy.
    "csp.middleware.CSPMiddleware",
    "paysite.headers.nothing_of_the_device",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "paysite.bodies.no_longer_than_allowed",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "compliance.identity.watch.end_what_is_over",
    "compliance.identity.zones.as_they_read",
    "paysite.bodies.files_only_of_known_people",
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "paysite.urls"
WSGI_APPLICATION = "paysite.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "paysite.context.platform",
            ],
        },
    },
]

DATABASES = {
    "default": {
        **env.db("DATABASE_URL", default="postgres://paysite@127.0.0.1:5432/paysite"),
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,
        "OPTIONS": {"prepare_threshold": 0, "application_name": "paysite"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": cache_url,
            # Whoever waits for a cache that is away waits for a person at the door.
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        }
        if (cache_url := env.str("CACHE_URL", default=""))
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

AUTH_USER_MODEL = "compliance.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "compliance.identity.backend.RoleBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "compliance.identity.guessable.NotLeaked"},
    {"NAME": "compliance.identity.guessable.NotGuessable"},
]
LOGIN_URL = "identity:signin"
LOGIN_REDIRECT_URL = "/portal/"
LOGOUT_REDIRECT_URL = "identity:signin"
OTP_TOTP_ISSUER = "Paysite"

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = "compliance.identity.lockout.cool_off"
# Whoever tries again too early waits no longer than they were told.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_LOCKOUT_CALLABLE = "compliance.identity.signin.locked_out"
AXES_IPWARE_PROXY_COUNT = TRUSTED_PROXIES or None
AXES_IPWARE_META_PRECEDENCE_ORDER = (
    ["HTTP_X_FORWARDED_FOR", "REMOTE_ADDR"] if TRUSTED_PROXIES else ["REMOTE_ADDR"]
)

LIMITS = {
    # Who tries many names from one address; AXES_… above counts the tries for one name. Here and in
    # the next two, what was right does not count: an office has one address for many people.
    "signin": (20, 900, "closed"),
    # Who tries one name from many addresses. Its owner waits too, at most an hour.
    "signin.name": (50, 3600, "closed"),
    "code": (30, 900, "closed"),
    # Questions to passkeys, which anybody may have asked.
    "passkey.ask": (120, 900, "closed"),
    # Who types the own password once more, to change it.
    "password": (10, 900, "closed"),
    # Links to a new address of one's own: letters to strangers, perhaps.
    "own_email": (10, 3600, "closed"),
    # Codes that are sent to one person.
    "sent_code.minute": (1, 60, "closed"),
    "sent_code.hour": (5, 3600, "closed"),
    "sent_code.day": (10, 86400, "closed"),
    # Links by e-mail: asked for at one address of the network, and for one mailbox.
    "link": (20, 3600, "closed"),
    "link.name": (5, 3600, "closed"),
    "link.open": (60, 900, "closed"),
    # Pictures that one person has read: each takes a processor for seconds.
    "recognise": (20, 600, "closed"),
    # Businesses that register: from one address of the network, and for one mailbox.
    "register": (10, 3600, "closed"),
    "register.name": (3, 3600, "closed"),
    # Who asks support without a sign-in: from one address of the network, and for one mailbox.
    "ticket.ask": (30, 3600, "closed"),
    "ticket.ask.name": (3, 3600, "closed"),
    # Whoever opens or guesses the public pages of reports.
    "report.verify": (60, 60, "local"),
    # Whoever opens or guesses links to tickets; and what one merchant writes in tickets.
    "ticket.link": (60, 900, "closed"),
    "ticket.portal": (120, 3600, "local"),
    # Entries in the audit trail about one account's failures from one address.
    "trail.failure": (1, 60, "local"),
    "trail.strangers": (30, 60, "local"),
    # Questions to gateways that one of the staff, or the people of one merchant, ask by hand.
    "payment.ask": (30, 60, "local"),
    # Lists of payments that one person takes out: each holds a worker for as long as it streams.
    "payment.export": (10, 600, "local"),
    # Of one checkout page. Its own script asks at most 40 times a minute.
    "checkout.status": (120, 60, "local"),
    "checkout.choice": (20, 60, "local"),
    # Of one API key: 50 a second. The window is long so that lots serve many calls.
    "api": (1500, 30, "local"),
}
"""How often one doer may do what: so often, within so many seconds, and whether the door is closed
or each process counts alone while the cache is away. See compliance.limits.
"""

EVEN_ANSWER_SECONDS = 0.1
"""How long an answer takes whose time must not tell whether somebody is known."""

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Where sealed files lie: a folder, or any storage of Django's by its path and options.
    "vault": {
        "BACKEND": (
            vault := env.str("VAULT_STORAGE", default="")
            or "django.core.files.storage.FileSystemStorage"
        ),
        "OPTIONS": env.json("VAULT_OPTIONS", default={})
        or ({"location": DATA_DIR / "vault"} if vault.endswith("FileSystemStorage") else {}),
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
VAULT_SWEEP: str = env.str("VAULT_SWEEP", default="tell")
"""What becomes of files in the vault that no row holds: "tell" notes, "delete" destroys them."""

# --- what browsers are told ----------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Passkeys belong to a host. An address of numbers can have none: the demo's work at "localhost".
PASSKEY_HOST = urlsplit(BASE_URL).hostname or ""
if PASSKEY_HOST.replace(".", "").isdigit():
    PASSKEY_HOST = "localhost"
OTP_WEBAUTHN_RP_ID = PASSKEY_HOST
OTP_WEBAUTHN_RP_NAME = "Paysite"
OTP_WEBAUTHN_ALLOWED_ORIGINS = [
    f"http://localhost:{urlsplit(BASE_URL).port or 80}" if PASSKEY_HOST == "localhost" else BASE_URL
]
OTP_WEBAUTHN_EXCEPTION_LOGGER_NAME = ""

if DEMO:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "letters"
else:
    vars().update(env.email_url_config(env.str("EMAIL_URL", default="") or "consolemail://"))
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("EMAIL_FROM", default="Paysite <paysite@localhost>")

CLAMD: str = env.str("CLAMD", default="")
"""The virus scanner, "unix:///run/clamav/clamd.ctl" or "tcp://clamd.example.com:3310". Without one
files stay in quarantine, except in the demo.
"""

RECOGNISER: str = env.str("RECOGNISER", default="tesseract" if DEMO else "none")
"""What reads pictures of documents to suggest what an applicant would type: tesseract or none."""

SMS_SENDER: str = env.str("SMS_SENDER", default="compliance.identity.sms.FileSms" if DEMO else "")
"""The class that brings codes to phones; empty: nobody is offered codes by text message."""
SMS_ALIYUN = env.json("SMS_ALIYUN", default={})
"""key_id, key_secret, sign_name and template of Aliyun's text messages."""

REVIEW_HOURS: int = env.int("REVIEW_HOURS", default=48)
"""Within so many hours an applicant hears from the reviewers."""
REFUND_ALONE_MAX: int = env.int("REFUND_ALONE_MAX", default=100_000)
"""Minor units of one payment that somebody gives back without a second person: 1,000 yuan."""
REFUND_ALONE_DAY_MAX: int = env.int("REFUND_ALONE_DAY_MAX", default=2_000_000)
"""The same for all payments of one merchant within 24 hours."""
SESSION_LIMITS = {"staff": (15 * 60, 8 * 3600), "portal": (30 * 60, 12 * 3600)}
"""Seconds without being used, and seconds in all, after which a session ends."""
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HTTPS: bool = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HTTPS
SECURE_SSL_REDIRECT = SECURE_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_PAGES = ("/compliance/files/", "/portal/application/documents/", "/portal/papers/")
"""Where a person who is signed in may send files."""
FILE_UPLOAD_MAX_MEMORY_SIZE = 11 * 1024 * 1024
"""The longest body with a file. All of it stays in memory: nothing lies on a disk unsealed."""

# --- REST
# ------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["payments.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["payments.api.parsing.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "payments.api.problems.answer",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Paysite API",
    "VERSION": "1",
    "DESCRIPTION": _("Create payments, learn what became of them, and read your balance."),
    "OAS_VERSION": "3.1.0",
    "WEBHOOKS": "payments.api.operations.WEBHOOKS",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enum_id_removal"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
}

# --- Celery
# ----------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.str("BROKER_URL", default="redis://127.0.0.1:6379/0")
CELERY_BROKER_TRANSPORT_OPTIONS = transport_options(CELERY_BROKER_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker waits for its broker as long as it takes: Celery would give up after a hundred tries.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TIMEZONE = "UTC"
CELERY_TASK_ROUTES = {"payments.deliver_due_callbacks": {"queue": "callbacks"}}

# --- log lines
# -----------------------------------------------------------------------------------

ACCESS_LOG: bool = env.bool("ACCESS_LOG", default=not DEMO)
"""Whether each request is told in a line. The demo's terminal shows what matters instead."""
REQUEST_ID_HEADER: str = env.str("REQUEST_ID_HEADER", default="X-Request-Id")
"""Where a trusted proxy says a request's number."""
LOGGING = logging_settings(is_demo=DEMO)
