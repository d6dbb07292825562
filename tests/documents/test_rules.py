"""Presence rules: what a document says of a watcher."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.documents.permissions import Permissions, Selection
from openpy.documents.rules import COMMON_POLICY, PRES_RULES, Decision, Ruleset, SubHandling, parse
from openpy.documents.xml import DocumentError

BOB = "sip:bob@example.org"
CAROL = "sip:carol@example.net"
NOBODY = "sip:anonymous@anonymous.invalid"


def rule(handling: str, conditions: str = "", transformations: str = "") -> str:
    return (
        f'<cr:rule id="r"><cr:conditions>{conditions}</cr:conditions>'
        f"<cr:actions><pr:sub-handling>{handling}</pr:sub-handling></cr:actions>"
        f"<cr:transformations>{transformations}</cr:transformations></cr:rule>"
    )


def one(uri: str) -> str:
    return f'<cr:identity><cr:one id="{uri}"/></cr:identity>'


def ruleset(*rules: str) -> Ruleset:
    return parse(
        f'<?xml version="1.0"?><cr:ruleset xmlns:cr="{COMMON_POLICY}" xmlns:pr="{PRES_RULES}" '
        f'xmlns:o="urn:oma:xml:xdm:common-policy" xmlns:x="urn:x">{"".join(rules)}</cr:ruleset>'.encode()
    )


def status(rules: Ruleset, watcher: str = BOB, *, now: float = 0.0, sphere: str | None = None) -> SubHandling:
    return rules.decide(watcher, now=now, sphere=sphere).status


@pytest.mark.parametrize(
    ("text", "handling"),
    [
        ("block", SubHandling.BLOCK),
        (" confirm ", SubHandling.CONFIRM),
        ("polite-block", SubHandling.POLITE_BLOCK),
        ("Allow", SubHandling.ALLOW),
        ("allowance", SubHandling.BLOCK),
        ("", SubHandling.BLOCK),
    ],
)
def test_xc_16_xc_17_sub_handling(text: str, handling: SubHandling) -> None:
    assert status(ruleset(rule(text))) is handling


def test_xc_18_no_rule_says_anything() -> None:
    assert ruleset().decide(BOB, now=0) == Decision(SubHandling.NONE)
    assert status(ruleset(rule("allow", one(CAROL)))) is SubHandling.NONE
    assert status(ruleset("<cr:rule id='r'/>")) is SubHandling.NONE


def test_xc_08_a_rule_without_conditions() -> None:
    allow = "<cr:rule id='r'><cr:actions><pr:sub-handling>allow</pr:sub-handling></cr:actions></cr:rule>"
    assert ruleset(allow).decide(NOBODY, now=0) == Decision(SubHandling.ALLOW)


@given(st.permutations(["block", "confirm", "polite-block", "allow"]), st.integers(0, 4))
def test_xc_09_all_matching_rules_are_joined(order: list[str], length: int) -> None:
    every = {"block": 0, "confirm": 10, "polite-block": 20, "allow": 30}
    chosen = order[:length]
    decided = status(ruleset(rule("allow", one(CAROL)), *(rule(text, one(BOB)) for text in chosen)))
    assert decided == max((every[text] for text in chosen), default=-1)


def test_xc_09_permissions_are_joined() -> None:
    rules = ruleset(
        rule("confirm", one(BOB), "<pr:provide-services><pr:class>a</pr:class></pr:provide-services>"),
        rule("allow", "", "<pr:provide-services><pr:class>b</pr:class></pr:provide-services>"),
        rule("allow", one(CAROL), "<pr:provide-mood>true</pr:provide-mood>"),
    )
    both = Selection(selectors=frozenset({("class", "a"), ("class", "b")}))
    assert rules.decide(BOB, now=0) == Decision(SubHandling.ALLOW, Permissions(services=both))


def test_who_is_not_authenticated_is_named_by_no_rule() -> None:
    rules = ruleset(rule("allow", one(BOB)), rule("confirm", "<o:anonymous-request/>"))
    assert rules.decide(BOB, now=0, authenticated=True).status is SubHandling.ALLOW
    assert rules.decide(BOB, now=0, authenticated=False).status is SubHandling.CONFIRM
    assert rules.decide(NOBODY, now=0).status is SubHandling.CONFIRM


def test_other_identities_are_those_that_no_rule_names() -> None:
    rules = ruleset(rule("allow", one(BOB)), rule("polite-block", "<o:other-identity/>"))
    assert status(rules, BOB) is SubHandling.ALLOW
    assert status(rules, CAROL) is SubHandling.POLITE_BLOCK
    assert status(rules, NOBODY) is SubHandling.NONE


def test_xc_14_when_rules_begin_and_end() -> None:
    valid = (
        "<cr:validity><cr:from>1970-01-01T00:00:10Z</cr:from><cr:until>1970-01-01T00:00:20Z</cr:until>"
        "</cr:validity>"
    )
    rules = ruleset(rule("allow", valid), rule("confirm", ""))
    assert [status(rules, now=now) for now in (9, 10, 20)] == [
        SubHandling.CONFIRM,
        SubHandling.ALLOW,
        SubHandling.CONFIRM,
    ]
    assert [rules.next_change(now) for now in (0, 10, 20)] == [10, 20, None]


def test_xc_15_rules_of_a_sphere() -> None:
    rules = ruleset(rule("allow", '<cr:sphere value="work"/>'))
    assert rules.depends_on_sphere
    assert status(rules, sphere="work") is SubHandling.ALLOW
    assert status(rules) is SubHandling.NONE
    assert not ruleset(rule("allow")).depends_on_sphere


def test_an_unknown_condition_is_never_fulfilled() -> None:
    assert status(ruleset(rule("allow", "<x:identity/>"))) is SubHandling.NONE


def test_namespaces_count_in_a_common_policy_document() -> None:
    foreign = rule("allow", "", "<x:provide-mood>true</x:provide-mood>").replace("pr:sub", "x:sub")
    assert ruleset(foreign).decide(BOB, now=0) == Decision(SubHandling.NONE)


@pytest.mark.parametrize("declaration", ["", ' xmlns="urn:other"', f' xmlns="{COMMON_POLICY}"'])
def test_documents_as_1_3_took_them(declaration: str) -> None:
    body = (
        f"<RuleSet{declaration}><rule><conditions><identity><one id='{BOB}'/></identity></conditions><actions>"
        "<sub-handling xmlns=''>allow</sub-handling></actions><transformations><provide-mood xmlns=''>FALSE"
        "</provide-mood></transformations></rule></RuleSet>"
    )
    assert parse(body.encode()).decide(BOB, now=0) == Decision(
        SubHandling.ALLOW, Permissions(denied=frozenset({(None, "mood")}))
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "well-formed"),
        (b"<ruleset>", "well-formed"),
        (b"<rules/>", "root"),
        (b"<!DOCTYPE ruleset><ruleset/>", "type declarations"),
        (
            b"<ruleset><rule><conditions><identity><one/></identity></conditions></rule></ruleset>",
            "one without",
        ),
    ],
)
def test_xc_27_a_broken_document(body: bytes, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        parse(body)
