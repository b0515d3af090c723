"""Effects outside the database."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Called, Diagnostic, Literal, OperationContext, RunPython, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#data-migrations"

# The kinds of effects, by the beginning of what is called.
_EFFECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("asks the network", (
        "requests.", "httpx.", "urllib.request.", "urllib3.PoolManager", "urllib3.request", "aiohttp.", "http.client.",
        "xmlrpc.client.", "socket.", "ftplib.", "imaplib.", "poplib.", "telnetlib.", "paramiko.", "boto3.client",
        "boto3.resource", "boto3.Session", "boto3.session", "boto.", "google.cloud.", "redis.Redis",
        "redis.StrictRedis", "redis.from_url", "elasticsearch.Elasticsearch", "stripe.",
    )),
    ("sends mail", (
        "smtplib.", "django.core.mail.send_", "django.core.mail.mail_", "django.core.mail.EmailMessage",
        "django.core.mail.EmailMultiAlternatives", "django.core.mail.get_connection",
    )),
    ("starts a process", (
        "subprocess.", "os.system", "os.popen", "os.spawn", "os.posix_spawn", "os.exec", "os.fork", "os.startfile",
        "os.kill", "multiprocessing.Process", "multiprocessing.Pool", "asyncio.create_subprocess",
        "concurrent.futures.ProcessPoolExecutor",
    )),
    ("changes files", (
        "os.remove", "os.unlink", "os.rename", "os.replace", "os.makedirs", "os.mkdir", "os.rmdir", "os.removedirs",
        "os.symlink", "os.link", "os.truncate", "os.chmod", "os.chown",
        "shutil.copy", "shutil.move", "shutil.rmtree", "shutil.make_archive", "shutil.unpack_archive", "shutil.chown",
        "django.core.files.storage.default_storage.save", "django.core.files.storage.default_storage.delete",
        "django.db.models.fields.files.FieldFile.save", "django.db.models.fields.files.FieldFile.delete",
        *(f"pathlib.Path.{name}" for name in (
            "write_", "unlink", "mkdir", "rmdir", "rename", "replace", "touch", "symlink_to", "hardlink_to",
            "link_to", "chmod", "copy", "move",
        )),
    )),
)  # fmt: skip
# Names below these that only tell something, or hold what was told.
_HARMLESS = (
    "socket.gethostname", "socket.getfqdn", "socket.inet_", "socket.hton", "socket.ntoh", "requests.exceptions.",
    "requests.utils.", "requests.codes.", "requests.structures.", "stripe.error.", "subprocess.list2cmdline",
)  # fmt: skip
_QUEUED = (".delay", ".apply_async", ".send_task", ".enqueue")
# What opens a file, and which of its arguments is the mode.
_OPENING = {
    "open": 1, "io.open": 1, "codecs.open": 1, "gzip.open": 1, "bz2.open": 1, "lzma.open": 1, "zipfile.ZipFile": 1,
    "tarfile.open": 1, "gzip.GzipFile": 1, "pathlib.Path.open": 0,
    "django.core.files.storage.default_storage.open": 1, "django.db.models.fields.files.FieldFile.open": 0,
}  # fmt: skip
_WRITING = frozenset("wax+")


@rule("MG520", on=RunPython, severity=Severity.WARNING)
def outside_effects(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """Code of a migration does something outside the database, which no rollback takes back."""
    seen = set()
    for use in context.usage.uses:
        effect = _effect(use) if isinstance(use, Called) else ""
        if isinstance(use, Called) and effect and (effect, use.code.name) not in seen:
            seen.add((effect, use.code.name))
            span, related = context.place(use, "it is called here")
            yield context.diagnostic(
                span,
                f"the migration {effect}: {use.path.lstrip('.')}",
                related=related,
                help="A migration runs on every database: of each developer, in each test run, at each retry after a "
                "failure. What it does outside the database is done each time, is not undone when the migration fails "
                "and rolls back, and keeps the transaction, with its locks, open until the other side answers. "
                "Do it in a management command that the deploy runs, or after the commit.",
                url=_URL,
                detail=effect,
            )


def _effect(use: Called) -> str:
    path = use.path
    if use.target is None and not path.startswith(_HARMLESS):
        for effect, beginnings in _EFFECTS:
            if path.startswith(beginnings):
                return effect
    if "." in path.lstrip(".") and path.endswith(_QUEUED):
        return "queues a task"
    return "changes files" if path in _OPENING and _WRITING & set(_mode(use, _OPENING[path])) else ""


def _mode(use: Called, at: int) -> str:
    mode = use.call.arguments[at] if len(use.call.arguments) > at else use.call.keyword("mode")
    return mode.text if isinstance(mode, Literal) and mode.kind == "str" else ""
