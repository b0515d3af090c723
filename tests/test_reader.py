"""What a text says, as facts: names resolved, spans exact, and nothing lost on the way to a file and back."""

import json
import warnings
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from miglint import reading
from miglint.cache import decode as decoded
from miglint.cache import encode
from miglint.reading import read_files
from miglint.syntax import quick
from miglint.syntax.facts import (
    Alias,
    Assign,
    Attribute,
    Call,
    Class,
    Either,
    Evaluate,
    Expr,
    Function,
    Import,
    Items,
    Keyword,
    Literal,
    ModuleFacts,
    Name,
    Operation,
    Pair,
    Pairs,
    Starred,
    Statement,
    Template,
    Try,
    expressions,
    walk,
)
from miglint.syntax.reader import read
from miglint.syntax.sharing import Sharing
from miglint.text import Span, decode


def value_of(text: str, name: str = "x") -> Expr:
    """What the last `name = …` of a text assigns."""
    facts = read(text)
    assert facts.problem is None
    found = [s.value for s in walk(facts.body) if isinstance(s, Assign) and s.targets[0] in (Name(name), local(name))]
    return found[-1]


def local(name: str) -> Name:
    return Name(name, "local")


def imported(name: str) -> Name:
    return Name(name, "imported")


def string(text: str) -> Literal:
    return Literal("str", text)


def integer(text: str) -> Literal:
    return Literal("int", text)


def nodes(statements: tuple[Statement, ...]) -> Iterator[Expr]:
    for statement in walk(statements):
        for node in expressions(statement):
            if not isinstance(node, Assign | Evaluate | Function | Class | Import):
                yield node


# -- names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("from django.db import models\nx = models.CharField", "django.db.models.CharField"),
        ("from django.db import models as m\nx = m.CharField", "django.db.models.CharField"),
        ("from django.db.models import CharField\nx = CharField", "django.db.models.CharField"),
        ("from django.db.models import CharField as C\nx = C", "django.db.models.CharField"),
        ("import django.db.models\nx = django.db.models.CharField", "django.db.models.CharField"),
        ("import django.db.models as m\nx = m.CharField", "django.db.models.CharField"),
        ("from .. import models\nx = models.Invoice", "..models.Invoice"),
        ("from ..models import Invoice\nx = Invoice", "..models.Invoice"),
        ("from . import helpers\nx = helpers.f", ".helpers.f"),
        ("if True:\n    from a import b\nx = b", "a.b"),
        ("try:\n    from a import b\nexcept ImportError:\n    pass\nx = b", "a.b"),
        ("def f():\n    from a import b\n    x = b", "a.b"),
        ("class C:\n    from a import b\n    x = b", "a.b"),
        ("from a import b\ndef f():\n    x = b.c", "a.b.c"),
        ("from a import b\nclass C:\n    x = b", "a.b"),
    ],
)
def test_a_name_is_resolved_through_the_imports(text: str, name: str) -> None:
    assert value_of(text) == imported(name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("x = models", Name("models")),
        ("from a import b\nb = 1\nx = b", Name("b")),
        ("from a import b\ndef f(b):\n    x = b", local("b")),
        ("from a import b\ndef f():\n    b = 1\n    x = b", local("b")),
        ("from a import b\ndef f():\n    for b in c:\n        x = b", local("b")),
        ("class C:\n    from a import b\n    def f(self):\n        x = b", Name("b")),
        ("import a.b\nx = c.b", Attribute(Name("c"), "b")),
    ],
)
def test_a_name_that_is_bound_otherwise_is_not_an_import(text: str, name: Expr) -> None:
    assert value_of(text) == name


def test_a_comprehension_binds_its_own_names() -> None:
    found = value_of("from a import b\nx = [b for b in c]")
    assert found.element == local("b")  # type: ignore[union-attr]


def test_import_statements_are_facts_wherever_they_stand() -> None:
    facts = read("import a.b\nfrom .c import d as e\ndef f():\n    from g import *\n")
    assert [statement.aliases for statement in facts.imports()] == [
        (Alias("a", "a", "a.b", Span(7, 10)),),
        (Alias(".c.d", "e", ".c", Span(26, 27)),),
        (Alias("g", "*", "g", Span(50, 63)),),
    ]


def test_imports_for_types_only_are_told_apart() -> None:
    facts = read("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\nelse:\n    import b\n")
    assert [statement.typing_only for statement in facts.imports()] == [False, True, False]


# -- values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'a'", string("a")),
        ('"a"', string("a")),
        ("'''a'''", string("a")),
        ("r'a\\d'", string("a\\d")),
        ("'a\\n'", string("a\n")),
        ("u'a'", string("a")),
        ("''", string("")),
        ("'a' \"b\"", string("ab")),
        ("('a'\n 'b')", string("ab")),
        ("'\\ud800'", Literal("escaped", "'\\ud800'")),
        ("b'a\\xff'", Literal("bytes", "b'a\\xff'")),
        ("b'a' b'b'", Literal("bytes", "b'ab'")),
        ("1_000", integer("1000")),
        ("0x10", integer("16")),
        ("-5", integer("-5")),
        ("1.50", Literal("float", "1.5")),
        ("1e400", Literal("float", "inf")),
        ("2j", Literal("complex", "2j")),
        ("True", Literal("bool", "True")),
        ("None", Literal("none", "None")),
        ("...", Literal("ellipsis", "...")),
        ("[1, *a]", Items("list", (integer("1"), Starred(Name("a"))))),
        ("()", Items("tuple")),
        ("{1}", Items("set", (integer("1"),))),
        ("{'a': 1, **b}", Pairs((Pair(string("a"), integer("1")), Pair(None, Name("b"))))),
        ("a + b + c", Operation("+", (Name("a"), Name("b"), Name("c")))),
        ("a - b + c", Operation("+", (Operation("-", (Name("a"), Name("b"))), Name("c")))),
        (
            "a < b < c",
            Operation("and", (Operation("<", (Name("a"), Name("b"))), Operation("<", (Name("b"), Name("c"))))),
        ),
        ("a if b else c", Either(Name("b"), Name("a"), Name("c"))),
        ("f'a{b}c'", Template((string("a"), Name("b"), string("c")))),
        (
            "f(1, *a, b=2, **c)",
            Call(
                Name("f"),
                (integer("1"), Starred(Name("a"))),
                (Keyword("b", integer("2")), Keyword(None, Name("c"))),
            ),
        ),
    ],
)
def test_an_expression_is_read_by_its_meaning(text: str, expected: Expr) -> None:
    assert value_of(f"x = {text}") == expected


def test_except_without_parentheses_is_read() -> None:
    """PEP 758."""
    facts = read("try:\n    a()\nexcept B, C:\n    pass\n")
    assert facts.problem is None
    (statement,) = facts.body
    assert isinstance(statement, Try)
    assert statement.handlers[0].exception == Items("tuple", (Name("B"), Name("C")))


@pytest.mark.parametrize("read_by", [read, quick.read], ids=["LibCST", "ast"])
@pytest.mark.parametrize(
    "text",
    [
        r"f'one;\n{b}two\t'",
        r"rf'one;\n{b}'",
        r"fR'{b}\d'",
        r"""f'{b}"\'"'""",
        'f"""a\n"b" {b}\\""""',
        r"f'\\{b}\x41\u00e9\101'",
        "f'a\\\nb{b}'",
        r"f'{{{b}}}\{b}'",
        r"f'\q{b}\"'",
        r"'a\n' f'\n{b}' r'\n'",
    ],
)
def test_the_text_of_an_f_string_is_what_python_makes_of_it(text: str, read_by: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = eval(text, {"b": "<b>"})
    (statement,) = read_by(f"x = {text}\n").body
    parts = [part.text if isinstance(part, Literal) else "<b>" for part in statement.value.parts]
    assert "".join(parts) == expected


# -- equality -----------------------------------------------------------------------------------------

PLAIN = "from django.db import models\nx = models.CharField(max_length=20, choices=[('a', 1)])\n"


@pytest.mark.parametrize(
    "text",
    [
        'from django.db import models\n\n\nx = models.CharField(\n    max_length=20,\n    choices=[("a", 1)],\n)\n',
        "# a comment\n" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("20", "2_0"),
        PLAIN.replace("'a'", "('a')"),
    ],
    ids=["other layout", "a comment", "CR LF", "grouped digits", "parentheses"],
)
def test_equality_ignores_layout(text: str) -> None:
    assert read(text).body == read(PLAIN).body
    assert hash(read(text).body) == hash(read(PLAIN).body)


def test_equality_ignores_how_a_name_was_imported() -> None:
    other = "from django.db.models import CharField as C\nx = C(max_length=20, choices=[('a', 1)])\n"
    assert value_of(other) == value_of(PLAIN)


@pytest.mark.parametrize(
    "change", [("20", "21"), ("max_length", "min_length"), ("CharField", "TextField"), ("1", "1.0")]
)
def test_another_meaning_is_not_equal(change: tuple[str, str]) -> None:
    assert read(PLAIN.replace(*change)).body != read(PLAIN).body


# -- spans --------------------------------------------------------------------------------------------

SPANNED = """\
from django.db import models


class Migration(migrations.Migration):
    operations = [
        migrations.AddField("shop", "naïve", field=models.CharField("𝒳", max_length=(20))),
        RunSQL(a + b, not c, (1, 2)),
    ]
"""


def spanned(text: str) -> list[str]:
    return [text[node.span.start : node.span.end] for node in nodes(read(text).body)]


def test_spans_are_exact() -> None:
    assert spanned(SPANNED) == [
        "migrations.Migration",
        "migrations",
        "operations",
        SPANNED[SPANNED.index("[") : SPANNED.index("]") + 1],
        'migrations.AddField("shop", "naïve", field=models.CharField("𝒳", max_length=(20)))',
        "migrations.AddField",
        "migrations",
        '"shop"',
        '"naïve"',
        'models.CharField("𝒳", max_length=(20))',
        "models.CharField",
        '"𝒳"',
        "20",
        "RunSQL(a + b, not c, (1, 2))",
        "RunSQL",
        "a + b",
        "a",
        "b",
        "not c",
        "c",
        "(1, 2)",
        "1",
        "2",
    ]


LAYOUTS = {
    "CR LF": SPANNED.replace("\n", "\r\n"),
    "lone CR": SPANNED.replace("\n", "\r"),
    "tabs": SPANNED.replace("    ", "\t"),
    "form feeds": "\f\n" + SPANNED.replace("\n\nclass", "\n\f\nclass"),
    "no last newline": SPANNED.rstrip("\n"),
    "comments": "\n# coding: utf-8\n" + SPANNED + "\n\n   # the end",
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_spans_are_exact_in_any_layout(text: str) -> None:
    assert [piece.split() for piece in spanned(text)] == [piece.split() for piece in spanned(SPANNED)]


def test_spans_are_exact_behind_form_feeds() -> None:
    text = "\fa\n\fb\ndef f():\n    c\n\f    d\n\f\f\ne = 'x\\\n\f'\n\fg"
    assert spanned(text) == ["a", "b", "c", "d", "e", "'x\\\n\f'", "g"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def f():\n    (yield (x))\n", "x"),
        ("def f(): (a)\n", "a"),
        ("class A(  # (\n): pass\n(b)\n", "b"),
        ("with (a as b, (c)): (d)\n", "a b c d"),
        ("f(x=(  # not (f\n1, 2))\n", "f 1 2"),
        ("for i in [n, s, not_in]: i\n", "i n s not_in i"),
        ("x = a if b else f'{c!r:>{d}}' f\"{g}\"  # h\n", "x a b c g"),
        ("x = a + +b - -1\nx += +b\n", "x a b -1 x b"),
        ("x = a not in n is not o\n", "x a n o"),
        ("async def f(a, /, b=1, *c, d: int = 2, **e) -> int:\n    async with a as b: await c\n", "1 2 a b c"),
        ("match (a):\n    case [(1 |\n           2), *_] if b: c\n    case {'d': e}: f\n", "a c f"),
        ("from . import (a,  # as b\n  b as c)\nd\n", "d"),
        ("x = {**a, 'b': [*c]}[d:e, ...]\n", "x a 'b' c d e ..."),
        ("try: a\nexcept (B, C) as as_: s\nelse: e\nfinally: f\n", "a B C s e f"),
        ("if a: b\nelif elif_: i\nelse: e\n", "a b elif_ i e"),
        ("lambda *, a=lambda: b: (a, )\n", "b a"),
        ("raise a from m; assert b, s; del d; global e\n", "a b d"),
    ],
)
def test_names_and_values_stand_where_the_text_has_them(text: str, words: str) -> None:
    leaves = [node for node in nodes(read(text).body) if isinstance(node, Name | Literal) and node.span.end]
    places = sorted({(node.span.start, node.span.end) for node in leaves})
    assert [text[start:end] for start, end in places] == words.split()


def test_the_parentheses_are_a_tuples_own() -> None:
    text = "a = (  # (b\n1, 2)  # )\nf(x=(1,))\nc = ((3, ), )\nd = 4, 5\n"
    found = [text[n.span.start : n.span.end] for n in nodes(read(text).body) if isinstance(n, Items)]
    assert found == ["(  # (b\n1, 2)", "(1,)", "((3, ), )", "(3, )", "4, 5"]


def test_spans_are_exact_behind_a_continued_line() -> None:
    assert spanned("x = a \\\n  + b\ny = cd\n") == ["x", "a \\\n  + b", "a", "b", "y", "cd"]


def test_a_definition_points_at_its_header() -> None:
    text = "@decorated\nclass  A(B):\n    async  def f(self):\n        pass\n"
    found = [text[s.span.start : s.span.end] for s in walk(read(text).body) if isinstance(s, Class | Function)]
    assert found == ["class  A", "def f"]


# -- comments -----------------------------------------------------------------------------------------


def test_comments_to_miglint_are_kept_and_no_others() -> None:
    text = "x = 1  # miglint: ignore[MG302]\n# another\n    # miglint: off  \ny = '# miglint: no'\n"
    found = [(text[c.span.start : c.span.end], c.text, c.alone) for c in read(text).comments]
    assert found == [
        ("# miglint: ignore[MG302]", "# miglint: ignore[MG302]", False),
        ("# miglint: off", "# miglint: off", True),
    ]


# -- encodings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        "x = 'é'\n".encode(),
        b"\xef\xbb\xbf" + "x = 'é'\n".encode(),
        "# coding: latin-1\nx = 'é'\n".encode("latin-1"),
        "#!/usr/bin/python\n# -*- coding: cp1252 -*-\nx = 'é'\n".encode("cp1252"),
        b"\xef\xbb\xbf" + "# coding: utf-8\r\nx = 'é'\r\n".encode(),
    ],
    ids=["utf-8", "BOM", "latin-1", "cp1252", "BOM and cookie"],
)
def test_the_encoding_is_that_of_the_cookie_or_the_mark(data: bytes) -> None:
    found = read_files(["/m.py"], cache=None, jobs=1, overlay={"/m.py": data})["/m.py"]
    (statement,) = found.facts.body
    assert isinstance(statement, Assign)
    assert statement.value == string("é")
    assert found.source.text == decode(data)
    assert found.source.text[statement.value.span.start : statement.value.span.end] == "'é'"


# -- the codec ----------------------------------------------------------------------------------------

EVERYTHING = (
    SPANNED
    + """
import a.b, c as d
from . import *
@decorator(1)
def f(a, /, b: int = 1, *args, c=2, **kwargs) -> None:
    # miglint: ignore
    global g
    for x in y:
        if x: continue
        elif z: break
        else: pass
    while True:
        x += 1
    with open(p) as q, r:
        yield x
    try:
        del x
    except (A, B) as e:
        raise C from e
    else:
        assert x, "no"
    finally:
        return lambda u, *v: {k: w for k, w in u if k}
    match x:
        case 1: await y
        case _: [*a, b[1:2], ~c, not d, -e, (f := g), a @ b]
s = ['\\ud800', b'\\xff', 1e999, 3j, ..., None, True, f'{a!r:>{b}}', 10**3 if a else {1}, {**a, 'b': c.d(e)}]
"""
)


def test_facts_survive_msgpack_byte_for_byte() -> None:
    facts = read(EVERYTHING)
    encoded = msgspec.msgpack.encode(facts)
    again = msgspec.msgpack.decode(encoded, type=ModuleFacts)
    assert again == facts
    assert msgspec.msgpack.encode(again) == encoded


def test_facts_survive_json_byte_for_byte() -> None:
    facts = read(EVERYTHING)
    encoded = msgspec.json.encode(facts)
    again = msgspec.json.decode(encoded, type=ModuleFacts)
    assert again == facts
    assert msgspec.json.encode(again) == encoded
    assert msgspec.convert(json.loads(encoded), ModuleFacts) == facts


def test_spans_survive_too() -> None:
    facts = read(SPANNED)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=ModuleFacts)
    assert [node.span for node in nodes(again.body)] == [node.span for node in nodes(facts.body)]


def test_what_is_equal_is_not_unequal() -> None:
    one, other = read("a = [1, f(x)]").body[0], read("\n\na = [ 1, f( x ) ]").body[0]
    assert one == other
    assert (one != other) is False
    assert one != read("a = [2, f(x)]").body[0]


# -- what facts have in common ------------------------------------------------------------------------


def test_facts_share_what_is_equal_and_mean_the_same() -> None:
    sharing = Sharing()
    one, other = (sharing.share(decoded(encode(read(EVERYTHING)))) for _ in range(2))
    assert one == other == read(EVERYTHING)
    assert encode(one) == encode(other) == encode(read(EVERYTHING))
    spans = [(mine.span, theirs.span) for mine, theirs in zip(nodes(one.body), nodes(other.body), strict=True)]
    assert len(spans) > 100
    assert all(mine is theirs for mine, theirs in spans)
    numbers: dict[int, int] = {}
    ends = [number for span, _ in spans for number in (span.start, span.end)]
    assert all(numbers.setdefault(number, number) is number for number in ends)
    assert max(numbers) > 256  # up to which Python itself has each number once
    names = [(a.name, b.name) for a, b in zip(nodes(one.body), nodes(other.body), strict=True) if isinstance(a, Name)]
    assert len(names) > 20
    assert all(mine is theirs for mine, theirs in names)


def test_the_facts_of_many_files_share_what_is_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    overlay = {f"/{number}.py": f"value = first({number})\n" for number in range(3)}

    def values() -> list[Call]:
        read = read_files(overlay, cache=None, jobs=1, overlay=overlay)
        bodies = [each.facts.body for each in read.values()]
        return [body[0].value for body in bodies if isinstance(body[0], Assign) and isinstance(body[0].value, Call)]

    few = values()
    assert few[0].span is not few[1].span
    monkeypatch.setattr(reading, "WORTH_MEMORY", 2)
    many = values()
    assert len(many) == 3
    assert many == few
    assert many[0].span is many[1].span is many[2].span
