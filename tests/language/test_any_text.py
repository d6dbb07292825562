"""Whatever stands in a script: it gives a program or diagnostics, within bounds, and nothing else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.script import check

GOLDEN = Path(__file__).parent.parent / "golden"
SEPARATOR = b"=" * 80
SCRIPTS = [path.read_bytes().partition(SEPARATOR)[0] for path in sorted(GOLDEN.glob("*.golden"))]
WORDS = [
    *b"route { } ( ) [ ] ; , ! && || == = =~ + * if else while switch case default : exit drop return break".split(),
    *b'$ru $(ru{s.len}) $var(x) $avp(s:x) "text" "^a$b" 1 0 NULL myself uri method src_ip 10.0.0.0/8'.split(),
    *b'loadmodule modparam "tm.so" "sl.so" t_relay() sl_send_reply("200","OK") route(1) #!define #!ifdef'.split(),
    *b"failure_route onreply_route[1] event_route[core:worker-one-init] flags listen= debug= \n /* */ # '".split(),
]
FEW = settings(max_examples=60)


@FEW
@given(st.binary(max_size=300))
def test_bytes(data: bytes) -> None:
    check(data)


@FEW
@given(st.lists(st.sampled_from(WORDS), max_size=60))
def test_words(words: list[bytes]) -> None:
    check(b" ".join(words))


@FEW
@given(st.sampled_from(SCRIPTS), st.data())
def test_changed_scripts(script: bytes, data: st.DataObject) -> None:
    """A piece is taken out, doubled, or replaced by a word."""
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(script)))
        end = min(len(script), start + data.draw(st.integers(0, 40)))
        piece = data.draw(st.sampled_from([b"", script[start:end] * 2, *WORDS]))
        script = script[:start] + piece + script[end:]
    check(script)


@FEW
@given(st.recursive(st.sampled_from([b"exit;", b"t_relay();", b"route(1);", b"break;", b";"]), lambda inner: st.one_of(
    st.builds(lambda a, b: b"if (is_method(\"ACK\")) { " + a + b" } else { " + b + b" }", inner, inner),
    st.builds(lambda a, b: b"while ($var(x)) { " + a + b + b" }", inner, inner),
    st.builds(lambda a, b: b"switch ($rc) { case 1: " + a + b" default: " + b + b" }", inner, inner),
    st.builds(lambda a, b: b"if (!(route(1) && { " + a + b" }) || t_relay()) " + b, inner, inner),
    st.builds(lambda a, b: a + b, inner, inner),
)))  # fmt: skip
def test_blocks_in_blocks(body: bytes) -> None:
    loads = b'loadmodule "tm.so"\nloadmodule "textops.so"\n'
    check(loads + b"route { " + body + b" } route[1] { " + body + b" }")


def repeated(piece: str, before: str = "route { ", after: str = " drop; }", size: int = 20_000) -> str:
    return before + piece * (size // len(piece)) + after


HOSTILE = {
    "blocks": "route { " + "if ($rU) { " * 5_000 + "}" * 5_001,
    "parentheses": "route { if " + "(" * 20_000 + "1" + ")" * 20_000 + " exit; }",
    "not": "route { if (" + "!" * 30_000 + "1) exit; }",
    "else if": repeated("if ($rU) setflag(1); else "),
    "and": repeated(' && $rm != "A"', 'route { if ($rm == "B"', ") drop; }"),
    "and or": repeated(" && 1 || $rU", "route { if ($rU", ") drop; }"),
    "plus": repeated(" + 1 * 2", "route { $var(x) = 1", "; drop; }"),
    "unknown": repeated("nosuch_thing($nosuch, $(ru{s.nosuch})); "),
    "misspelt": repeated('if (method == "INVTE") setflag(1); '),
    "undefined": repeated("route(nosuch); "),
    "replies": 'loadmodule "sl.so" ' + repeated('if ($rU) { sl_send_reply("404", "x"); } '),
    "conditions": repeated("if (if (if (if ($rU) setflag(1);) setflag(2);) setflag(3);) setflag(4); "),
    "loops in conditions": "route { " + "while ({ " * 40 + "exit;" + "}) setflag(1);" * 40 + " }",
    "chain": "route { route(0a); }" + "".join(f"route[{n}a] {{ route({n + 1}a); }}" for n in range(700)),
    "circle": "".join(f"route[{n}a] {{ route({(n + 1) % 400}a); route({n * 7 % 400}a); }}" for n in range(400)),
    "failure routes": "".join(
        f"failure_route[{n}a] {{ route(0a); }} route[{n}a] {{ route({n + 1}a); }}" for n in range(400)
    ),
    "patterns": repeated('if ($rU =~ "((((((a|b)*)+)?^c)$d)*)") setflag(1); '),

    "modules": repeated('loadmodule "tmm.so" ', "", "route { t_relay(); }"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_scripts_cost_little(name: str) -> None:
    began = time.process_time()
    check(HOSTILE[name].encode())
    assert time.process_time() - began < 5
