"""The scripts that are open in an editor, and what is known of each.

Rules:
1. A file that a script includes is checked as a part of that script: one that is open, or an `openser.cfg` beside the
   file or in the folder above. Any other file is a script of its own.
2. The text in the editor counts, else the one on disk.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from os.path import dirname, join, normpath
from pathlib import Path

from openpy.editor.analysis import Analysis, analyse
from openpy.script.preprocessor import Read, decode

USUAL_NAME = "openser.cfg"


class Project:
    """Open texts by path; paths are absolute, or what the editor calls a text that is in no file."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.analyses: dict[str, Analysis] = {}

    def open(self, path: str, text: str) -> None:
        """Have another text for a path. Halves of characters, which JSON can carry, are no text."""
        self.texts[normpath(path)] = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def close(self, path: str) -> None:
        """What is on disk counts again."""
        self.texts.pop(normpath(path), None)
        self.analyses.pop(normpath(path), None)

    def reader(self) -> Read:
        """What reads files as they are now; it may be called in another thread."""
        return partial(_read, dict(self.texts))

    def text(self, path: str) -> str:
        """The text of a file; raises OSError."""
        return decode(self.reader()(path))

    def script_of(self, path: str) -> str:
        """The script that a file belongs to."""
        path = normpath(path)
        for main, analysis in self.analyses.items():
            if main != path and path in map(normpath, analysis.sources):
                return main
        for folder in (dirname(path), dirname(dirname(path))):
            main = join(folder, USUAL_NAME)
            if main == path or main in self.analyses or not (main in self.texts or Path(main).is_file()):
                continue
            with contextlib.suppress(
                Exception
            ):  # a file that cannot be read, a module of one's own with a mistake
                self.keep(analyse(main, self.reader()))
                if path in map(normpath, self.analyses[main].sources):
                    return main
        return path

    def keep(self, analysis: Analysis) -> None:
        """Remember what is known of a script; what it includes is no script of its own any more."""
        self.analyses[analysis.file] = analysis
        for file in analysis.sources:
            if file != analysis.file:
                self.analyses.pop(normpath(file), None)

    def current(self, path: str) -> Analysis:
        """What is known of the script that a file belongs to, over the texts as they are now; raises OSError."""
        main = self.script_of(path)
        if main not in self.analyses:
            self.keep(analyse(main, self.reader()))
        analysis = self.analyses[main]
        texts = {file: self.texts.get(normpath(file), text) for file, text in analysis.sources.items()}
        return replace(analysis, sources=texts)


def _read(texts: Mapping[str, str], path: str) -> bytes:
    text = texts.get(normpath(path))
    return Path(path).read_bytes() if text is None else text.encode()
