"""What is wrong with a text that is not TOML, in our words and with what to write instead.

    find_fault("Invalid value (at line 1, column 11)", "enabled = True")
    # SyntaxFault(1, "expected true or false in small letters", "write enabled = true")

The standard library's parser says in the words of its grammar what it expected, and where it stopped. `_RULES` looks at
both, and at the line around that place, for what people write. No message shows a value, for it may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import filterfalse
from typing import NamedTuple, TypeAlias

from pipelex_cogt.config.key_paths import KeyPath, join_keys, prefixes, quote_key
from pipelex_cogt.config.toml_lines import KEY_PART, Statement, find_statements


class SyntaxFault(NamedTuple):
    """What is wrong with a text.

    Attributes:
        line: The line of it, counted from 1.
        problem: What was expected or found.
        hint: What to write instead; None where the parser's own words are all there is.
    """

    line: int
    problem: str
    hint: str | None = None


class _Spot(NamedTuple):
    """Where the parser stopped.

    Attributes:
        text: The whole text, its line ends as the parser sees them.
        position: The place in it.
        line: Its line, counted from 1.
        before: The end of what stands on the line before the place.
        after: The beginning of what stands on the line from there on.
    """

    text: str
    position: int
    line: int
    before: str
    after: str

    @property
    def is_at_end(self) -> bool:
        """Whether the text ends here."""
        return self.position == len(self.text)


class _Rule(NamedTuple):
    """Words for what people write. The patterns are looked for in the line, where nothing else has explained it.

    Attributes:
        said: What the parser says, from its beginning.
        before: What stands before the place where it stopped.
        after: What stands from there on.
        problem: The problem in words; `{code}` is the character there.
        hint: What to write instead; `{write}` is "write" and the key that stands before, where there is one.
    """

    said: str
    before: str
    after: str
    problem: str
    hint: str


# A line may be a million characters long, and what tells a fault stands beside it.
_REACH = 160
_LONGEST_NAME = 80
# Where the parser stopped, at the end of its message. Literal text around two runs of digits.
_POSITION = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_LINE_END = r"\s*(?:#|$)"
_WORD_END = r"(?=\s*(?:[,\]}#]|$))"
_CURLY_QUOTE = "[\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb`\u00b4]"
_VALUE = r"""\s*=\s*(?=["'\[{\d+-]|true|false)"""
_BEHIND_VALUE = "Expected newline|Unclosed"
_WRITE_TEXT = '{write}"\N{HORIZONTAL ELLIPSIS}"'
_SLIPS = "t|f|tru|ture|treu|flase|fasle|fals|fale|flse"
_SMALL_LETTERS = "expected true or false in small letters"
_TEXT = "text needs quotes"
_NAME = "a name with other characters than letters, digits, - and _ needs quotes"
_COMMA_IN_NUMBER = ("a comma stands in a number", "write 1_000 for 1,000")
_ONE_LINE = ("an inline table stands on one line", "write it without a line end, or below a [header] of its own")
_LOOSE_BRACKET = ("a bracket closes what is not open", "take it away")
_LOOSE_DOT = ("a dot stands at the end of a key or beside another", "take it away")
_AFTER_QUOTE = ("text goes on behind its closing quote", "put the other kind of quotes around it")
_ESCAPE = (r"\ in double quotes begins an escape", r"write \\, or put single quotes around it")
_OPEN_LINE = ("a string is not closed on its line", "end it with its quote, or put three quotes around several lines")
_OPEN_STRING = ("the string that opens here is not closed", "end it with the quotes it begins with")
_STATEMENT = ("expected a key or a [header]", "write key = value; a comment begins with #")

_CONFLICT = r"(?:<{7}|={7}|>{7})(?:\s|$)"

_RULES = (
    _Rule("", "", r"\r", "a carriage return ends no line by itself", "end lines with a line feed"),
    _Rule("Invalid statement|Expected newline", "", _CONFLICT, "a merge conflict was left in the file", "resolve it"),
    _Rule("Invalid (?:statement|value|initial)", "", _CURLY_QUOTE, "a curly quote", "write \" or '"),
    _Rule("Invalid statement", "", r"[\]})]", *_LOOSE_BRACKET),
    _Rule("Invalid statement", "", "=", "a key is missing before =", "write key = value"),
    _Rule("Invalid statement", "", "", *_STATEMENT),
    _Rule("Invalid value", "", rf"(?i:true|yes|on){_WORD_END}", _SMALL_LETTERS, "{write}true"),
    _Rule("Invalid value", "", rf"(?i:false|no|off){_WORD_END}", _SMALL_LETTERS, "{write}false"),
    _Rule("Invalid value", "", rf"(?i:{_SLIPS}){_WORD_END}", "expected true or false", "{write}true or false"),
    _Rule("Invalid value", "", rf"(?i:none|null|nil|undefined){_WORD_END}", "TOML has no null", "leave the key out"),
    _Rule("Invalid value", r"=\s*$", _LINE_END, "expected a value behind =", "write one, or leave the key out"),
    _Rule("Invalid value", "", r"\s*[,\]}]", "expected a value", "write one, or take the comma away"),
    _Rule("Invalid value", "", r"[+-]?\.\d", "a number needs a digit before its dot", "write 0.5 for .5"),
    _Rule("Invalid value", "", "", _TEXT, _WRITE_TEXT),
    _Rule("Invalid date", "", "", "no such date or time", _WRITE_TEXT),
    _Rule(_BEHIND_VALUE, r"\d{4}-\d\d-\d\d[T\d:.+-]*$", r"\S", _TEXT, _WRITE_TEXT),
    _Rule(_BEHIND_VALUE, r"[=\[,]\s*[+-]?0$", r"[\d_]", "a number begins with no zero", "take the zero away"),
    _Rule(_BEHIND_VALUE, r"\d$", r",\d{3}", *_COMMA_IN_NUMBER),
    _Rule("Expected '='", r"\d,\d{3}\s*$", "", *_COMMA_IN_NUMBER),
    _Rule("Expected newline", "", r"[\]})]", *_LOOSE_BRACKET),
    _Rule("Expected newline", r"^\s*\[.*\]\s*$", "", "a header has its line to itself", "begin a new line behind it"),
    _Rule("Expected newline", "", "//", "expected the end of the line", "a comment begins with #"),
    _Rule("Expected newline", "", "[,;]", "a value ends with its line", "take away what is behind it"),
    _Rule("Expected newline", "", rf"[\w.-]+{_VALUE}", "a key has its line to itself", "begin a new line before it"),
    _Rule("Expected newline", r"[\"']\s*$", "", *_AFTER_QUOTE),
    _Rule(_BEHIND_VALUE, r"[\w.]$", r"[^\s,\]}#]", _TEXT, _WRITE_TEXT),
    _Rule("Expected newline", r"[\w.]\s*$", r"[^\s,\]}#]", _TEXT, _WRITE_TEXT),
    _Rule("Expected newline", "", "", "expected the end of the line behind a value", "take away what is behind it"),
    _Rule("Unclosed inline table", "", _LINE_END, *_ONE_LINE),
    _Rule("Unclosed inline table", "", "", "expected a comma or }} in an inline table", "write one between its keys"),
    _Rule("Unclosed array", "", "", "expected a comma or ] in a list", "write one between its values"),
    _Rule(r"Expected '\]\]'", r"^\s*\[\[", r"\][^\]]*$", "a header that opens with [[ ends with ]]", "write ]]"),
    _Rule(r"Expected '\]", "", "", "the header is not closed", "end it with ]"),
    _Rule("Invalid initial", r"^\s*\[+\s*$", r"\s*(?:\]|$)", "a header needs a name", "write it in the brackets"),
    _Rule("Invalid initial", r",\s*$", r"\}", "a comma stands before the }} of an inline table", "take it away"),
    _Rule("Invalid initial", r"[{,]\s*$", _LINE_END, *_ONE_LINE),
    _Rule("Invalid initial", r"\.\s*$|^\s*\[+\s*$", r"[\s.\]=]|$", *_LOOSE_DOT),
    _Rule("Invalid initial", "", "", "expected a key", "write key = value"),
    _Rule("Expected '='", "", ":", "expected = behind a key, found a colon", "write = for it"),
    _Rule("Expected '='", "", "", "expected = and a value behind a key", "write key = value"),
    _Rule(r"(?:Illegal|Found invalid) character '\\n'|Unterminated|Expected [\"]'", "", "", *_OPEN_LINE),
    _Rule("(?:Illegal|Found invalid) character", "", "", "{code} stands in a text or a comment", "take it away"),
    _Rule("Unescaped|Invalid hex", "", "", *_ESCAPE),
    _Rule("Escaped character", "", "", "an escape names no character", r"write \\ for \ itself"),
)

# What may be open: comments and closed strings are gone over. Each alternative gives nothing back of what it takes.
_TOKEN = re.compile(
    r"""#[^\n]*|"{3}(?:[^"\\]|\\.|"(?!""))*+"{3,5}|'{3}(?:[^']|'(?!''))*+'{3,5}"""
    r"""|"(?!"")(?:[^"\\\n]|\\.)*+"|'(?!'')[^'\n]*+'|(?P<quote>"{3}|'{3}|["'])|(?P<opening>[\[{])|(?P<closing>[\]}])""",
    re.DOTALL,
)
_NOT_CLOSED = {
    "[": ("the list that opens here is not closed", "end it with ]"),
    "{": ("the inline table that opens here is not closed", "end it with }"),
    **dict.fromkeys(('"', "'"), _OPEN_LINE),
    **dict.fromkeys(('"""', "'''"), _OPEN_STRING),
}
"""What is wrong where something stands open, by what opens it."""
_CLASHES = (
    ("{name} is stated twice, {lines}", "keep one of the two"),
    ("{name} is stated as a value and as a table, {lines}", "keep one of the two"),
    ("[{name}] is opened twice, {lines}", "write its keys below one header"),
)
"""What is wrong with two statements, by how many of them open a table."""
# What shows that the statement before it is over: the end of the text, a header or a key.
_NEXT_STATEMENT = re.compile(r"\Z|\[[^\]]*\][ \t]*(?:#|\n|$)|[\w.-]+[ \t]*=")
_KEY_BEFORE = re.compile(r"""(?:^|[\s{,])([\w.-]+|"[^"]+"|'[^']+')\s*=[^=\[{]*$""")
# A name of which some character is no bare one; a dot at its beginning or end is another fault.
_NEEDS_QUOTES = re.compile(rf"(?!\.|.*\.$|.*{_CURLY_QUOTE}|[A-Za-z0-9_-]+$).+")
_HEADER = re.compile(r"""(?P<open>\s*\[\[?)(?P<keys>[^\]"']+)(?P<close>\]\]?)""")
_PAIR = re.compile(
    rf"""(?P<open>\s*)(?P<keys>[^=\s"'\[\]{{}},#](?:[^="'\[\]{{}},#:]|:(?![\s/]))*?)(?P<close>){_VALUE}"""
)


def find_fault(message: str, text: str) -> SyntaxFault:
    """What is wrong with a text that the parser refuses.

    Args:
        message: What the parser says.
        text: The whole text.
    """
    # As the parser does, which counts lines and columns afterwards.
    text, said = text.replace("\r\n", "\n"), _POSITION.sub("", message)
    spot = _find_spot(message, text)
    found = (explain(said, spot) for beginnings, explain in _EXPLANATIONS if said.startswith(beginnings))
    return next(filter(None, found), SyntaxFault(spot.line, said))


def _find_spot(message: str, text: str) -> _Spot:
    """The place that a message names; one that names none is about the end of the text."""
    told, position = _POSITION.search(message), len(text)
    if told and told["line"]:
        line_starts = [0, *(newline.end() for newline in re.finditer("\n", text))]
        position = line_starts[int(told["line"]) - 1] + int(told["column"]) - 1
    _, _, before = text[max(0, position - _REACH) : position].rpartition("\n")
    after, _, _ = text[position : position + _REACH].partition("\n")
    return _Spot(text, position, text.count("\n", 0, position) + 1, before, after)


def _find_open(_said: str, spot: _Spot) -> SyntaxFault | None:
    """What was opened further up, where the text ends, or goes on with the next statement, before it is closed."""
    start = spot.position if spot.is_at_end else spot.text.rfind("\n", 0, spot.position) + 1
    if not _NEXT_STATEMENT.match(spot.text[start : start + _REACH]):
        return None
    opening = _last_opening(spot.text[:start])
    if opening is None:
        return None
    line = spot.text.count("\n", 0, opening.start()) + 1
    return SyntaxFault(line, *_NOT_CLOSED[opening[0]])


def _last_opening(text: str) -> re.Match[str] | None:
    """What stands open at the end of a text, but for a header."""
    waiting: list[re.Match[str]] = []
    for token in _TOKEN.finditer(text):
        if token["quote"]:
            return token
        if token["opening"]:
            waiting.append(token)
        elif token["closing"]:
            # Where nothing is open, another fault is told.
            del waiting[-1:]
    return next(filterfalse(_opens_header, reversed(waiting)), None)


def _opens_header(bracket: re.Match[str]) -> bool:
    """Whether a bracket is the first of its line, as a header's is."""
    text, position = bracket.string, bracket.start()
    return not text[text.rfind("\n", 0, position) + 1 : position].strip("[ \t")


def _find_clash(_said: str, spot: _Spot) -> SyntaxFault:
    """A table that is opened, or a key that is stated, where the text has it already."""
    # What stands before the place is valid TOML, read one statement at a time.
    *earlier, clashing = find_statements(spot.text[: spot.position])
    first = _first_of(clashing, earlier)
    name = join_keys(key for key in first.path if isinstance(key, str))
    name = name if len(name) <= _LONGEST_NAME else "a long key"
    same = first.line == clashing.line
    lines = f"on line {first.line}" if same else f"on lines {first.line} and {clashing.line}"
    # A key below the other statement opens that one's table.
    opens_table = clashing.is_table or first.path != clashing.path
    problem, hint = _CLASHES[first.is_table + opens_table]
    return SyntaxFault(clashing.line, problem.format(name=name, lines=lines), hint)


def _first_of(clashing: Statement, earlier: list[Statement]) -> Statement:
    """What stood there before: a value at the place or above it, a table at the place, or keys below it."""
    stated = {statement.path: statement for statement in reversed(earlier)}
    candidates = filter(None, map(stated.get, reversed([*prefixes(clashing.path)])))
    # A value lies over a table that is open here by right.
    clashes = (first for first in candidates if not first.is_table or len(first.path) > len(clashing.table))
    line = min((first.line for first in earlier if _is_below(first.path, clashing.path)), default=clashing.line)
    return next(clashes, Statement(clashing.path, line, is_table=True))


def _is_below(path: KeyPath, above: KeyPath) -> bool:
    return path[: len(above)] == above


def _find_bare_name(_said: str, spot: _Spot) -> SyntaxFault | None:
    """A header or a key with characters that only a name in quotes may hold, such as `[qwen/qwen3:free]`."""
    line, pattern, start = spot.before + spot.after, _HEADER, 0
    if not spot.before.lstrip().startswith("["):
        # Of an inline table, what follows the last comma or brace.
        pattern, start = _PAIR, max(map(spot.before.rfind, "{,")) + 1
    found = pattern.match(line, start)
    if found is None or len(found["keys"]) > _LONGEST_NAME:
        return None
    name_start = _last_key_start(line[: len(spot.before)], found.start("keys"))
    above, name = line[found.start("keys") : name_start], line[name_start : found.end("keys")].strip()
    if not _NEEDS_QUOTES.fullmatch(name):
        return None
    behind = found["close"] or " = \N{HORIZONTAL ELLIPSIS}"
    return SyntaxFault(spot.line, _NAME, f"write {found['open'].strip()}{above}{quote_key(name)}{behind}")


def _last_key_start(text: str, start: int) -> int:
    """Where the last key of a dotted one begins."""
    starts = [start]
    while match := KEY_PART.match(text, starts[-1]):
        if not match[0].endswith("."):
            break
        starts.append(match.end())
    return starts[-1]


def _find_by_rule(said: str, spot: _Spot) -> SyntaxFault | None:
    """The words of the first rule that fits."""
    rule = next((rule for rule in _RULES if _fits(rule, said, spot)), None)
    if rule is None:
        return None
    key = _KEY_BEFORE.search(spot.before)
    write = f"write {key[1]} = " if key and len(key[1]) <= _LONGEST_NAME else "write "
    code = f"U+{ord(spot.text[spot.position]):04X}" if not spot.is_at_end else ""
    return SyntaxFault(spot.line, rule.problem.format(code=code), rule.hint.format(write=write))


def _fits(rule: _Rule, said: str, spot: _Spot) -> bool:
    is_said = re.match(rule.said, said) and re.search(rule.before, spot.before)
    return bool(is_said and re.match(rule.after, spot.after))


_Explanation: TypeAlias = Callable[[str, _Spot], SyntaxFault | None]
_EXPLANATIONS: tuple[tuple[str | tuple[str, ...], _Explanation], ...] = (
    ("", _find_open),
    (("Cannot", "Duplicate"), _find_clash),
    (("Expected '=", "Expected ']", "Invalid initial", "Invalid statement"), _find_bare_name),
    ("", _find_by_rule),
)
"""What finds words, the first to be asked first, for what the parser says with such a beginning."""
