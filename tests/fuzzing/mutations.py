"""Changes to a project that nobody would make: of bytes, tokens, lines, expressions, operations, edges and names."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from .seeds import Files, Pieces, Span, parts

T = TypeVar("T")

_TOKEN = re.compile(rb"\s+|\w+|\"[^\"\n]*\"|'[^'\n]*'|[^\w\s]")
# Bytes that parsers stumble over: ends, marks, other encodings, controls, and characters that are no text.
_BYTES = (
    b"\0", b"\r", b"\r\n", b"\n", b"\x0c", b"\x1a", b"\x1b[31m", b"\t", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\xe9",
    "é".encode(), "\u202e".encode(), "\u2028".encode(), "𝒜".encode(), b"\xed\xa0\x80", b"\\", b"\\\n", b"\\N{DASH}",
    b"\\ud800", b"\\x00", b"\\777", b"'", b'"', b"'''", b'"""', b"#", b"# -*- coding: latin-1 -*-\n",
    b"# coding: utf-7\n", b"(", b")", b"[", b"]", b"{", b"}", b"{{", b"%s", b"%(a)s", b"{0}", b"{!r:>{w}}", b"\x7f",
)  # fmt: skip
_WORDS = (
    b"not", b"and", b"or", b"if", b"else", b"elif", b"for", b"in", b"is", b"lambda", b"yield", b"await", b"async",
    b"match", b"case", b"type", b"class", b"def", b"return", b"del", b"global", b"nonlocal", b"with", b"try",
    b"except", b"except*", b"finally", b"raise", b"assert", b"import", b"from", b"as", b"pass", b"break", b"None",
    b"True", b"...", b"*", b"**", b"->", b":=", b"@", b"==", b"+", b"-", b"~", b"%", b",", b";", b":", b".", b"_",
    b"self", b"__class__", b"cls", b"Migration", b"operations", b"dependencies", b"apps", b"schema_editor", b"super",
    b"range(10**9)", b"0x" + b"f" * 300, b"1e999", b"-1", b"0", b"9" * 5_000, b"1_000", b"1j", b"b''", b"f''", b"rb''",
    b"f'{x!r:{y}}'", b"u''", b"[*a, *b]", b"{**a}", b"(yield)", b"[x for x in x]", b"{x: x for x in y if z}",
    b"lambda *a, **k: a", b"(a := 1)", b"a if b else c", b"x[1:2, ...]", b"not x", b"x @ y", b"()", b"(),", b"''",
)  # fmt: skip
# What Python refuses, or takes for something that nobody expects.
_EXPRESSIONS = (
    b"1/0", b"10%0", b"1<<-1", b"2**-1", b"2**1000000", b"'x'*-1", b"[1]*-1", b"'%d' % 'x'", b"'%s %s' % ('a',)",
    b"'%(a)s' % {}", b"'%' % 1", b"'%*d' % (3, 4)", b"'{0.a}'.format(1)", b"'{:d}'.format('x')", b"'{'.format()",
    b"'{}{1}'.format(1, 2)", b"'{0!z}'.format(1)", b"f'{1:{2}}'", b"[][0]", b"{}['x']", b"[1, 2][1:0:0]",
    b"[1, 2][::-1]", b"'abc'[::0]", b"'abc'[None:None]", b"(1, 2)[True]", b"'a'.join(1)", b"'a'.join([1])",
    b"'a'.split('')", b"'a'.replace()", b"b'a'.decode('no')", b"int('x')", b"int(1e999)", b"float('nan')",
    b"str(b'x', 'no')", b"list(1)", b"dict([1])", b"dict(a=1, **{'a': 2})", b"{[]: 1}", b"{{}}", b"{**1}", b"[*1]",
    b"range(0, 1, 0)", b"max([])", b"len()", b"chr(-1)", b"zip(1)", b"reversed({})", b"isinstance(1, 2)",
    b"getattr(1, 2)", b"type('x', (), {})", b"(lambda x: x)(1)", b"(x for x in 1)", b"{k: v for k, v in 1}", b"-'x'",
    b"'a' + 1", b"[1] + (2,)", b"{} | {}", b"1 < 'x' < None", b"1 if 1/0 else 2", b"(y := [y])", b"NotImplemented",
    b"__file__", b"b'\\xff'", b"'\\ud800'", "'İ'".encode(), "'ß'".encode(), b"['-id']", b"('id', 'id')", b"models",
    b"models.F(1)", b"models.Q(1)", b"models.Q(('id', 1), _connector='XOR')", b"models.IntegerField",
    b"models.IntegerField(*[1] * 30)", b"models.ForeignKey()", b"models.ForeignKey('a.b.c', 1)",
    b"models.ManyToManyField('self', through='shop.No')", b"models.CharField(db_column=1)",
    b"models.CharField(primary_key='x')", b"models.Index()", b"models.Index('id')",
    b"models.Index(fields=['-'], name='')", b"models.UniqueConstraint(fields=1, name=1)", b"migrations.RunPython()",
    b"models.CheckConstraint(1, 2)", b"migrations.CreateModel()", b"datetime.datetime(0, 0, 0)", b"Decimal('x')",
    b"datetime.date(2020, 13, 45)", b"Decimal('1e9999999')", b"super().x", b"Migration.operations", b"undefined()()",
    b"undefined[0]",
)  # fmt: skip
_STATEMENTS = (
    b"if x:\n    pass\n", b"for x in y:\n    x\n", b"while True:\n    break\n",
    b"try:\n    pass\nexcept E:\n    pass\n",
    b"with a as b, c:\n    pass\n", b"def f(a, /, b=1, *c, d, **e):\n    return f\n",
    b"class A(B, metaclass=C):\n    x = 1\n",
    b"async def f():\n    async for x in y:\n        await x\n",
    b"match x:\n    case {'a': [1, *_], **r} if r:\n        pass\n",
    b"type A[T] = list[T]\n", b"from . import *\n", b"from .. import x as y\n", b"import a.b.c as d\n", b"x: int = 1\n",
    b"x = y = z\n", b"x, *y = z\n", b"x += x\n", b"del x\n", b"global x\n", b"@d\n@d()\nclass Migration:\n    pass\n",
    b"operations = operations + operations\n", b"operations += [*operations]\n", b"operations.append(operations)\n",
    b"operations[0] = operations\n", b"dependencies = operations = []\n", b"Migration.operations = []\n",
    b"if x:\n    pass\n" + b"elif y:\n    x.save()\n" * 150, b"x.filter(a=1)" + b".filter(b=2)" * 150 + b".delete()\n",
    b"match x:\n    case " + b"[{1: " * 9 + b"y" + b"}]" * 9 + b":\n        pass\n",
    b"raise SystemExit\n", b"from django.db.migrations import *\n", b"Migration = Migration\n",
)  # fmt: skip
_KEYS = (
    b"__first__", b"__latest__", b"0001_initial", b"", b".", b"..", b"a.b", b"A", b"no", b"\\x1b[31m", b"x" * 300, b"0",
)  # fmt: skip
_NUMBERS = (
    b"9" * 5_000, b"-" + b"9" * 5_000, b"9" * 400, b"99999999999999999999", b"9223372036854775808", b"1e999", b"1e-999",
    b"0", b"00", b"-1", b"0x7f", b"0b11", b"0o17", b"1_000", b"1.5", b"1j", b"255", b"256", b"True", b"None", b"x",
    "²".encode(), "٣".encode(), b"10**9", b"1<<9", b"'9'",
)  # fmt: skip
_NUMBER = re.compile(rb"(?<![\w.])\d+(?!\w)")
_SQL = (
    b"SELECT", b"ALTER TABLE", b"DROP TABLE IF EXISTS", b"CREATE INDEX CONCURRENTLY", b"UPDATE", b"SET", b"DELETE FROM",
    b"WHERE", b"ADD COLUMN", b"NOT NULL", b"DEFAULT", b"CHECK (", b"REFERENCES", b"BEGIN;", b"COMMIT;", b"--", b"/*",
    b"*/", b"$$", b"$a$", b"'", b"''", b'"', b"`", b"(", b")", b",", b";", b";;", b"::", b"%s", b"%%", b"{}", b"\\\\",
    b"E'\\\\'", b"DO $$ BEGIN", b"END $$", b"DELIMITER //", b"CASCADE", b"public.", b"SET lock_timeout = '5s'", b"x",
    b"VALIDATE CONSTRAINT", b"RENAME TO", b"TRUNCATE", b"LOCK TABLE", b"VACUUM FULL", b"INSERT INTO", b"VALUES", b"\\0",
    b"WITH RECURSIVE a AS (", b"UNION ALL", b"CASE WHEN", b"((((((((((", b"1" * 400, b"PRAGMA foreign_keys = OFF",
)  # fmt: skip
_COMMENTS = (
    b"# miglint: ignore", b"# miglint: ignore[]", b"# miglint: ignore[MG201]", b"# miglint: ignore[ALL]",
    b"# miglint: ignore[MG201,remove-field] -- why # and\x20", b"# miglint: ignore-file[MG301] -- \x1b[31mred",
    b"# miglint: ignore-file[MG9, MG201,,]", b"# miglint: ignore[" + b"MG201," * 50 + b"]",
    b"# miglint:ignore[\xc3\xa9]",
    b"#miglint: ignore[MG501] -- a --b # c # d", b"# miglint: ignore[[MG201]]", b"# miglint: ignores[MG201]",
)  # fmt: skip
_SETTINGS = (
    b'database = "mysql"', b'database = "sqlite"', b'database = "oracle"', b'database-version = "8"', b"select = []",
    b'select = ["ALL"]', b'ignore = ["MG"]', b'ignore = ["ALL"]', b'severity = {MG201 = "info"}', b'exclude = ["**"]',
    b'exclude = ["[", "*.py", "a/**/b", "[]]", "!x", "[!]"]', b'apps = {"shop" = "billing"}', b'apps = {"." = ""}',
    b'settings-file = "config/settings.py"', b'settings-file = "/dev/null"', b'settings-file = "../../x"',
    b'environment = "."', b'environment = "\\u0000"', b'base = ""',
    b'plugins = ["x"]', b'start-after = {shop = "0001"}',
    b'start-after = {shop = "0001_initial"}', b'baseline = "shop"', b'baseline = "\\u0000"', b'hot-tables = ["*"]',
    b'small-tables = ["shop_*", "["]', b'table-sizes = "miglint.toml"', b"large-table-rows = 0",
    b"large-table-rows = -1", b"large-table-rows = " + b"9" * 5_000, b"a = " + b"[" * 9_999,
    'start-after = {shop = "²"}'.encode(), b'start-after = {shop = "' + b"9" * 5_000 + b'"}',
    b"require-ignore-reason = true", b'allowed-imports = ["*", ""]', b'deploy = "code-first"', b'deploy = "downtime"',
    b'django-version = "6.0"', b'django-version = "x"', b'django-version = "' + b"9" * 5_000 + b'"', b"[apps]",
    b'per-migration-ignores = {"*" = ["MG2"]}', b'per-migration-ignores = {"[" = ["ALL"]}', b"[tool.miglint]", b"x = [",
    b'"database" = 1', b"database.x = 1", b'[severity]\nMG201 = "loud"', b'unknown-key = "x"', b"select = 'MG201'",
    b'extend-select = ["ALL"]', b"\xff", b"a = 1979-05-27T07:32:00Z", b"a = nan", b"[[apps]]", b"path = 'x'",
)  # fmt: skip
_NAMES = (
    "0001_initial.py", "__init__.py", "0002_x.py", "1.py", "x y.py", "é.py", "a\x1b[31mb.py", "a\nb.py", "class.py",
    "0003_.py", "0000_zero.py", "99999999999999999999_x.py", "0002-x.py", "x.sql", "models.py", "_x.py", "a.b.py",
    "caf\udce9.py",
)  # fmt: skip
_PLACES = ("setup.py", "config/manage.py", "shop/pyproject.toml", "shop/pyvenv.cfg", "x/migrations/0001_x.py")


class Mutator:
    """Changes projects as the dice say."""

    def __init__(self, dice: random.Random, pieces: Pieces) -> None:
        self._dice = dice
        self._pieces = pieces
        # The deeper a change lets a file be read, the more often it is made.
        self._changes: Sequence[tuple[int, Callable[[Files], None]]] = (
            (14, self._exchange_expressions),
            (8, self._exchange_strings),
            (8, self._exchange_arguments),
            (10, self._change_operations),
            (8, self._change_edges),
            (5, self._exchange_statements),
            (4, self._change_sql),
            (3, self._nest),
            (3, self._repeat),
            (6, self._change_tokens),
            (4, self._change_numbers),
            (3, self._change_lines),
            (4, self._change_bytes),
            (3, self._comment),
            (3, self._set),
            (4, self._move_files),
        )
        self._weights = [weight for weight, _ in self._changes]

    def mutate(self, files: Files) -> Files:
        """A project after a few changes."""
        changed = dict(files)
        for _ in range(self._dice.choice((1, 1, 2, 2, 3, 4, 6, 10))):
            ((_, change),) = self._dice.choices(self._changes, self._weights)
            change(changed)
        return changed

    # -- choices -------------------------------------------------------------------------------------

    def _one(self, of: Sequence[T]) -> T:
        return self._dice.choice(of)

    def _python(self, files: Files) -> str:
        """A file to change, most often a migration."""
        paths = sorted(path for path in files if path.endswith(".py"))
        migrations = [path for path in paths if "/migrations/" in path and not path.endswith("__init__.py")]
        return self._one(migrations if migrations and self._dice.random() < 0.9 else paths or ["manage.py"])

    def _replace(self, files: Files, choose: Callable[[Files, str, bytes], tuple[Span, bytes] | None]) -> None:
        """Puts other bytes into a place of a file, where there is such a place."""
        path = self._python(files)
        text = files.get(path, b"")
        chosen = choose(files, path, text)
        if chosen is not None:
            (start, end), other = chosen
            files[path] = text[:start] + other + text[end:]

    # -- what parses, mostly -------------------------------------------------------------------------

    def _exchange(self, files: Files, kind: str) -> None:
        def choose(files: Files, path: str, text: bytes) -> tuple[Span, bytes] | None:
            known = parts(text)
            spans = getattr(known, kind) if known is not None else ()
            if not spans:
                return None
            near = [text[start:end] for start, end in spans]
            pieces = getattr(self._pieces, kind)
            if kind == "expressions" and self._dice.random() < 0.2:
                pieces = _EXPRESSIONS
            return self._one(spans), self._one(near if self._dice.random() < 0.4 else pieces)

        self._replace(files, choose)

    def _exchange_expressions(self, files: Files) -> None:
        self._exchange(files, "expressions")

    def _exchange_statements(self, files: Files) -> None:
        if self._dice.random() < 0.6:
            self._exchange(files, "statements")
        else:
            self._insert_statement(files)

    def _insert_statement(self, files: Files) -> None:
        def choose(files: Files, path: str, text: bytes) -> tuple[Span, bytes] | None:
            known = parts(text)
            if known is None or not known.statements:
                return None
            start, end = self._one(known.statements)
            line = text.rfind(b"\n", 0, start) + 1
            indent = text[line:start] if not text[line:start].strip() else b""
            lines = self._one(_STATEMENTS).splitlines(keepends=True)
            if self._dice.random() < 0.3:  # around it
                lines = [lines[0], *(b"    " + each for each in text[line:end].splitlines(keepends=True)), b"\n"]
            return Span(line, line if len(lines) < 3 else end), b"".join(indent + each for each in lines)

        self._replace(files, choose)

    def _exchange_strings(self, files: Files) -> None:
        if self._dice.random() < 0.8:
            self._exchange(files, "strings")
            return

        def choose(files: Files, path: str, text: bytes) -> tuple[Span, bytes] | None:
            known = parts(text)
            if known is None or not known.strings:
                return None
            return self._one(known.strings), b"'" + self._one((*_KEYS, *_BYTES)) + b"'"

        self._replace(files, choose)

    def _exchange_arguments(self, files: Files) -> None:
        """Another argument, none, one more, another name."""

        def choose(files: Files, path: str, text: bytes) -> tuple[Span, bytes] | None:
            known = parts(text)
            if known is None or not known.arguments:
                return None
            start, end = self._one(known.arguments)
            here = text[start:end]
            other = self._one(self._pieces.arguments)
            after = end + (text[end : end + 1] == b",")
            return self._one(
                (
                    (Span(start, end), other),
                    (Span(start, after), b""),
                    (Span(start, start), other + b", "),
                    (Span(start, start), here + b", "),
                    (Span(start, end), here.rpartition(b"=")[2] or b"None"),
                    (Span(start, end), other.partition(b"=")[0] + b"=" + (here.partition(b"=")[2] or here)),
                    (Span(start, start), self._one((b"*", b"**"))),
                )
            )

        self._replace(files, choose)

    def _change_operations(self, files: Files) -> None:
        """Operations deleted, doubled, moved, taken from elsewhere, nested."""

        def choose(files: Files, path: str, text: bytes) -> tuple[Span, bytes] | None:
            known = parts(text)
            if known is None or not known.operations:
                return None
            start, end = self._one(known.operations)
            here, other = text[start:end], self._one(self._pieces.operations)
            near = self._one([text[a:b] for a, b in known.operations])
            wrapped = self._one(
                (
                    b"migrations.SeparateDatabaseAndState(state_operations=[%s], database_operations=[%s])"
                    % (here, other),
                    b"migrations.SeparateDatabaseAndState([%s])" % here,
                    b"migrations.RunSQL('SELECT 1', state_operations=[%s])" % here,
                    b"*([%s] if x else [%s])" % (here, other),
                    b"*[%s, *[%s]]" % (here, other),
                    b"migrations.RunPython(%s, %s)" % (here, other),
                )
            )
            after = end + (text[end : end + 1] == b",")
            return self._one(
                (
                    (Span(start, after), b""),
                    (Span(start, end), here + b", " + here),
                    (Span(start, end), other),
                    (Span(start, start), other + b", "),
                    (Span(start, end), near),
                    (Span(start, end), near + b", " + here),
                    (Span(start, end), wrapped),
                )
            )

        self._replace(files, choose)

    def _change_edges(self, files: Files) -> None:
        keys = [path.split("/") for path in sorted(files) if "/migrations/" in path and path.endswith(".py")]

        def key() -> bytes:
            if keys and self._dice.random() < 0.8:
                found = self._one(keys)
                return b"('%s', '%s')" % (found[-3].encode(errors="replace"), _quoted(found[-1].removesuffix(".py")))
            return b"(%r, %r)" % (self._one(_KEYS).decode(), self._one(_KEYS).decode())

        def choose(files: Files, path: str, text: bytes) -> tuple[Span, bytes] | None:
            known = parts(text)
            if known is None or not known.edges:
                return None
            start, end = self._one(known.edges)
            several = b"[%s]" % b", ".join(key() for _ in range(self._dice.randrange(4)))
            if self._dice.random() < 0.5:
                return Span(start, end), self._one((several, several, self._one(self._pieces.edges)))
            name = self._one((b"run_before", b"replaces", b"dependencies", b"atomic", b"initial"))
            return Span(end, end), b"\n    %s = %s" % (name, several)

        self._replace(files, choose)

    def _change_sql(self, files: Files) -> None:
        def choose(files: Files, path: str, text: bytes) -> tuple[Span, bytes] | None:
            known = parts(text)
            if known is None or not known.operations:
                return None
            words = [self._one(_SQL) for _ in range(self._dice.choice((1, 3, 8, 30)))]
            near = [text[a:b].strip(b"'\" ") for a, b in known.strings]
            words += [self._one(near)] if near else []
            self._dice.shuffle(words)
            sql = b" ".join(words).replace(b"'", b"\\'").replace(b"\n", b" ")
            start, end = self._one(known.operations)
            operation = self._one((b"RunSQL('%s')", b"RunSQL('%s', '%s')", b"RunSQL(['%s', ('%s', [])])"))
            return Span(start, end), b"migrations." + operation.replace(b"%s", sql)

        self._replace(files, choose)

    def _change_numbers(self, files: Files) -> None:
        """Another number, in the code or in a text: a length, a place, a version, an id."""

        def choose(files: Files, path: str, text: bytes) -> tuple[Span, bytes] | None:
            spans = [found.span() for found in _NUMBER.finditer(text)]
            return (Span(*self._one(spans)), self._one(_NUMBERS)) if spans else None

        self._replace(files, choose)

    # -- what is deep or long ------------------------------------------------------------------------

    def _nest(self, files: Files) -> None:
        def choose(files: Files, path: str, text: bytes) -> tuple[Span, bytes] | None:
            known = parts(text)
            if known is None or not known.expressions:
                return None
            start, end = self._one(known.expressions)
            here = text[start:end]
            if len(here) > 2_000:
                return None
            deep = self._dice.choice((3, 20, 60, 95, 105, 190, 210, 450, 600, 3_000))
            before, after = self._one(
                (
                    (b"(", b")"), (b"[", b"]"), (b"{'a': ", b"}"), (b"f(", b")"), (b"not ", b""), (b"-", b""),
                    (b"", b".x"), (b"", b"()"), (b"", b".filter(n=1)"), (b"", b"[0]"), (b"", b" + 1"),
                    (b"lambda: ", b""), (b"", b" if x else 0"),
                    (b"", b" 'a'"), (b"1 if x else ", b""), (b"", b" or x"), (b"", b" | x"), (b"*", b""),
                    (b"migrations.SeparateDatabaseAndState([", b"])"), (b"f'{", b"}'"),
                )
            )  # fmt: skip
            return Span(start, end), before * deep + here + after * deep

        self._replace(files, choose)

    def _repeat(self, files: Files) -> None:
        """The same again and again: literals, lists, statements."""

        def choose(files: Files, path: str, text: bytes) -> tuple[Span, bytes] | None:
            known = parts(text)
            if known is None:
                return None
            kind = self._one(("strings", "arguments", "statements", "operations"))
            spans = getattr(known, kind)
            if not spans:
                return None
            start, end = self._one(spans)
            here = text[start:end]
            often = min(self._dice.choice((2, 30, 300, 1_500)), 30_000 // max(len(here), 1) + 2)
            if kind == "strings":
                return Span(start, end), b"'" + here.strip(b"'\"").replace(b"\n", b" ") * often + b"'"
            between = b", " if kind != "statements" else b"\n" + b" " * (start - text.rfind(b"\n", 0, start) - 1)
            return Span(start, end), between.join([here] * often)

        self._replace(files, choose)

    # -- what parses rarely --------------------------------------------------------------------------

    def _change_tokens(self, files: Files) -> None:
        path = self._python(files)
        tokens = _TOKEN.findall(files.get(path, b"")) or [b""]
        for _ in range(self._dice.choice((1, 1, 2, 5))):
            at = self._dice.randrange(len(tokens))
            kind = self._dice.randrange(5)
            if kind == 0:
                tokens[at] = self._one(_WORDS)
            elif kind == 1:
                tokens[at] = b""
            elif kind == 2:
                tokens.insert(at, b" " + self._one(_WORDS) + b" ")
            elif kind == 3:
                other = self._dice.randrange(len(tokens))
                tokens[at], tokens[other] = tokens[other], tokens[at]
            else:
                tokens[at] = self._one(tokens)
        files[path] = b"".join(tokens)

    def _change_lines(self, files: Files) -> None:
        path = self._python(files)
        lines = files.get(path, b"").splitlines(keepends=True) or [b""]
        at, other = self._dice.randrange(len(lines)), self._dice.randrange(len(lines))
        kind = self._dice.randrange(6)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(other, lines[at])
        elif kind == 2:
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == 3:
            lines[at] = self._one((b" ", b"\t", b"        ")) + lines[at]
        elif kind == 4:
            lines[at] = lines[at].lstrip()
        else:
            del lines[at:]
        files[path] = b"".join(lines)

    def _change_bytes(self, files: Files) -> None:
        path = self._python(files) if self._dice.random() < 0.9 or not files else self._one(sorted(files))
        data = bytearray(files.get(path, b""))
        for _ in range(self._dice.choice((1, 1, 2, 8))):
            at = self._dice.randrange(len(data) + 1)
            kind = self._dice.randrange(4)
            if kind == 0:
                data[at:at] = self._one(_BYTES)
            elif kind == 1:
                del data[at : at + self._dice.choice((1, 1, 10, 100))]
            elif kind == 2 and at < len(data):
                data[at] = self._dice.randrange(256)
            else:
                data[at:at] = data[at : at + self._dice.choice((1, 10, 200))]
        files[path] = bytes(data)

    # -- what is beside ------------------------------------------------------------------------------

    def _comment(self, files: Files) -> None:
        path = self._python(files)
        lines = files.get(path, b"").split(b"\n")
        at = self._dice.randrange(len(lines))
        lines[at] += b"  " + self._one(_COMMENTS) if self._dice.random() < 0.7 else b"\n" + self._one(_COMMENTS)
        files[path] = b"\n".join(lines)

    def _set(self, files: Files) -> None:
        lines = [self._one(_SETTINGS) for _ in range(self._dice.choice((1, 1, 2, 4)))]
        if self._dice.random() < 0.1:
            files["pyproject.toml"] = b"[tool.miglint]\n" + b"\n".join(lines) + b"\n"
            files.pop("miglint.toml", None)
        else:
            files["miglint.toml"] = b"\n".join([*lines, files.get("miglint.toml", b"")])

    def _move_files(self, files: Files) -> None:
        path = self._python(files)
        text = files.get(path, b"")
        folder, _, _ = path.rpartition("/")
        name = self._one(_NAMES)
        kind = self._dice.randrange(5)
        other = self._python(files)
        if kind == 0:
            files.pop(path, None)
        elif kind == 1:
            files[f"{folder}/{name}" if folder else name] = files.pop(path, b"")
        elif kind == 2:
            files[f"{other.rpartition('/')[0] or 'x'}/{path.rpartition('/')[2]}"] = text
        elif kind == 3:
            files[path], files[other] = files.get(other, b""), text
        else:
            files[self._one(_PLACES)] = text


def _quoted(name: str) -> bytes:
    return name.encode("unicode_escape").replace(b"'", b"\\'")
