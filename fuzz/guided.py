"""One target under atheris, guided by the coverage of openpy: `python -m fuzz.guided TARGET [what libFuzzer takes]`."""

from __future__ import annotations

import sys

import atheris

from fuzz import check_of

if __name__ == "__main__":
    target = sys.argv.pop(1)
    with atheris.instrument_imports(include=["openpy"], enable_loader_override=False):
        check = check_of(target)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
