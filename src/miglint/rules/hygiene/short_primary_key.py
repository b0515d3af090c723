"""A key that runs out of numbers."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import CreateModel, Diagnostic, ModelState, OperationContext, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/ref/settings/#default-auto-field"


@rule("MG705", on=CreateModel, severity=Severity.INFO)
def short_primary_key(context: OperationContext[CreateModel]) -> Iterator[Diagnostic]:
    """A new model's primary key is a 32-bit AutoField."""
    # SQLite's rowid has 64 bits, whatever the field says: https://www.sqlite.org/autoinc.html
    if context.database.vendor == "sqlite" or not context.touches_database:
        return
    model = context.model
    if model is None or not model.managed.certain or model.proxy.possible:
        return
    for name, field in context.operation.fields:
        if field.kind == "AutoField" and field.primary_key.certain and not _is_widened(context, name):
            yield context.diagnostic(
                field.span,
                f"{context.model_name}.{name} is an AutoField: its 32 bits end at 2,147,483,647",
                help="Then every INSERT fails, and widening the key rewrites the table and each one that points to it. "
                'Use models.BigAutoField, and set DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField" (the default '
                "since Django 6.0).",
                url=_URL,
                field=name,
            )


def _is_widened(context: OperationContext[CreateModel], name: str) -> bool:
    """Whether the history goes on to another key, or to no such model."""
    made = [model for model in _models(context) if _is_from(model, context)]
    states = [model.field(name) for model in made]
    return not any(state is not None and state.field.kind == "AutoField" for state in states)


def _models(context: OperationContext[CreateModel]) -> Iterator[ModelState]:
    yield from context.project.history.final.in_app(context.migration.app).values()


def _is_from(model: ModelState, context: OperationContext[CreateModel]) -> bool:
    return model.origin.migration == context.migration.key and model.origin.path == context.step.path
