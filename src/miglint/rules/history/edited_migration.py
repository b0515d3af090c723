"""Released migrations that were changed afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Base, Diagnostic, Migration, MigrationContext, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#version-control"


@rule("MG601", on=Migration, severity=Severity.ERROR)
def edited_migration(context: MigrationContext) -> Iterator[Diagnostic]:
    """A migration that the base branch has does something else here: where it was applied, nothing will happen."""
    base, migration = context.project.base, context.migration
    if base is None:
        return
    if migration.key in base.edited:
        yield context.diagnostic(
            None,
            f"{migration.key} is on {base.ref} already and means something else here "
            f"({_joined(base.edited[migration.key])}): a database that has applied it keeps what it did then",
            help=_advice(context, base),
            url=_URL,
        )
    elif migration.key in base.clashing:
        yield context.diagnostic(
            None,
            f"{base.ref} has meanwhile got another {migration.key} ({_joined(base.clashing[migration.key])}): "
            "both cannot be merged",
            help=f"Merge {base.ref}, then give yours a name and a number of its own and let it depend on the other.",
            url=_URL,
        )


def _advice(context: MigrationContext, base: Base) -> str:
    migration = context.migration
    return (
        "Django records a migration by its name and never looks into it again. Bring the file back, and write the "
        "change as a new migration:\n\n"
        f"    git checkout {base.merge_base[:10]} -- {context.project.short(migration.path)}\n"
        f"    python manage.py makemigrations {migration.app}\n\n"
        "If it was never applied anywhere that matters, say so above the class: "
        "`# miglint: ignore[MG601] -- never deployed`. What it does now is then checked as if it were new."
    )


def _joined(words: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
