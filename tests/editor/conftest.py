"""A script with a bit of everything, and a mark where the cursor is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from openpy.editor.analysis import Analysis, analyse

SCRIPT = """#!define FLAG 5
avp_aliases="caller=s:caller"
debug=3
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "xlog.so"
modparam("tm", "fr_timer", 10)

route {
	$var(count) = 1;
	$avp(s:who) = $rU;
	t_on_failure("BUSY");
	setflag(FLAG);
	route(RELAY);
	xlog("L_INFO", "$var(count) calls of $(ru{uri.user})\\n");
}

route[RELAY] {
	sl_send_reply("200", "OK");
}

failure_route[BUSY] {
	route("RELAY");
}
"""

Analyse = Callable[..., Analysis]


@pytest.fixture
def known() -> Analyse:
    """known(text, **files) -> what is known of the script test.cfg; files are named with `_` for `.`."""

    def known(text: str = SCRIPT, before: Analysis | None = None, **files: str) -> Analysis:
        texts: Mapping[str, str] = {
            "test.cfg": text,
            **{name.replace("_", "."): files[name] for name in files},
        }

        def read(path: str) -> bytes:
            if path not in texts:
                raise FileNotFoundError(2, "No such file or directory", path)
            return texts[path].encode()

        return analyse("test.cfg", read, before)

    return known


def marked(text: str) -> tuple[str, int]:
    """A text without its `^`, and where that was."""
    offset = text.index("^")
    return text[:offset] + text[offset + 1 :], offset
