"""Files that no one would write, and that are found all the same: each is a problem, and the others are read."""

import os
import time
from pathlib import Path

import pytest

from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.reading import FileRead, read_files
from miglint.syntax.facts import Assign, Literal, ModuleFacts, Name
from miglint.syntax.reader import read
from miglint.syntax.sql import read_sql
from miglint.text import Span

GOOD = ModuleFacts(body=(Assign((Name("x"),), Literal("int", "1")),))


def read_beside_a_good_one(tmp_path: Path, bad: Path) -> FileRead:
    """What is read of a bad file, after making sure that the file beside it is read as ever."""
    good = tmp_path / "good.py"
    good.write_text("x = 1\n")
    found = read_files([str(bad), str(good)], cache=None, jobs=None)
    assert found[str(good)].facts == GOOD
    return found[str(bad)]


def problem_of(tmp_path: Path, content: bytes) -> tuple[str, Span]:
    bad = tmp_path / "bad.py"
    bad.write_bytes(content)
    facts = read_beside_a_good_one(tmp_path, bad).facts
    assert facts.body == ()
    assert facts.problem is not None
    return facts.problem.message, facts.problem.span


PATTERNS = "patterns of `case` are nested too deeply"
CHAIN = "one expression chains more than 500 operators, calls or strings"
CHAINS = "too many expressions chain more than 30 operators, calls or subscripts"
NESTED = "too much is nested in more than 30 brackets"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x = 1\0", "the file contains a NUL byte"),
        (b"\n\nx = 'caf\xe9'", "byte 0xe9 is not valid utf-8"),
        (b"# coding: klingon\n", "unknown encoding: klingon"),
        (b"\xff\xfex\0", "the file contains a NUL byte"),
        (b"x = " + b"(" * 5_000 + b")" * 5_000, "brackets are nested more than 200 deep"),
        (b"x = " + b"[" * 5_000, "brackets are nested more than 200 deep"),
        (b"x = f'" + b"{" * 5_000 + b"}" * 5_000 + b"'", "brackets are nested more than 200 deep"),
        (b"x = g(" + b", ".join([b"f(" * 180 + b"a" + b")" * 180] * 60) + b")", NESTED),
        (b"x = " + b"[" * 180 + b"a, " * 10_000 + b"]" * 180, NESTED),
        (b"match x:\n    case " + b"[" * 20 + b"1" + b"]" * 20 + b":\n        pass\n", PATTERNS),
        (b"match x:\n    case " + b"{1: " * 12 + b"1" + b"}" * 12 + b":\n        pass\n", PATTERNS),
        (b"match x:\n    case " + b"A(x={1: " * 9, PATTERNS),
        (b"match x:\n" + b"    case [{1: A(x={2: [{3: [y]}]})}]:\n        pass\n" * 50, PATTERNS),
        (b"x = 1" + b" + 1" * 20_000, CHAIN),
        (b"x = " + b"not " * 5_000 + b"y", CHAIN),
        (b"x = " + b"-" * 5_000 + b"1", CHAIN),
        (b"x = y" + b".z" * 5_000, CHAIN),
        (b"x = y" + b"()" * 5_000, CHAIN),
        (b"x = y" + b"[0]" * 5_000, CHAIN),
        (b"x = " + b"f(" * 42 + b", ".join([b"f(" * 17 + b"y" + b")" * 17] * 200) + b")" * 42, NESTED),
        (b"x = [" + b", ".join([b"y" + b"[0]" * 190] * 53) + b"]", CHAINS),
        (b"x = y" + b"(0)" * 480 + b"\n" + (b"x = y" + b"(0)" * 480 + b"\n") * 20, CHAINS),
        (b"x = y" + b".z" * 480 + b"\n" + (b"x = y" + b".z" * 480 + b"\n") * 40, CHAINS),
        (b"x = " + b"1 if y else " * 5_000 + b"0", CHAIN),
        (b"x = " + b"lambda: " * 5_000 + b"0", CHAIN),
        (b"x = " + b"'a' " * 5_000, CHAIN),
        (b"x = (" + b"'a'\n" * 5_000 + b")", CHAIN),
        (b"if a: pass\n" + b"elif a: pass\n" * 5_000, "one `if` has more than 500 `elif` branches"),
        (
            b"".join(b" " * level + b"if a:\n" for level in range(150)) + b" " * 150 + b"pass\n",
            "blocks are indented more than 100 levels deep",
        ),
        (b"#" * (4 * 1024 * 1024 + 1), "the file is larger than 4 MB"),
        (b"f''\n" + b"x = " + b"'a\\" * 50_000, "too many strings are not closed"),
        (b"f''\n" + b"\\'''\n" * 50_000, "too many strings are not closed"),
        (b"f''\n" + b'\\"""a"\n' * 20_000, "too many strings are not closed"),
    ],
    ids=[
        "NUL",
        "not UTF-8",
        "unknown encoding",
        "UTF-16",
        "brackets",
        "open brackets",
        "braces in an f-string",
        "often nested",
        "long and nested",
        "patterns",
        "patterns of dictionaries",
        "patterns that are open",
        "many patterns",
        "operators",
        "not",
        "signs",
        "attributes",
        "calls",
        "subscripts",
        "calls within calls",
        "many chains of subscripts",
        "many chains of calls",
        "many chains of attributes",
        "ternaries",
        "lambdas",
        "adjacent strings",
        "adjacent strings on lines",
        "elif",
        "indentation",
        "size",
        "open strings on one line",
        "open strings on many lines",
        "open strings of three quotes",
    ],
)
def test_a_file_that_is_not_parsed_says_why(tmp_path: Path, content: bytes, message: str) -> None:
    assert problem_of(tmp_path, content)[0] == message


@pytest.mark.parametrize("content", [b"x = " + b"'a\\" * 50_000, b"\\'''\n" * 50_000, b'\\"""a"\n' * 20_000])
def test_where_all_else_is_plain_python_says_that_a_string_is_not_closed(tmp_path: Path, content: bytes) -> None:
    began = time.process_time()
    message, _ = problem_of(tmp_path, content)
    assert message.startswith(("unterminated string literal", "unexpected character after line continuation"))
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "content",
    [
        b"class Migration(:\n    pass\n",
        b"x = (\n",
        b"x = 'open\n",
        b"x = '''open\n",
        b"x = " + b"'a\\" * 500_000,
        b"x = '" + b"\\'" * 1_000_000,
        b"\\'''\n" * 50_000,
        b"x = '" + b"a" * 100_000,
        b"x = '''" + b"a" * 100_000,
        b"def f():\nreturn\n",
        b"  x = 1\n y = 2\n",
        b"<<<<<<< HEAD\nx = 1\n=======\n",
        b"print 'python 2'\n",
        b"\xef\xbb\xbf\xef\xbb\xbfx = (",
        b"# coding: utf-7\nx = '+2AA-'\n",
        b"# coding: idna\nx = '\xff'\n",
        b"# coding: undefined\n",
        b"\x1a",
        b"?",
    ],
)
def test_a_file_that_cannot_be_parsed_is_a_problem(tmp_path: Path, content: bytes) -> None:
    assert problem_of(tmp_path, content)[0] != ""


def test_a_syntax_error_is_shown_where_it_is(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_bytes(b"x = 1\r\ny = )\r\n")
    found = read_beside_a_good_one(tmp_path, bad)
    assert found.facts.problem is not None
    assert found.source.position(found.facts.problem.span.start).line == 2


def test_bytes_that_are_no_text_are_shown_where_they_are(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_bytes(b"x = 1\ny = 'caf\xe9'\n")
    found = read_beside_a_good_one(tmp_path, bad)
    assert found.facts.problem is not None
    assert found.source.position(found.facts.problem.span.start).line == 2
    assert found.source.line(2) == "y = 'caf\ufffd'"


@pytest.mark.parametrize(
    "text",
    [
        "x = '" + "a" * 2_000_000 + "'\n",
        "x = '''" + "a\n" * 1_000_000 + "'''\n",
        "x = [" + "1, " * 20_000 + "]\n",
        "x = [" + "f(a=b + c, d=e.g), " * 2_000 + "]\n",
        "x = " + "(" * 150 + ")" * 150 + "\n",
        "x = " + "[" * 199 + "]" * 199 + "\n",
        "x = 1" + " + 1" * 400 + "\n",
        "x = y" + ".z" * 400 + "\n",
        "x = y" + "()" * 200 + "\n",
        "x = " + "1 if y else " * 150 + "0\n",
        "x = " + "not " * 400 + "y\n",
        "match x:\n    case [{1: A(x=[y])}, *_] if x[a[b[c[d[e[f[g[h[i[j]]]]]]]]]]:\n        pass\ncase = "
        + "[" * 90
        + "]" * 90
        + "\n",
        'x = """\n' + "    case when f(g(h(i(j(k(x)))))) then 1 end,\n" * 100 + '"""\n',
        "if a: pass\n" + "elif a: pass\n" * 400,
        "".join(" " * level + "if a:\n" for level in range(90)) + " " * 90 + "pass\n",
        "".join(" " * level + "if a:\n" for level in range(90)) + " " * 90 + "x = " + "[" * 150 + "]" * 150 + "\n",
        "",
        "\n",
        "\ufeffx = 1",
    ],
    ids=[
        "a string of 2 MB",
        "a million lines",
        "a long list",
        "a long list of calls",
        "parentheses",
        "lists",
        "operators",
        "attributes",
        "calls",
        "ternaries",
        "not",
        "patterns",
        "SQL",
        "elif",
        "indentation",
        "indentation and lists",
        "empty",
        "a line",
        "a mark",
    ],
)
def test_what_is_only_large_is_read(tmp_path: Path, text: str) -> None:
    large = tmp_path / "large.py"
    large.write_bytes(text.encode())
    assert read_beside_a_good_one(tmp_path, large).facts.problem is None


def test_a_file_of_hostile_text_given_by_an_editor_is_a_problem() -> None:
    found = read_files(["/m.py"], cache=None, jobs=None, overlay={"/m.py": "x = '\ud800'"})
    assert found["/m.py"].facts.problem is not None


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    found = read_beside_a_good_one(tmp_path, tmp_path / "missing.py")
    assert found.facts.problem is not None
    assert found.facts.problem.message == "No such file or directory"
    assert (found.source.text, found.data_hash) == ("", "")


def test_a_directory_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "bad.py").mkdir()
    found = read_beside_a_good_one(tmp_path, tmp_path / "bad.py")
    assert found.facts.problem is not None
    assert found.facts.problem.message == "it is not a regular file"


def test_links_that_lead_nowhere_are_problems(tmp_path: Path) -> None:
    (tmp_path / "dangling.py").symlink_to(tmp_path / "missing.py")
    (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
    for name in ("dangling.py", "loop.py"):
        assert read_beside_a_good_one(tmp_path, tmp_path / name).facts.problem is not None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_fifo_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "bad.py")
    found = read_beside_a_good_one(tmp_path, tmp_path / "bad.py")
    assert found.facts.problem is not None
    assert found.facts.problem.message == "it is not a regular file"


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs devices")
def test_a_device_is_not_opened(tmp_path: Path) -> None:
    assert read_beside_a_good_one(tmp_path, Path("/dev/zero")).facts.problem is not None


def test_a_path_with_a_nul_is_a_problem(tmp_path: Path) -> None:
    assert read_beside_a_good_one(tmp_path, Path("a\0b.py")).facts.problem is not None


def test_a_problem_is_a_problem_in_another_process_too(tmp_path: Path) -> None:
    overlay: dict[str, bytes | str] = {f"/m{number}.py": f"x = {number}" for number in range(100)}
    overlay["/m7.py"] = "x = ("
    overlay["/m50.py"] = "(" * 5_000
    found = read_files(overlay, cache=None, jobs=2, overlay=overlay)
    assert [path for path, file in found.items() if file.facts.problem is not None] == ["/m7.py", "/m50.py"]


def test_a_mark_left_in_the_text_moves_no_span() -> None:
    (statement,) = read("\ufeffx = 12").body
    assert isinstance(statement, Assign)
    assert statement.value.span == Span(5, 7)


# -- values that grow -----------------------------------------------------------------------------------

LINES = 60
DOUBLING = {
    "a list": "a = [migrations.RunSQL('x')]\n" + "a = a + a\n" * LINES + "operations = a\n",
    "unpacked": "a = [migrations.RunSQL('x')]\n" + "a = [*a, *a]\n" * LINES + "operations = a\n",
    "one after the other": "a0 = []\n"
    + "".join(f"a{at + 1} = [*a{at}, *a{at}]\n" for at in range(LINES))
    + f"operations = a{LINES}\n",
    "before they are there": "".join(f"a{at} = [a{at + 1}, a{at + 1}]\n" for at in range(LINES))
    + "operations = [*a0, migrations.RunSQL(a0), migrations.RunSQL(a1)]\n",
    "each other": "a = [b, b]\nb = [a, a]\noperations = [migrations.RunSQL(a), *a]\n",
    "its own elements": f"operations = [{'operations, ' * 1_400}]\n",
    "its own elements, unpacked": f"operations = [{'*operations, ' * 1_400}]\n",
    "itself": "operations = [migrations.RunSQL('x')]\n" + "operations += operations\n" * LINES,
    "extended": "operations = [migrations.RunSQL('x')]\n" + "operations.extend(operations)\n" * LINES,
    "a text": "a = 'x'\n" + "a = a + a\n" * LINES + "operations = [migrations.RunSQL(a)]\n",
    "a template": "a0 = 'x'\n"
    + "".join(f"a{at + 1} = f'{{a{at}}}{{a{at}}}'\n" for at in range(LINES))
    + "operations = [migrations.RunSQL(a30)]\n",
    "percent": "a = 'x'\n" + "a = '%s%s' % (a, a)\n" * LINES + "operations = [migrations.RunSQL(a)]\n",
    "joined": "a0 = 'x'\n"
    + "".join(f"a{at + 1} = a{at}.join([a{at}, a{at}])\n" for at in range(LINES))
    + "operations = [migrations.RunSQL(a30)]\n",
    "under conditions": "a = []\nb = [1]\n" + "if x:\n    a = b + a\n" * LINES + "operations = a\n",
    "on both ways": "a = []\n" + "if x:\n    a = a + a\nelse:\n    a = a + a\n" * LINES + "operations = a\n",
    "tried": "a = []\n" + "try:\n    a = a + a\nexcept E:\n    a = a + a\n" * LINES + "operations = a\n",
    "a mapping": "a = {'x': 1}\n" + "a = {**a, **a, 'k': a}\n" * LINES + "operations = [migrations.RunSQL(**a)]\n",
    "a function with a loop, called in a loop": (
        "def f(n):\n    a = []\n    for k in range(1900):\n        a.append(f'{n}{k}')\n    return a\n"
        "operations = [f(k) for k in range(1900)]\n"
    ),
    "a function": "".join(f"def f{at}(x):\n    return f{at + 1}(x) + f{at + 1}(x)\n" for at in range(LINES))
    + "operations = f0([1])\n",
}


@pytest.mark.parametrize("text", DOUBLING.values(), ids=list(DOUBLING))
def test_values_that_double_with_each_line_are_given_up(text: str) -> None:
    head = "from django.db import migrations\n"
    base = "class Migration(migrations.Migration):\n    operations = operations\n"
    started = time.process_time()
    migration = interpret(MigrationKey("shop", "0001_initial"), "/m.py", read(head + text + base))
    assert len(migration.operations) < 10_000
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "text",
    [
        "    if X:\n        operations = operations\n    else:\n        operations = []\n",
        "    operations = chosen()\n",
        "    operations = HELD\n",
        "    operations = [migrations.SeparateDatabaseAndState(TWICE)]\n",
        "    operations = operations\n    if X:\n        operations.append(1)\n    else:\n        operations += [2]\n",
    ],
)
def test_operations_that_hold_themselves_come_to_an_end(text: str) -> None:
    head = (
        "from django.db import migrations\nHELD = [migrations.SeparateDatabaseAndState(HELD)]\n"
        "TWICE = [migrations.SeparateDatabaseAndState(TWICE), migrations.SeparateDatabaseAndState(TWICE)]\n"
        "def chosen():\n    if X:\n        return chosen()\n    return [migrations.RunSQL('x')]\n"
        "class Migration(migrations.Migration):\n"
    )
    migration = interpret(MigrationKey("shop", "0001_initial"), "/m.py", read(head + text))
    assert not migration.operations_known


def test_a_list_that_unpacks_itself_is_what_it_was_and_more() -> None:
    text = (
        "from django.db import migrations\n"
        "operations = [migrations.RunSQL('one')]\noperations = [*operations, migrations.RunSQL('two')]\n"
        "class Migration(migrations.Migration):\n    operations = operations\n"
    )
    migration = interpret(MigrationKey("shop", "0001_initial"), "/m.py", read(text))
    assert migration.operations_known
    assert [operation.class_name for operation in migration.operations] == ["RunSQL", "RunSQL"]


NUMBERS = range(16_000)


@pytest.mark.parametrize(
    "text",
    [
        f"CREATE TABLE t AS SELECT 1 FROM a {' '.join(f'JOIN b{at} ON a.i = b{at}.i' for at in NUMBERS)}",
        f"UPDATE t SET {', '.join(f'c{at}=1' for at in NUMBERS)} WHERE {' AND '.join(f'd{at}=1' for at in NUMBERS)}",
    ],
    ids=["tables", "columns"],
)
def test_a_statement_of_many_names_takes_no_time_in_their_square(text: str) -> None:
    began = time.process_time()
    assert all(statement.verb != "?" for statement in read_sql(text, "postgresql"))
    assert time.process_time() - began < 10
