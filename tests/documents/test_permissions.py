"""Permissions: how they are read, and how those of several rules are joined."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from openpy.documents.permissions import Permissions, Selection, UserInput, parse


def read(transformations: str) -> Permissions:
    return parse(etree.fromstring(f"<transformations>{transformations}</transformations>"))


def selecting(*selectors: tuple[str, str]) -> Selection:
    return Selection(selectors=frozenset(selectors))


def test_nothing_is_mentioned() -> None:
    assert read("") == read("<other-extension>true</other-extension>") == Permissions()
    assert Permissions().forbids_nothing


@pytest.mark.parametrize(
    ("content", "selection"),
    [
        ("<all-services/>", Selection(True)),
        ("TRUE", Selection(True)),
        ("False", Selection()),
        ("", Selection()),
        ("<class>work</class><class> home </class>", selecting(("class", "work"), ("class", "home"))),
        ("<service-uri>sip:a@b</service-uri>", selecting(("service-uri", "sip:a@b"))),
        ("<service-uri-scheme>SIP:</service-uri-scheme>", selecting(("service-uri-scheme", "sip"))),
        ("<occurence-id>t1</occurence-id>", selecting(("occurrence-id", "t1"))),
        ("<class/><colour>red</colour>", Selection()),
        ("<class>a</class><all-services/>", Selection(True)),
    ],
)
def test_xc_20_selectors_of_services(content: str, selection: Selection) -> None:
    assert read(f"<provide-services>{content}</provide-services>") == Permissions(services=selection)


def test_xc_20_xc_21_selectors_of_persons_and_devices() -> None:
    assert read(
        "<provide-persons><occurrence-id>p</occurrence-id></provide-persons>"
        "<provide-devices><deviceID>urn:uuid:1</deviceID></provide-devices>"
    ) == Permissions(persons=selecting(("occurrence-id", "p")), devices=selecting(("deviceID", "urn:uuid:1")))


@pytest.mark.parametrize("text", ["true", "TRUE", " 1 "])
def test_xc_22_granted(text: str) -> None:
    assert read(f"<provide-mood>{text}</provide-mood>").granted == {(None, "mood")}


@pytest.mark.parametrize("text", ["false", "0", "", "perhaps"])
def test_xc_22_refused(text: str) -> None:
    refused = read(f"<provide-mood>{text}</provide-mood>")
    assert refused.denied == {(None, "mood")}
    assert not refused.forbids_nothing


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("false", UserInput.FALSE),
        ("bare", UserInput.BARE),
        ("Thresholds", UserInput.THRESHOLDS),
        ("full", UserInput.FULL),
        ("TRUE", UserInput.FULL),
        ("everything", UserInput.FALSE),
    ],
)
def test_xc_23_levels_of_user_input(text: str, level: UserInput) -> None:
    permissions = read(f"<provide-user-input>{text}</provide-user-input>")
    assert permissions.user_input is level
    assert permissions.forbids_nothing is (level is UserInput.FULL)


def test_xc_24_named_and_all_attributes() -> None:
    foo = '<provide-unknown-attribute ns="urn:foo" name="foo">true</provide-unknown-attribute>'
    bar = '<provide-unknown-attribute name="bar">false</provide-unknown-attribute>'
    assert read(foo + bar) == Permissions(
        granted=frozenset({("urn:foo", "foo")}), denied=frozenset({("", "bar")})
    )
    assert read("<provide-all-attributes/>").all_attributes
    assert not read("<provide-all-attributes>false</provide-all-attributes>").all_attributes


SELECTIONS = st.none() | st.builds(
    Selection, st.booleans(), st.frozensets(st.sampled_from([("class", "a"), ("class", "b")]))
)
NAMES = st.frozensets(st.sampled_from([(None, "mood"), (None, "note"), ("urn:x", "note")]))
PERMISSIONS = st.builds(
    lambda services, level, granted, denied: Permissions(
        services, None, services, level, granted, denied - granted
    ),
    SELECTIONS.map(lambda selection: Selection(True) if selection and selection.everything else selection),
    st.none() | st.sampled_from(UserInput),
    NAMES,
    NAMES,
)


@given(PERMISSIONS, PERMISSIONS, PERMISSIONS)
def test_xc_09_joining_is_a_union(one: Permissions, two: Permissions, three: Permissions) -> None:
    assert one.joined(two) == two.joined(one)
    assert hash(one.joined(two)) == hash(two.joined(one))
    assert one.joined(two).joined(three) == one.joined(two.joined(three))
    assert one.joined(one) == one == one.joined(Permissions()) == Permissions().joined(one)
    assert one.joined(two).granted >= one.granted


def test_xc_09_the_highest_wins() -> None:
    low = read("<provide-mood>false</provide-mood><provide-user-input>bare</provide-user-input>")
    high = read("<provide-mood>true</provide-mood><provide-user-input>full</provide-user-input>")
    assert low.joined(high) == high
