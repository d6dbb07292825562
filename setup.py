"""The compiled build, if OPENPY_COMPILE=1 asks for it: mypyc makes C extensions of hot modules (docs/compiled.md).

Without it nothing is compiled: the pure package is the reference. OPENPY_OPTIMISE is the level of the C compiler's
optimisation, 2 unless it says otherwise.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from setuptools import setup


def compiled_files() -> list[str]:
    """The files of the modules that pyproject.toml lists."""
    settings = tomllib.loads(Path("pyproject.toml").read_text())
    modules: list[str] = settings["tool"]["openpy"]["compiled"]
    return [f"{module.replace('.', '/')}.py" for module in modules]


if os.environ.get("OPENPY_COMPILE") == "1":
    from mypyc.build import mypycify

    setup(
        ext_modules=mypycify(
            compiled_files(),
            opt_level=os.environ.get("OPENPY_OPTIMISE", "2"),
            debug_level="0",
            group_name="openpy",
        )
    )
else:
    setup()
