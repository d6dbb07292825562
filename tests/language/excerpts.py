"""The idioms as files, and the scripts that are made of them."""

from __future__ import annotations

from pathlib import Path

from openpy.engine.modulefinder import module_names

FILES = sorted((Path(__file__).parent / "idioms").glob("*.cfg"))

HEAD = """debug=2 log_stderror=yes fork=yes children=1 disable_tcp=yes auto_aliases=no dns=no rev_dns=no
listen=udp:127.0.0.1:0
mpath="/usr/local/lib/openser/modules/"
"""


TARGETS = "2 sip:192.0.2.21:5060\n2 sip:192.0.2.22:5060\n"
"""What stands in LISTFILE."""


def modules_of(text: str) -> list[str]:
    """The modules that an idiom says it needs, a database first where it names one."""
    needed = text.splitlines()[1].removeprefix("# modules: ").split()
    return ["sqlite", *needed] if '"DB"' in text else needed


def missing(path: Path) -> set[str]:
    """Those of them that this version does not have."""
    return set(modules_of(path.read_text())).difference(module_names())


def script_of(path: Path, folder: Path) -> str:
    """A whole script; `folder` takes its database, and the file LISTFILE, which is written."""
    text = path.read_text()
    (folder / "list").write_text(TARGETS)
    loads = "".join(f'loadmodule "{name}.so"\n' for name in modules_of(text))
    body = text.replace('"DB"', f'"sqlite:///{folder}/idiom.db"').replace("LISTFILE", f"{folder}/list")
    return f"{HEAD}{loads}{body}"
