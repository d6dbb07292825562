"""1.3's table of comparisons: each row as it is written in a condition."""

from __future__ import annotations

import pytest

from openpy.script.comparable import comparison_problem
from openpy.script.diagnostics import ScriptError
from openpy.script.parser import parse
from openpy.script.syntax import Number, Operand


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "$rU",
        'method=="INVITE"',
        "method==INVITE",
        "method=~INVITE",
        'method!~"^INV"',
        "$rm==INVITE",
        "$rm==$var(x)",
        '$hdr(X)!=""',
        "$var(x)>=-1",
        "$rU==NULL",
        "$rU!=NULL",
        "$ru==myself",
        "uri==iptel.org",
        "uri==myself",
        'from_uri=~"sip:"',
        "to_uri!=myself",
        'status=="200"',
        'status=~"18[03]"',
        "status==200",
        "status>=200",
        "src_port==5060",
        "dst_port<1024",
        "proto==UDP",
        "proto!=any",
        "af==INET6",
        "af==2",
        "msg:len>=2048",
        "msg:len<max_len",
        "src_ip==10.0.0.1",
        "src_ip!=10.0.0.0/8",
        "src_ip==[::1]",
        'dst_ip=="10.0.0.1"',
        "src_ip==host.foo.com",
        "src_ip==myself",
        'src_ip=~"^10"',
        "myself==uri",
        "myself!=src_ip",
    ],
)
def test_accepted(text: str) -> None:
    parse(f"route {{ if ({text}) exit; }}", "t.cfg")


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ('"x"', "a string is no condition"),
        ("foo", "foo is no condition"),
        ("method", "method must be compared"),
        ("uri", "uri must be compared"),
        ("myself", "myself must be compared"),
        ("NULL", "NULL must be compared"),
        ("10.0.0.1", "an address is no condition"),
        ('"INV"=~$rm', "on the left"),
        ("1==2", "on the left"),
        ('"x"==NULL', "on the left"),
        ("NULL<$var(x)", "> cannot be used with NULL"),
        ("foo==1", "foo cannot stand on the left"),
        ("retcode==1", "retcode cannot stand on the left"),
        ("method==1", "method is compared with a string"),
        ("$rm==method", "method cannot stand on the right"),
        ("$si==10.0.0.1", "an address is quoted here"),
        ("$rU>NULL", "> cannot be used with NULL"),
        ("$ru=~myself", "=~ cannot be used with myself"),
        ("$var(x)=~1", "=~ cannot be used with a number"),
        ("uri==1.2.3.4", "an address is quoted here"),
        ("uri==5", "uri is compared with"),
        ("uri>myself", "> cannot be used with myself"),
        ("status=~200", "=~ cannot be used with a number"),
        ('proto=="UDP"', "proto is compared with udp"),
        ("proto==17", "proto is compared with udp"),
        ("proto=~UDP", "=~ cannot be used with proto"),
        ("af==foo", "af is compared with inet"),
        ('msg:len=="5"', "msg:len is compared with a number"),
        ("msg:len=~5", "=~ cannot be used with msg:len"),
        ('src_port=="5060"', "src_port is compared with a number"),
        ("src_ip<10.0.0.1", "< cannot be used with an address"),
        ("src_ip=~myself", "=~ cannot be used with myself"),
        ("src_ip==5", "src_ip is compared with"),
        ('myself=="x"', "myself is compared with uri"),
        ("myself<uri", "< cannot be used with myself"),
    ],
)
def test_refused(text: str, fragment: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse(f"route {{ if ({text}) exit; }}", "t.cfg")
    (found,) = caught.value.diagnostics
    assert fragment in found.message
    assert found.position.column == 13
    assert found.position.end_column == 13 + len(text)


@pytest.mark.parametrize("text", ["method", "myself", "10.0.0.1"])
def test_values_that_can_only_be_compared(text: str) -> None:
    with pytest.raises(ScriptError, match="can only be compared"):
        parse(f"route {{ $var(x) = {text}; }}", "t.cfg")


def test_the_hint_names_the_variable_to_use_instead() -> None:
    problem = comparison_problem(Operand("method"), "==", Number(1))
    assert problem is not None
    assert "$rm" in problem[1]
