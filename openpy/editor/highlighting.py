"""A lexer for Pygments, which finds it by the names `openser` and `openser.cfg`.

Rules:
1. Whatever the parser reads without a warning has no token of the kind Error.
2. A wrong text never stops it: what means nothing is an Error, and the next character is looked at.
"""

from __future__ import annotations

import re

from pygments.lexer import RegexLexer, words
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Text,
)

from openpy.editor import vocabulary

_HOST = r"\w+(?:(?:\.|-+)\w+)+"
_ADDRESS = r"\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]+\]"


def _words(known: tuple[str, ...]) -> words:
    return words(known, prefix=r"\b", suffix=r"(?![\w.-])")


class ScriptLexer(RegexLexer):
    """Scripts of openpy and OpenSER 1.3."""

    name = "OpenSER script"
    aliases = ["openser", "openser.cfg"]  # noqa: RUF012 - Pygments' way
    filenames = ["openser*.cfg"]  # noqa: RUF012
    mimetypes = ["text/x-openser"]  # noqa: RUF012
    url = ""
    flags = re.MULTILINE

    _variables = [  # noqa: RUF012
        (r"\$\(", Name.Variable, "variable"),
        (r"\$[\w.]+\([^()\"'\n]*\)", Name.Variable),
        (r"\$[\w.]+|\$\$", Name.Variable),
    ]
    tokens = {  # noqa: RUF012
        "root": [
            (r"\s+|\\\r?\n", Text.Whitespace),
            (rf"#!(?:{'|'.join(vocabulary.DIRECTIVES)})\b", Comment.Preproc, "directive"),
            (r"#[^\n]*", Comment.Single),
            (r"/\*", Comment.Multiline, "comment"),
            (r'"', String.Double, "string"),
            (r"'[^']*'", String.Single),
            *_variables,
            (r"@[A-Za-z_][\w.]*", Name.Variable),
            (rf"(?:{_ADDRESS})(?:/(?:{_ADDRESS}|\d+))?(?![\w.-])", Number.Other),
            (r"0x[0-9A-Fa-f]+\b|\d+(?![\w.])", Number),
            (_words(vocabulary.ROUTES), Keyword.Declaration),
            (_words(vocabulary.LOADING), Keyword.Namespace),
            (_words(vocabulary.CONTROL), Keyword),
            (_words(vocabulary.WORD_OPERATORS), Operator.Word),
            (_words(vocabulary.CONSTANTS), Keyword.Constant),
            (_words(vocabulary.PARAMETERS), Name.Attribute),
            (_words(vocabulary.OPERANDS), Name.Builtin.Pseudo),
            (_words(vocabulary.FUNCTIONS), Name.Builtin),
            (r"\w+(?=\s*\()", Name.Function),
            (_HOST, Name.Other),
            (r"\w+", Name),
            (r"[=!]~|[=!<>:+\-*/%&|^]=|&&|\|\||[=<>!~+\-*/%&|^]", Operator),
            (r"[(){}\[\],;:.]", Punctuation),
        ],
        "directive": [
            (r"(?:\\\r?\n|[^\n])+", Comment.PreprocFile, "#pop"),
            (r"\n", Text.Whitespace, "#pop"),
        ],
        "comment": [
            (r"[^*/]+", Comment.Multiline),
            (r"/\*", Comment.Multiline, "#push"),
            (r"\*/", Comment.Multiline, "#pop"),
            (r"[*/]", Comment.Multiline),
        ],
        "string": [
            (r'"', String.Double, "#pop"),
            (r"\\(?:x[0-9A-Fa-f]{1,2}|[0-7]{2,3}|[\s\S])", String.Escape),
            *_variables,
            (r'[^"\\$]+|\$', String.Double),
        ],
        "variable": [
            (r"\)", Name.Variable, "#pop"),
            (r"\(", Name.Variable, "inner"),
            (r"(?<=\{)[\w.]+", Name.Decorator),
            (r"\{", Punctuation),
            (r"\}", Punctuation),
            (r"[^(){}\n\"]+", Name.Variable),
            (r"(?=[\n\"])", Text, "#pop"),
        ],
        "inner": [
            (r"\)", Name.Variable, "#pop"),
            (r"\(", Name.Variable, "#push"),
            (r"[^()\n\"]+", Name.Variable),
            (r"(?=[\n\"])", Text, "#pop"),
        ],
    }
