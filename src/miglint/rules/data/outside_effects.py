"""Effects outside the database."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Called, Diagnostic, Literal, OperationContext, RunPython, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#data-migrations"

# The kinds of effects, by the beginning of what is called.
_EFFECTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("asks the network", (
        "requests.", "httpx.", "urllib.request.", "urllib3.PoolManager", "urllib3.request", "aiohttp.", "http.client.",
        "socket.", "ftplib.", "paramiko.", "boto3.client", "boto3.resource", "boto.", "google.cloud.",
    )),
    ("sends mail", (
        "smtplib.", "django.core.mail.send_", "django.core.mail.mail_", "django.core.mail.EmailMessage",
        "django.core.mail.EmailMultiAlternatives", "django.core.mail.get_connection",
    )),
    ("starts a process", (
        "subprocess.", "os.system", "os.popen", "os.spawn", "os.exec", "os.fork", "multiprocessing.Process",
        "multiprocessing.Pool",
    )),
    ("changes files", (
        "os.remove", "os.unlink", "os.rename", "os.replace", "os.makedirs", "os.mkdir", "os.rmdir", "os.removedirs",
        "shutil.copy", "shutil.move", "shutil.rmtree", "django.core.files.storage.default_storage.save",
        "django.core.files.storage.default_storage.delete",
    )),
)  # fmt: skip
_QUEUED = (".delay", ".apply_async", ".send_task", ".enqueue")
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
    for effect, beginnings in _EFFECTS:
        if path.startswith(beginnings):
            return effect
    if "." in path.lstrip(".") and path.endswith(_QUEUED):
        return "queues a task"
    if path in ("open", "io.open", "codecs.open") and _WRITING & set(_mode(use)):
        return "changes files"
    return ""


def _mode(use: Called) -> str:
    mode = use.call.arguments[1] if len(use.call.arguments) > 1 else use.call.keyword("mode")
    return mode.text if isinstance(mode, Literal) and mode.kind == "str" else ""
