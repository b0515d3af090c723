"""What an SQL text says: its statements, and what each does to tables.

The words come from sqlglot's tokenizer (comments, strings, dollar quotes, each dialect's quoting); the grammar is
the part of DDL that migrations use. A statement that is none of these keeps its first words; `?` before them says
that what it does is not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

# Raised whenever the shape or the meaning of statements changes: remembered ones of another version are not used.
SQL_VERSION = 10

_DIALECTS = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite"}
# Nobody writes a condition in so many parentheses; each takes a pass over the words.
_MAX_NESTED = 20
# Longer texts are data dumps: reading them takes long and says nothing.
_MAX_LENGTH = 500_000


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One effect of an SQL statement; `verb` is an action's name (`add-column`) or the first words (`grant`).

    `concurrent` statements cannot run in a transaction; `alone` is false where the text holds further statements.
    """

    verb: str
    text: str = ""
    table: str = ""
    name: str = ""
    new_name: str = ""
    columns: tuple[str, ...] = ()
    # The columns that a CHECK says to be not NULL, whatever else it asks.
    not_null: tuple[str, ...] = ()
    to: str = ""
    type: str | None = None
    made: tuple[Statement, ...] = ()
    flags: frozenset[str] = frozenset()
    alone: bool = True


class _Word(NamedTuple):
    text: str
    kind: Literal["word", "name", "string", "symbol"]
    start: int
    end: int

    @property
    def upper(self) -> str:
        return self.text.upper() if self.kind == "word" else self.text if self.kind == "symbol" else ""


def read_sql(text: str, vendor: str) -> tuple[Statement, ...]:
    """The statements of a text, one per effect (`ALTER TABLE a ADD b, DROP c` gives two)."""
    if len(text) > _MAX_LENGTH:
        return (Statement(verb="?", text=text[:200]),)
    words = _words(text, _DIALECTS.get(vendor, "postgres"))
    if words is None:
        return (Statement(verb="?", text=text),)
    parts = _split(words)
    statements: list[Statement] = []
    for part in parts:
        source = text[part[0].start : part[-1].end + 1]
        for statement in _Reader(part).read():
            statements.append(_with(statement, text=source, alone=len(parts) == 1))
    return tuple(statements)


def _with(statement: Statement, **more: Any) -> Statement:
    return replace(statement, **more)


def _words(text: str, dialect: str) -> list[_Word] | None:
    """The words of a text, None where it cannot be cut into words."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tokens = sqlglot.tokenize(text, read=dialect)
    except (SqlglotError, RecursionError):
        return None
    words: list[_Word] = []
    after_command = False
    for token in tokens:
        kind = token.token_type.name
        if kind == "STRING" and after_command:
            # The tokenizer keeps the rest of some statements (VACUUM, REINDEX, LOCK) as one string.
            found = re.finditer(r"\"[^\"]*\"|`[^`]*`|\w+|[^\w\s;]", token.text)
            words.extend(_command_word(part.group(), token.start, token.end) for part in found)
        elif kind in ("IDENTIFIER",):
            words.append(_Word(token.text, "name", token.start, token.end))
        elif "STRING" in kind:
            words.append(_Word(token.text, "string", token.start, token.end))
        elif re.match(r"\w", token.text):
            words.extend(_Word(part, "word", token.start, token.end) for part in token.text.split())
        else:
            words.append(_Word(token.text, "symbol", token.start, token.end))
        after_command = kind in ("COMMAND", "LOCK", "EXECUTE", "SHOW", "REFRESH", "KILL", "ANALYZE", "COPY", "RENAME")
    return words


def _command_word(text: str, start: int, end: int) -> _Word:
    if text.startswith(('"', "`")) and len(text) > 1:
        return _Word(text[1:-1], "name", start, end)
    return _Word(text, "word" if re.match(r"\w", text) else "symbol", start, end)


def _split(words: list[_Word]) -> list[list[_Word]]:
    """The words of each statement; a body between BEGIN and END (a trigger's) is not split."""
    parts: list[list[_Word]] = []
    part: list[_Word] = []
    depth = 0
    for word in words:
        inside = (
            bool(part)
            and part[0].upper == "CREATE"
            and any(w.upper in ("TRIGGER", "PROCEDURE", "FUNCTION") for w in part[:6])
        )
        if inside and word.upper in ("BEGIN", "CASE"):
            depth += 1
        elif inside and depth and word.upper == "END":
            depth -= 1
        if word.upper == ";" and word.kind == "symbol" and not depth:
            if part:
                parts.append(part)
            part = []
        else:
            part.append(word)
    return [*parts, part] if part else parts


# By what PostgreSQL calls their volatility.
VOLATILE_FUNCTIONS = {
    "RANDOM",
    "GEN_RANDOM_UUID",
    "UUID_GENERATE_V4",
    "UUID_GENERATE_V1",
    "CLOCK_TIMESTAMP",
    "NEXTVAL",
    "TIMEOFDAY",
}
# Statements that change rows.
_CHANGES = ("UPDATE", "DELETE", "INSERT")
# Objects that belong to a table: what makes or drops them locks it.
_ATTACHED = ("trigger", "policy", "rule")
_SERIAL = {"SERIAL", "BIGSERIAL", "SMALLSERIAL"}
# Statements that touch no table's rows or definition.
_HARMLESS = {
    "SELECT", "SET", "RESET", "SHOW", "GRANT", "REVOKE", "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT",
    "RELEASE", "COMMENT", "PRAGMA", "VALUES", "USE", "ANALYZE", "VACUUM", "CLUSTER", "LOCK", "END", "NOTIFY",
    "LISTEN", "DISCARD", "CHECKPOINT", "DEALLOCATE", "SECURITY",
}  # fmt: skip
_HARMLESS_OBJECTS = {
    "EXTENSION", "TYPE", "DOMAIN", "SEQUENCE", "SCHEMA", "FUNCTION", "PROCEDURE", "COLLATION", "ROLE", "VIEW",
    "POLICY", "STATISTICS", "TRIGGER", "MATERIALIZED", "AGGREGATE", "OPERATOR", "CAST", "PUBLICATION", "DATABASE",
    "TEXT", "RULE", "TABLESPACE", "SYSTEM", "EVENT", "SERVER", "FOREIGN", "LANGUAGE", "USER", "SUBSCRIPTION",
    "PRIVILEGES",
}  # fmt: skip
# What stands before and after the name in statements that PostgreSQL may refuse in a transaction.
_TOLD_APART: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("DISCARD", "ALL"), ()),
    (("ALTER", "TYPE"), ("ADD", "VALUE")),
    (("ALTER", "DATABASE"), ("SET", "TABLESPACE")),
)


class _Reader:
    """Reads one statement from left to right."""

    def __init__(self, words: list[_Word]) -> None:
        self.words = words
        self.at = 0

    # -- words ------------------------------------------------------------------------------------------

    def peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.words[place].upper if place < len(self.words) else ""

    def skip(self, *texts: str) -> bool:
        """Passes the words if they come next."""
        if all(self.peek(ahead) == text for ahead, text in enumerate(texts)):
            self.at += len(texts)
            return True
        return False

    def _guard(self, *texts: str) -> frozenset[str]:
        """The flag of a statement that may run twice, where the words come next."""
        return frozenset({"guarded"} if self.skip(*texts) else ())

    def name(self) -> str:
        """A possibly qualified name; the schema `public` is left out. "" where none comes."""
        parts: list[str] = []
        while self.at < len(self.words) and self.words[self.at].kind in ("word", "name"):
            word = self.words[self.at]
            parts.append(word.text if word.kind == "name" else word.text.lower())
            self.at += 1
            if not self.skip("."):
                break
        if len(parts) > 1 and parts[0] in ("public", "main"):
            parts = parts[1:]
        return ".".join(parts)

    def group(self) -> list[_Word]:
        """The words in the parentheses that come next."""
        if self.peek() != "(":
            return []
        depth, start = 0, self.at + 1
        while self.at < len(self.words):
            depth += {"(": 1, ")": -1}.get(self.peek(), 0)
            self.at += 1
            if depth == 0:
                return self.words[start : self.at - 1]
        return self.words[start:]

    def names(self) -> tuple[str, ...]:
        """Plain names in parentheses; empty where one is an expression."""
        found: list[str] = []
        for part in _by_comma(self.group()):
            if any(word.upper in ("(", "+", "-", "||") for word in part):
                return ()
            found.append(part[0].text if part[0].kind == "name" else part[0].text.lower())
        return tuple(found)

    def rest(self) -> set[str]:
        """The remaining words outside parentheses."""
        depth, found = 0, set()
        for word in self.words[self.at :]:
            depth += {"(": 1, ")": -1}.get(word.upper, 0)
            if depth == 0:
                found.add(word.upper)
        return found

    # -- statements -------------------------------------------------------------------------------------

    def read(self) -> Iterator[Statement]:
        first = self.peek()
        reader: dict[str, Callable[[], Iterator[Statement]]] = {
            "CREATE": self._create,
            "ALTER": self._alter,
            "DROP": self._drop,
            "TRUNCATE": self._truncate,
            "UPDATE": self._update,
            "DELETE": self._delete,
            "INSERT": self._insert,
            "REPLACE": self._insert,
            "REINDEX": self._reindex,
            "VACUUM": self._vacuum,
            "ANALYZE": self._analyze,
            "CLUSTER": self._cluster,
            "REFRESH": self._refresh,
            "COMMENT": self._comment,
            "LOCK": self._lock,
            "MERGE": self._merge,
            "WITH": self._with,
            "RENAME": self._rename,
            "SELECT": self._select,
        }
        found = list(reader[first]()) if first in reader else []
        yield from found or [self._other()]

    def _other(self) -> Statement:
        self.at = 0
        words = [word.upper for word in self.words]
        verb = words[0].lower()
        if words[:2] == ["ALTER", "TABLE"]:
            verb = " ".join(words[:2]).lower()
        known = words[0] in _HARMLESS or (
            words[0] in ("CREATE", "ALTER", "DROP") and bool(_HARMLESS_OBJECTS & set(words[1:5]))
        )
        if words[0] == "SELECT" and any(word.endswith("_SELECT") or word in ("INTO",) for word in words):
            known = False
        if words[0] in ("CREATE", "ALTER", "DROP") and known:
            verb = f"{verb} {next((w for w in words[1:5] if w in _HARMLESS_OBJECTS), '').lower()}"
        table = ""
        verb = self._told_apart() or verb
        if verb.partition(" ")[2] in _ATTACHED or verb == "create statistics":
            table = self._after({"create statistics": "FROM", "create rule": "TO"}.get(verb, "ON"))
        return Statement(verb=verb if known else f"?{verb}", table=table)

    def _told_apart(self) -> str:
        """The verb of a statement that its object's name parts from the words that matter, "" for all others."""
        for before, after in _TOLD_APART:
            self.at = 0
            if self.skip(*before) and (not after or self.name()) and self.skip(*after):
                return " ".join((*before, *after)).lower()
        return ""

    def _after(self, word: str) -> str:
        for place, found in enumerate(self.words):
            if found.upper == word:
                self.at = place + 1
                return self.name()
        return ""

    def _create(self) -> Iterator[Statement]:
        self.at += 1
        self.skip("OR", "REPLACE")
        unique = self.skip("UNIQUE")
        if self.skip("INDEX"):
            yield from self._create_index(unique)
            return
        while self.skip("TEMP") or self.skip("TEMPORARY") or self.skip("UNLOGGED"):
            pass
        if self.skip("TABLE"):
            guarded = self._guard("IF", "NOT", "EXISTS")
            table = self.name()
            yield Statement(verb="create-table", table=table, columns=self._parted(), made=self._made(), flags=guarded)
            if self.skip("PARTITION", "OF"):
                yield Statement(verb="create partition", table=self.name())
            for to in _referenced(self.words[self.at :]):
                yield Statement(verb="reference", table=table, to=to)
            yield from self._reads()
        elif self.skip("MATERIALIZED", "VIEW"):
            guarded = self._guard("IF", "NOT", "EXISTS")
            yield Statement(verb="create-table", table=self.name(), flags=guarded | {"materialized"})
            yield from self._reads()
        elif self.skip("DOMAIN"):
            yield from self._create_domain()

    def _made(self) -> tuple[Statement, ...]:
        """The columns that a table is made with."""
        parts = _by_comma(_Reader(self.words[self.at :]).group())
        named = [part for part in parts if part[0].upper not in _NO_COLUMN and len(part) > 1]
        return tuple(_Reader(part[1:])._column(_Reader(part[:1]).name()) for part in named)

    def _parted(self) -> tuple[str, ...]:
        """The columns of PARTITION BY, where it stands in a definition; an expression is none."""
        upper = [word.upper for word in self.words]
        for place in range(self.at, len(upper) - 3):
            if upper[place : place + 2] == ["PARTITION", "BY"]:
                return _Reader(self.words[place + 3 :]).names()
        return ()

    def _create_domain(self) -> Iterator[Statement]:
        name = self.name()
        self.skip("AS")
        base = self._type()
        checked = bool({"CHECK"} & self.rest()) or ("NOT", "NULL") in pairwise(word.upper for word in self.words)
        flags = frozenset({"checked"} if checked else {"unchecked"})
        yield Statement(verb="define-domain", name=name, type=base, flags=flags)

    def _alter_domain(self) -> Iterator[Statement]:
        """What it has the tables do that use the domain."""
        name = self.name()
        if self.skip("ADD"):
            constraint = self.name() if self.skip("CONSTRAINT") else ""
            flags = frozenset({"not-valid"} if "VALID" in self.rest() else ())
            yield Statement(verb="add-domain-check", type=name, name=constraint, flags=flags)
            yield Statement(verb="define-domain", name=name, flags=frozenset({"checked"}))
        elif self.skip("SET", "NOT", "NULL"):
            yield Statement(verb="add-domain-check", type=name, name="NOT NULL")
            yield Statement(verb="define-domain", name=name, flags=frozenset({"checked"}))
        elif self.skip("VALIDATE", "CONSTRAINT"):
            yield Statement(verb="validate-domain", type=name, name=self.name())

    def _reads(self) -> Iterator[Statement]:
        """The tables that a query within the statement reads: all of them, where it has no WHERE."""
        words = self.words[self.at :]
        upper = [word.upper for word in words]
        if "SELECT" not in upper or upper[-3:] == ["WITH", "NO", "DATA"]:
            return
        flags = frozenset({"where"} if "WHERE" in upper else ())
        named = {words[place].text for place, pair in enumerate(pairwise(upper[1:])) if pair == ("AS", "(")}
        for place, after in enumerate(words[1:]):
            if upper[place] in ("FROM", "JOIN") and after.text not in {"(", *named}:
                yield Statement(verb="read rows", table=_Reader(words[place + 1 :]).name(), flags=flags)

    def _select(self) -> Iterator[Statement]:
        words = [word.upper for word in self.words]
        if "INTO" in words:
            self.at = words.index("INTO") + 1
            while self.peek() in ("TEMP", "TEMPORARY", "UNLOGGED", "TABLE"):
                self.at += 1
            yield Statement(verb="create-table", table=self.name())
            self.at = 0
            yield from self._reads()
            return
        locking = {("FOR", "UPDATE"), ("FOR", "SHARE"), ("FOR", "NO"), ("FOR", "KEY")}
        if locking & set(pairwise(words)):
            yield from (_with(read, verb="lock rows") for read in self._reads())

    def _create_index(self, unique: bool) -> Iterator[Statement]:
        flags = {"unique"} if unique else set()
        if self.skip("CONCURRENTLY"):
            flags.add("concurrently")
        flags |= self._guard("IF", "NOT", "EXISTS")
        name = "" if self.peek() == "ON" else self.name()
        method = None
        if self.skip("USING"):
            method = self.name()
        if not self.skip("ON"):
            return
        if self.skip("ONLY"):
            flags.add("only")
        table = self.name()
        if self.skip("USING"):
            method = self.name()
        columns = self.names()
        yield Statement(
            verb="create-index", table=table, name=name, columns=columns, type=method, flags=frozenset(flags)
        )

    def _drop(self) -> Iterator[Statement]:
        self.at += 1
        if self.skip("INDEX"):
            flags = frozenset({"concurrently"}) if self.skip("CONCURRENTLY") else frozenset()
            flags |= self._guard("IF", "EXISTS")
            for index in self._list():
                table = self.name() if self.skip("ON") else ""
                yield Statement(verb="drop-index", name=index, table=table, flags=flags)
        elif self.skip("TABLE"):
            flags = self._guard("IF", "EXISTS")
            flags |= self._cascade()
            for table in self._list():
                yield Statement(verb="drop-table", table=table, flags=flags)
        elif self.skip("TYPE") or self.skip("DOMAIN"):
            flags = self._guard("IF", "EXISTS") | self._cascade()
            for name in self._list():
                yield Statement(verb="drop-type", name=name, flags=flags)

    def _cascade(self) -> frozenset[str]:
        return frozenset({"cascade"} & {word.text.lower() for word in self.words[-1:] if word.kind == "word"})

    def _list(self) -> Iterator[str]:
        while name := self.name():
            yield name
            if not self.skip(","):
                return

    def _truncate(self) -> Iterator[Statement]:
        self.at += 1
        self.skip("TABLE")
        self.skip("ONLY")
        cascade = self._cascade()
        for table in self._list():
            yield Statement(verb="truncate", table=table, flags=cascade)

    def _rename(self) -> Iterator[Statement]:
        self.at += 1
        if self.skip("TABLE"):
            table = self.name()
            if self.skip("TO"):
                yield Statement(verb="rename-table", table=table, new_name=self.name())

    def _where(self) -> frozenset[str]:
        rest = self.rest()
        return frozenset({"where"} if rest & {"WHERE", "LIMIT"} else ())

    def _update(self) -> Iterator[Statement]:
        self.at += 1
        self.skip("ONLY")
        table = self.name()
        columns: list[str] = []
        for place in range(self.at, len(self.words) - 1):
            if self.words[place + 1].upper == "=" and self.words[place - 1].upper in ("SET", ","):
                columns.append(self.words[place].text)
        if table:
            flags = self._where() | ({"by-value"} if self._picks_by_value(columns) else set())
            yield Statement(verb="update", table=table, columns=tuple(columns), flags=flags)

    def _picks_by_value(self, columns: list[str]) -> bool:
        """Whether WHERE picks rows by a value of a column that is set: `SET state = 'b' WHERE state = 'a'`."""
        words = self.words
        start = next((place for place, word in enumerate(words) if word.upper == "WHERE"), len(words))
        if any(word.upper == "NOT" for word in words[start:]):
            return False
        for place in range(start, len(words) - 2):
            if words[place].text in columns and words[place].kind in ("word", "name"):
                operator, value = words[place + 1].upper, words[place + 2]
                if operator == "IN" and value.text == "(" and place + 3 < len(words):
                    operator, value = "=", words[place + 3]
                if operator == "=" and ((value.kind == "string" and value.text) or value.text.isdigit()):
                    return True
                if operator == "=" and value.upper in ("TRUE", "FALSE"):
                    return True
        return False

    def _delete(self) -> Iterator[Statement]:
        self.at += 1
        if self.skip("FROM"):
            self.skip("ONLY")
            table = self.name()
            yield Statement(verb="delete", table=table, flags=self._where())

    def _insert(self) -> Iterator[Statement]:
        flags = {"guarded"} if self.peek() == "REPLACE" else set()
        self.at += 1
        if self.skip("IGNORE") or (self.skip("OR") and (self.skip("IGNORE") or self.skip("REPLACE"))):
            flags.add("guarded")
        self.skip("INTO")
        table = self.name()
        words = [word.upper for word in self.words]
        if "CONFLICT" in words or "DUPLICATE" in words or ("EXISTS" in words and "NOT" in words):
            flags.add("guarded")
        if table:
            yield Statement(verb="insert", table=table, flags=frozenset(flags))

    def _with(self) -> Iterator[Statement]:
        """`WITH a AS (…) UPDATE …`: what the named queries change, and the statement after them."""
        while self.at < len(self.words) and self.peek() not in (*_CHANGES, "SELECT"):
            query = self.group()
            if query and query[0].upper in _CHANGES:
                yield from _Reader(query).read()
            elif not query:
                self.at += 1
        if self.at < len(self.words):
            yield from _Reader(self.words[self.at :]).read()

    def _merge(self) -> Iterator[Statement]:
        """What it does to the rows that match, and to those that do not."""
        self.at += 1
        self.skip("INTO")
        self.skip("ONLY")
        table = self.name()
        done = {after.upper for word, after in pairwise(self.words) if word.upper == "THEN"}
        for word in _CHANGES:
            if word in done and table:
                yield Statement(verb=word.lower(), table=table, flags=frozenset({"where", "guarded"}))

    def _lock(self) -> Iterator[Statement]:
        """`LOCK TABLE a, b IN SHARE MODE`, `LOCK TABLES a WRITE, b READ`."""
        words = [word.upper for word in self.words]
        start = words.index("IN") + 1 if "IN" in words else len(words)
        mode = " ".join(words[start : words.index("MODE")] if "MODE" in words[start:] else ()).lower()
        self.at += 1
        if not self.skip("TABLE"):
            self.skip("TABLES")
        for part in _by_comma(self.words[self.at :]):
            reader = _Reader(part)
            reader.skip("ONLY")
            verb = "lock" if mode in ("", "access exclusive") else f"lock {mode}"
            yield Statement(verb=verb, table=reader.name())

    def _reindex(self) -> Iterator[Statement]:
        self.at += 1
        concurrently = _is_on(self.group(), "CONCURRENTLY")
        what = self.peek()
        if what not in ("TABLE", "INDEX", "SCHEMA", "DATABASE", "SYSTEM"):
            return
        self.at += 1
        flags = frozenset({"concurrently"} if self.skip("CONCURRENTLY") or concurrently else ())
        name = self.name()
        table, index = {"TABLE": (name, ""), "INDEX": ("", name)}.get(what, ("", ""))
        whole = None if table or index else what.lower()
        yield Statement(verb="reindex", table=table, name=index, type=whole, flags=flags)

    def _vacuum(self) -> Iterator[Statement]:
        self.at += 1
        full = _is_on(self.group(), "FULL")
        while self.peek() in ("FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"):
            full = full or self.peek() == "FULL"
            self.at += 1
        yield from self._each("vacuum full" if full else "vacuum")

    def _analyze(self) -> Iterator[Statement]:
        self.at += 1
        self.group()
        self.skip("VERBOSE")
        self.skip("TABLE")
        yield from self._each("analyze")

    def _each(self, verb: str) -> Iterator[Statement]:
        """A statement on each of the tables that are listed, with or without columns; on all of them, where none is."""
        tables = [_Reader(part).name() for part in _by_comma(self.words[self.at :])]
        yield from [Statement(verb=verb, table=table) for table in tables] or [Statement(verb=verb)]

    def _cluster(self) -> Iterator[Statement]:
        self.at += 1
        self.group()
        self.skip("VERBOSE")
        table = self.name()
        yield Statement(verb="cluster" if table else "cluster all", table=self.name() if self.skip("ON") else table)

    def _refresh(self) -> Iterator[Statement]:
        self.at += 1
        if self.skip("MATERIALIZED", "VIEW"):
            verb = "refresh concurrently" if self.skip("CONCURRENTLY") else "refresh"
            yield Statement(verb=verb, table=self.name())

    def _comment(self) -> Iterator[Statement]:
        self.at += 1
        if self.skip("ON", "TABLE"):
            yield Statement(verb="comment", table=self.name())
        elif self.skip("ON", "COLUMN"):
            table, _, column = self.name().rpartition(".")
            yield Statement(verb="comment", table=table, name=column)

    # -- ALTER ------------------------------------------------------------------------------------------

    def _alter(self) -> Iterator[Statement]:
        self.at += 1
        if self.skip("INDEX"):
            self.skip("IF", "EXISTS")
            name = self.name()
            if self.skip("RENAME", "TO"):
                yield Statement(verb="rename-index", name=name, new_name=self.name())
            elif self.skip("ATTACH", "PARTITION"):
                yield Statement(verb="alter index", name=name)
            return
        if self.skip("DOMAIN"):
            yield from self._alter_domain()
            return
        if not self.skip("TABLE"):
            return
        self.skip("IF", "EXISTS")
        self.skip("ONLY")
        table = self.name()
        self.skip("*")
        if not table:
            return
        if self.skip("ATTACH", "PARTITION"):
            yield Statement(verb="attach-partition", table=self.name(), to=table)
            yield Statement(verb="attach partition", table=table)
            return
        if self.skip("DETACH", "PARTITION"):
            partition = self.name()
            if self.peek() == "CONCURRENTLY":
                yield Statement(verb="detach partition concurrently", table=table)
            elif self.peek() == "FINALIZE":
                yield Statement(verb="set storage parameters", table=table)
            else:
                yield from (Statement(verb="alter table", table=each) for each in (table, partition))
            return
        for part in _by_comma(self.words[self.at :]):
            clause = list(_Reader(part)._clause())
            yield from (_with(statement, table=table) for statement in clause)
            if not clause:
                first, second = part[0].upper, part[1].upper if len(part) > 1 else ""
                known = "alter table" if first in _OTHER_CLAUSES else "?alter table"
                yield Statement(verb=_CLAUSE_VERBS.get((first, second), known), table=table)

    def _clause(self) -> Iterator[Statement]:
        if self.skip("ADD"):
            yield from self._add()
        elif self.skip("DROP"):
            yield from self._drop_part()
        elif self.skip("RENAME", "TO") or self.skip("RENAME", "AS"):
            yield Statement(verb="rename-table", new_name=self.name())
        elif self.skip("RENAME", "INDEX") or self.skip("RENAME", "KEY"):
            name = self.name()
            self.skip("TO")
            yield Statement(verb="rename-index", name=name, new_name=self.name())
        elif self.peek() == "RENAME" and self.peek(1) != "CONSTRAINT":
            self.at += 1
            self.skip("COLUMN")
            name = self.name()
            self.skip("TO")
            new = self.name()
            if new:
                yield Statement(verb="rename-column", name=name, new_name=new)
        elif self.skip("COMMENT"):
            yield Statement(verb="comment")
        elif self.skip("VALIDATE", "CONSTRAINT"):
            yield Statement(verb="validate-constraint", name=self.name())
        elif self.peek() == "ALTER" and self.peek(1) not in ("CONSTRAINT", "INDEX"):
            self.at += 1
            self.skip("COLUMN")
            yield from self._alter_column(self.name())
        elif self.peek() in ("MODIFY", "CHANGE"):
            changed = self.skip("CHANGE") or not self.skip("MODIFY")
            self.skip("COLUMN")
            name = self.name()
            new = self.name() if changed else name
            stated = self._column(name)
            yield Statement(verb="alter-column-type", name=name, type=stated.type, made=(stated,))
            if new != name:
                yield Statement(verb="rename-column", name=name, new_name=new)

    def _add(self) -> Iterator[Statement]:
        name = self.name() if self.skip("CONSTRAINT") and self.peek() not in _CONSTRAINT_WORDS else ""
        if self.peek() in _CONSTRAINT_WORDS:
            yield from self._constraint(name)
            return
        if self.peek() in ("INDEX", "KEY", "FULLTEXT", "SPATIAL"):
            while self.peek() in ("INDEX", "KEY", "FULLTEXT", "SPATIAL"):
                self.at += 1
            index = self.name()
            yield Statement(verb="create-index", name=index, columns=self.names())
            return
        self.skip("COLUMN")
        guarded = self._guard("IF", "NOT", "EXISTS")
        column = self.name()
        if column:
            found = self._column(column)
            yield _with(found, flags=found.flags | guarded)

    def _constraint(self, name: str) -> Iterator[Statement]:
        not_valid = frozenset({"not-valid"} if "VALID" in self.rest() else ())
        if self.skip("CHECK"):
            words = self.group()
            columns, proven = tuple(_named_in(words)), tuple(_proven_not_null(words))
            yield Statement(verb="add-check", name=name, columns=columns, not_null=proven, flags=not_valid)
        elif self.skip("FOREIGN", "KEY"):
            columns = self.names()
            to = self.name() if self.skip("REFERENCES") else ""
            yield Statement(verb="add-foreign-key", name=name, columns=columns, to=to, flags=not_valid)
        elif self.skip("EXCLUDE"):
            yield Statement(verb="add-exclusion", name=name)
        elif self.peek() in ("UNIQUE", "PRIMARY"):
            verb = "add-unique" if self.skip("UNIQUE") else "add-primary-key"
            self.skip("PRIMARY", "KEY")
            self.skip("INDEX")
            self.skip("KEY")
            if self.skip("USING", "INDEX"):
                yield Statement(verb=verb, name=name, new_name=self.name())
            else:
                name = name or (self.name() if self.peek() != "(" else "")
                yield Statement(verb=verb, name=name, columns=self.names())

    def _type(self) -> str | None:
        """A column's type, as PostgreSQL spells it."""
        words: list[str] = []
        while self.at < len(self.words) and self.peek() not in _AFTER_TYPE and self.peek():
            if self.peek() == "CHARACTER" and self.peek(1) == "SET":
                break
            if self.peek() == "(":
                words[-1:] = [f"{''.join(words[-1:])}({', '.join(w.text for w in self.group() if w.text != ',')})"]
            else:
                words.append(self.peek().lower())
                self.at += 1
        return _canonical(" ".join(words)) or None

    def _column(self, column: str) -> Statement:
        kind = self._type()
        rest = self.words[self.at :]
        words = [word.upper for word in rest]
        text = " ".join(words)
        flags = {
            word
            for word, holds in {
                "not-null": "NOT NULL" in text or "PRIMARY KEY" in text,
                "default": "DEFAULT" in words and "BY DEFAULT" not in text,
                "unique": "UNIQUE" in words or "PRIMARY KEY" in text,
                "check": "CHECK" in words,
                "generated": "GENERATED ALWAYS AS (" in text,
                "identity": "AS IDENTITY" in text or "AUTO_INCREMENT" in words or (kind or "").upper() in _SERIAL,
                "empty": "DEFAULT" not in words,
                "collated": bool({"COLLATE", "CHARSET"} & {*words}) or "CHARACTER SET" in text,
            }.items()
            if holds
        }
        functions = {
            words[place]
            for place in range(1, len(words) - 1)
            if words[place + 1] == "(" and words[place - 1] not in ("REFERENCES", ".")
        }
        stored = "generated" in flags and "VIRTUAL" not in words
        if flags & {"identity"} or stored or (functions & VOLATILE_FUNCTIONS and "default" in flags):
            flags.add("volatile")
        elif "default" in flags and functions - _KNOWN_STABLE - _CONSTRAINT_WORDS:
            flags.add("unknown-default")
        elif kind is not None and not _is_builtin(kind):
            flags.add("unknown-default")  # a domain with a constraint is checked by a rewrite
        to = next(_referenced(rest), "")
        return Statement(verb="add-column", name=column, type=kind, to=to, flags=frozenset(flags))

    def _alter_column(self, column: str) -> Iterator[Statement]:
        if self.skip("SET", "DATA", "TYPE") or self.skip("TYPE"):
            kind = self._type()
            yield Statement(verb="alter-column-type", name=column, type=kind, flags=self._using(column, kind))
        elif self.skip("SET", "STATISTICS") or self.skip("SET", "(") or self.skip("RESET", "("):
            yield Statement(verb="set storage parameters", name=column)
        for words, verb in _COLUMN_CLAUSES.items():
            if self.skip(*words):
                yield Statement(verb=verb, name=column)
                return

    def _using(self, column: str, kind: str | None) -> frozenset[str]:
        """Whether USING gives another value than the column's own ("using"), or that one cast to the new type."""
        while self.at < len(self.words) and not self.skip("USING"):
            self.at += 1
        words = self.words[self.at :]
        for _ in range(_MAX_NESTED):
            if words and words[0].upper == "(" and _closes_at_end(words):
                words = words[1:-1]
        return _Reader(words)._computed(column, kind) if words else frozenset()

    def _computed(self, column: str, kind: str | None) -> frozenset[str]:
        """What the words of an expression make of a column: see `_using`."""
        called = self.skip("CAST", "(")
        own = self.name() == column
        casts = self.skip("AS" if called else "::")
        own = own and (not casts or self._type() == kind) and (not called or self.skip(")"))
        return frozenset({"using"} if not own or self.at < len(self.words) else {"cast"} if casts else ())

    def _drop_part(self) -> Iterator[Statement]:
        if self.skip("CONSTRAINT") or self.skip("FOREIGN", "KEY") or self.skip("CHECK"):
            guarded = self._guard("IF", "EXISTS")
            yield Statement(verb="drop-constraint", name=self.name(), flags=guarded)
        elif self.skip("PRIMARY", "KEY"):
            yield Statement(verb="drop-constraint")
        elif self.skip("INDEX") or self.skip("KEY"):
            yield Statement(verb="drop-index", name=self.name())
        else:
            self.skip("COLUMN")
            guarded = self._guard("IF", "EXISTS")
            column = self.name()
            if column:
                flags = guarded | ({"cascade"} if "CASCADE" in self.rest() else frozenset())
                yield Statement(verb="drop-column", name=column, flags=flags)


def _named_in(words: list[_Word]) -> Iterator[str]:
    """The names in an expression that may be columns."""
    after = [word.upper for word in words[1:]]
    for word, following in zip(words, [*after, ""], strict=False):
        if word.kind == "name":
            yield word.text
        elif word.kind == "word" and word.text[:1].isalpha() and following != "(" and word.upper not in _IN_EXPRESSIONS:
            yield word.text.lower()


def _proven_not_null(words: list[_Word], nested: int = 0) -> Iterator[str]:
    """The columns of `a IS NOT NULL AND (b IS NOT NULL) AND a > 0`; none where not all parts have to hold.

    `nested` is in how many parentheses; in very many nothing is looked for.
    """
    parts: list[list[_Word]] = [[]]
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word.upper, 0)
        if depth == 0 and word.upper in ("OR", "BETWEEN", "CASE", "NOT") and (word.upper != "NOT" or not _is_is(parts)):
            return
        if depth == 0 and word.upper == "AND":
            parts.append([])
        else:
            parts[-1].append(word)
    for part in parts:
        if len(part) == 4 and [word.upper for word in part[1:]] == ["IS", "NOT", "NULL"]:
            yield from _named_in(part[:1])
        elif len(part) > 2 and nested < _MAX_NESTED and _closes_at_end(part):
            yield from _proven_not_null(part[1:-1], nested + 1)


def _is_is(parts: list[list[_Word]]) -> bool:
    """Whether what comes last is the `IS` of `IS NOT`."""
    return bool(parts[-1]) and parts[-1][-1].upper == "IS"


def _closes_at_end(words: list[_Word]) -> bool:
    """Whether the parenthesis that begins the words is closed by their last, and not before."""
    depth = 0
    for at, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word.upper, 0)
        if depth == 0:
            return at == len(words) - 1
    return False


def _is_on(options: list[_Word], option: str) -> bool:
    """Whether the options of a statement, in parentheses, turn one on: `(FULL, VERBOSE FALSE)`."""
    found = [part for part in _by_comma(options) if part[0].upper == option]
    return any(len(part) == 1 or part[1].text.upper() not in ("FALSE", "OFF", "0") for part in found)


def _referenced(words: list[_Word]) -> Iterator[str]:
    """The tables that foreign keys among the words refer to."""
    for place, word in enumerate(words):
        if word.upper == "REFERENCES":
            yield _Reader(words[place + 1 :]).name()


_IN_EXPRESSIONS = {"AND", "OR", "NOT", "IS", "NULL", "IN", "LIKE", "ILIKE", "BETWEEN", "TRUE", "FALSE", "ANY", "ALL"}
_CONSTRAINT_WORDS = {"CHECK", "FOREIGN", "UNIQUE", "PRIMARY", "EXCLUDE", "REFERENCES"}
# What may stand in place of a column in CREATE TABLE.
_NO_COLUMN = {*_CONSTRAINT_WORDS, "CONSTRAINT", "LIKE", "INDEX", "KEY", "FULLTEXT", "SPATIAL", "PERIOD"}
_KNOWN_STABLE = {
    "NOW",
    "CURRENT_TIMESTAMP",
    "LOWER",
    "UPPER",
    "COALESCE",
    "VARCHAR",
    "NUMERIC",
    "CHAR",
    "DECIMAL",
    "AS",
    "DEFAULT",
}
_AFTER_TYPE = {
    "NOT", "NULL", "DEFAULT", "CHECK", "UNIQUE", "PRIMARY", "REFERENCES", "CONSTRAINT", "GENERATED", "COLLATE",
    "USING", ",", ")", "FIRST", "AFTER", "COMMENT", "AUTO_INCREMENT", "DEFERRABLE", "CHARSET",
}  # fmt: skip
_COLUMN_CLAUSES = {
    ("SET", "NOT", "NULL"): "set-not-null",
    ("DROP", "NOT", "NULL"): "drop-not-null",
    ("SET", "DEFAULT"): "set-default",
    ("DROP", "DEFAULT"): "drop-default",
    ("ADD", "GENERATED"): "add-identity",
    ("DROP", "IDENTITY"): "drop-identity",
}
_CLAUSE_VERBS = {
    ("SET", "UNLOGGED"): "set unlogged",
    ("SET", "LOGGED"): "set unlogged",
    ("SET", "TABLESPACE"): "set tablespace",
    ("SET", "("): "set storage parameters",
    ("RESET", "("): "set storage parameters",
    ("CLUSTER", "ON"): "set storage parameters",
    ("SET", "WITHOUT"): "set storage parameters",
    ("ENABLE", "TRIGGER"): "enable trigger",
    ("ENABLE", "ALWAYS"): "enable trigger",
    ("ENABLE", "REPLICA"): "enable trigger",
    ("DISABLE", "TRIGGER"): "enable trigger",
}
# Clauses of ALTER TABLE that change a table's properties only.
_OTHER_CLAUSES = {
    "OWNER",
    "ENABLE",
    "DISABLE",
    "REPLICA",
    "INHERIT",
    "NO",
    "FORCE",
    "RENAME",
    "CLUSTER",
    "SET",
    "RESET",
    "ALTER",
}
_ALIASES = {
    "int": "integer", "int4": "integer", "int8": "bigint", "int2": "smallint", "bool": "boolean",
    "timestamptz": "timestamp with time zone", "float8": "double precision", "decimal": "numeric",
    "character varying": "varchar",
}  # fmt: skip
_BUILTIN = {
    "integer", "bigint", "smallint", "boolean", "text", "varchar", "numeric", "char", "character", "uuid", "json",
    "jsonb", "date", "time", "timestamp", "interval", "bytea", "inet", "double precision", "real",
    "timestamp with time zone", "timestamp without time zone", "serial", "bigserial", "smallserial", "tsvector",
    "citext", "cidr", "money", "xml", "hstore", "datetime", "longtext", "mediumtext", "blob", "tinyint", "float",
    "double", "mediumint", "enum",
}  # fmt: skip


def _canonical(kind: str) -> str:
    kind = re.sub(r" ?\[ ?(\d*) ?\]", r"[\1]", kind)
    base = re.split(r"[(\[]", kind, maxsplit=1)[0]
    return _ALIASES.get(base.strip(), base.strip()) + kind[len(base) :]


def _is_builtin(kind: str) -> bool:
    return kind.partition("(")[0].partition("[")[0].strip() in _BUILTIN


def _by_comma(words: list[_Word]) -> list[list[_Word]]:
    """The parts between commas outside parentheses."""
    parts: list[list[_Word]] = [[]]
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word.upper, 0)
        if word.upper == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]
