"""The pages of docs/ as HTML, scripts in colour: `python -m openpy.cli.site docs FOLDER`."""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from openpy.editor.highlighting import ScriptLexer

_LINK = re.compile(r'(<a href="(?!\w+:)[^"]*)\.md(["#])')
_STYLE = """
body { max-width: 60em; margin: 2em auto; padding: 0 1em; font-family: sans-serif; line-height: 1.5 }
td, th { text-align: left; vertical-align: top; padding: .2em .6em; border-top: 1px solid #ccc }
pre { overflow-x: auto }
"""


def main(arguments: Sequence[str]) -> int:
    """Write a page of HTML for each page of a folder."""
    source, target = map(Path, arguments)
    for page in sorted(source.rglob("*.md")):
        file = (target / page.relative_to(source)).with_suffix(".html")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(as_html(page.read_text("utf-8")), "utf-8")
    return 0


def as_html(text: str) -> str:
    """One page; links to other pages go to their HTML."""
    markdown = MarkdownIt("commonmark", {"highlight": _coloured}).enable("table")
    title = html.escape(next((line[2:] for line in text.splitlines() if line.startswith("# ")), "openpy"))
    body = _LINK.sub(r"\1.html\2", markdown.render(text))
    style = _STYLE + str(HtmlFormatter().get_style_defs("pre"))  # type: ignore[no-untyped-call]
    return f'<!doctype html><meta charset="utf-8"><title>{title}</title><style>{style}</style>\n{body}'


def _coloured(code: str, language: str, _attributes: str) -> str:
    """A block of code in colour; "" leaves it as it is."""
    try:
        lexer = ScriptLexer() if language in ScriptLexer.aliases else get_lexer_by_name(language)
    except ClassNotFound:
        return ""
    return highlight(code, lexer, HtmlFormatter(nowrap=True))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
