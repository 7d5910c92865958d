r"""How text is shown: what a terminal obeys, and what a CI runner takes for a command, is written as escapes.

    visible("\x1b[2J")                  # \x1b[2J, in seven characters
    visible_line("::error::injected")   # \x3a:error::injected

Names, values, files, variables and arguments are other people's: a terminal would obey some of their characters, and so
would a CI runner that reads the log. Whatever this package tells in words goes through here: what its commands print,
the text of its exceptions, problems and log records, and the reprs that hold names. Data stay exactly as they are.

What is shown already is left as it is, so it does no harm to ask twice.
"""

from __future__ import annotations

import re

# What a terminal obeys instead of showing it, what turns the direction of a line, what ends one, what nobody sees, so
# that two names would look the same, and halves of characters; and what opens a command to a CI runner, which looks for
# it anywhere in a line. Single characters, and one fixed text with a look ahead. Joiners are part of what is written.
_UNSHOWABLE = (
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ud800-\\udfff\\ufeff"
    "\\ufff9-\\ufffb\\U000e0000-\\U000e007f]|##(?=\\[|vso\\[|teamcity\\[)"
)
_OPENS_RUNNER_COMMAND = "##"
# At the start of a line, with white space before it or without.
_RUNNER_COMMAND = r"\s*:(?=:)"


def visible(text: str) -> str:
    r"""A text in which everything that is no character to look at is written as an escape, such as `\x1b`."""
    # Most texts hold nothing of it, and the expression is compiled when the first one does.
    if text.isprintable() and _OPENS_RUNNER_COMMAND not in text:
        return text
    return re.sub(_UNSHOWABLE, _escape, text)


def visible_line(text: str) -> str:
    """A text as a line of its own, or the beginning of one: visible, and taken for a command by no CI runner."""
    return without_command(visible(text))


def without_command(line: str) -> str:
    """A line that no CI runner takes for a command."""
    return line.replace(":", r"\x3a", 1) if re.match(_RUNNER_COMMAND, line) else line


def _escape(found: re.Match[str]) -> str:
    if found[0] == _OPENS_RUNNER_COMMAND:
        return rf"\x23{found[0][1:]}"
    return found[0].encode("unicode_escape").decode()
