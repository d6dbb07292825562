"""What a watcher is shown: everything that he may see, and no trace of anything else."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from openpy.documents import pidf
from openpy.documents.permissions import ATTRIBUTES, Permissions, Selection, UserInput, parse
from openpy.documents.transformations import Unmentioned, apply, polite_block

SHOWN, HIDDEN = Unmentioned.SHOWN, Unmentioned.HIDDEN
RPID = "urn:ietf:params:xml:ns:pidf:rpid"
ALICE = "sip:alice@example.org"
ALL = "".join(f"<provide-{kind}>true</provide-{kind}>" for kind in ("services", "persons", "devices"))


def presence(content: str, attributes: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<presence xmlns="{pidf.NAMESPACE}" '
        f'xmlns:dm="{pidf.DATA_MODEL}" xmlns:r="{RPID}" xmlns:x="urn:x" {attributes} entity="{ALICE}">'
        f"{content}</presence>"
    ).encode()


DESK = (
    '<tuple id="desk"><status><basic>open</basic><x:location>attic</x:location></status>'
    "<r:class>work</r:class><dm:deviceID>urn:d:1</dm:deviceID><r:relationship><r:self/></r:relationship>"
    '<contact priority="0.8">sip:alice@desk.example.org</contact><note>busy</note>'
    "<timestamp>2007-11-25T10:00:00Z</timestamp></tuple>"
)
HOME = '<tuple id="home"><status><basic>open</basic></status><contact>tel:+1201</contact></tuple>'
PERSON = (
    '<dm:person id="p"><r:activities><r:meeting/><r:note>secret talks</r:note></r:activities>'
    '<r:mood><r:happy/></r:mood><r:user-input id="u" idle-threshold="600" last-input="2007-11-25T09:00:00Z">idle'
    "</r:user-input><dm:note>away</dm:note></dm:person>"
)
DEVICE = '<dm:device id="d"><dm:deviceID>urn:d:1</dm:deviceID><r:user-input>active</r:user-input></dm:device>'
EVERYTHING = presence(DESK + HOME + "<note>hello</note>" + PERSON + DEVICE + "<x:weather>fine</x:weather>")


def permissions(transformations: str) -> Permissions:
    return parse(etree.fromstring(f"<transformations>{transformations}</transformations>"))


def shown(transformations: str, unmentioned: Unmentioned, body: bytes = EVERYTHING) -> list[str]:
    """The names of the elements that are shown, `tuple`, `person` and `device` with their ids."""
    root = etree.fromstring(apply(body, permissions(transformations), unmentioned))
    names = []
    for element in root.iterdescendants("*"):
        name, id_ = etree.QName(element).localname, element.get("id")
        names.append(f"{name}:{id_}" if name in ("tuple", "person", "device") else name)
    return names


WHOLE = shown("", SHOWN)


def test_d21_1_3_shows_what_no_rule_mentions() -> None:
    assert apply(EVERYTHING, Permissions(), SHOWN) is EVERYTHING
    assert apply(EVERYTHING, permissions(ALL + "<provide-mood>true</provide-mood>"), SHOWN) is EVERYTHING


def test_xc_19_rfc_5025_hides_what_no_rule_mentions() -> None:
    assert apply(EVERYTHING, Permissions(), HIDDEN) == (
        b'<?xml version="1.0" encoding="UTF-8"?>\r\n'
        b'<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@example.org"/>\r\n'
    )


def test_rfc_5025_shows_the_skeleton_of_a_service() -> None:
    assert shown("<provide-services><all-services/></provide-services>", HIDDEN) == [
        *("tuple:desk", "status", "basic", "contact", "timestamp"),
        *("tuple:home", "status", "basic", "contact"),
    ]


@pytest.mark.parametrize("unmentioned", Unmentioned)
@pytest.mark.parametrize(
    ("selector", "ids"),
    [
        ("<all-services/>", ["desk", "home"]),
        ("FALSE", []),
        ("<class>work</class>", ["desk"]),
        ("<class>play</class>", []),
        ("<deviceID>urn:d:1</deviceID>", ["desk"]),
        ("<occurrence-id>home</occurrence-id>", ["home"]),
        ("<service-uri>sip:alice@DESK.example.org</service-uri>", ["desk"]),
        ("<service-uri>tel:+1201</service-uri>", ["home"]),
        ("<service-uri>nothing</service-uri>", []),
        ("<service-uri-scheme>tel</service-uri-scheme>", ["home"]),
        ("<class>work</class><occurrence-id>home</occurrence-id>", ["desk", "home"]),
    ],
)
def test_xc_20_services(selector: str, ids: list[str], unmentioned: Unmentioned) -> None:
    told = shown(f"<provide-services>{selector}</provide-services>", unmentioned)
    assert [name for name in told if name.startswith("tuple")] == [f"tuple:{id_}" for id_ in ids]


@pytest.mark.parametrize("unmentioned", Unmentioned)
@pytest.mark.parametrize(
    ("transformation", "device"),
    [
        ("<provide-devices><all-devices/></provide-devices>", True),
        ("<provide-devices>FALSE</provide-devices>", False),
        ("<provide-devices><deviceID>urn:d:1</deviceID></provide-devices>", True),
        ("<provide-devices><deviceID>urn:d:2</deviceID></provide-devices>", False),
        ("<provide-devices><occurrence-id>d</occurrence-id></provide-devices>", True),
        ("<provide-persons><all-persons/></provide-persons><provide-devices/>", False),
    ],
)
def test_xc_21_d30_devices(transformation: str, device: bool, unmentioned: Unmentioned) -> None:
    assert ("device:d" in shown(transformation, unmentioned)) is device


@pytest.mark.parametrize("name", sorted(ATTRIBUTES - {"user-input"}))
def test_xc_22_each_boolean_permission(name: str) -> None:
    body = presence(f'<dm:person id="p"><r:{name}>x</r:{name}><r:other/></dm:person>')
    yes, no = (f"<provide-{name}>{value}</provide-{name}>" for value in ("true", "false"))
    assert shown(ALL + yes, HIDDEN, body) == ["person:p", name]
    assert shown(ALL + no, HIDDEN, body) == ["person:p"]
    assert shown(yes, SHOWN, body) == ["person:p", name, "other"]
    assert shown(no, SHOWN, body) == ["person:p", "other"]


def test_notes_are_hidden_wherever_they_are() -> None:
    assert b"note" in EVERYTHING
    refused = apply(EVERYTHING, permissions("<provide-note>FALSE</provide-note>"), SHOWN)
    given_without = apply(
        EVERYTHING, permissions(ALL + "<provide-activities>true</provide-activities>"), HIDDEN
    )
    for told in (refused, given_without):
        assert b"meeting" in told
        assert not any(text in told for text in (b"note", b"busy", b"secret", b"away", b"hello"))


@pytest.mark.parametrize(
    ("level", "attributes"),
    [
        ("false", None),
        ("bare", ["id"]),
        ("thresholds", ["id", "idle-threshold"]),
        ("full", ["id", "idle-threshold", "last-input"]),
    ],
)
@pytest.mark.parametrize("unmentioned", Unmentioned)
def test_xc_23_user_input(level: str, attributes: list[str] | None, unmentioned: Unmentioned) -> None:
    given = permissions(f"{ALL}<provide-user-input>{level}</provide-user-input>")
    root = etree.fromstring(apply(presence(PERSON), given, unmentioned))
    found = root.find(f".//{{{RPID}}}user-input")
    assert (None if found is None else list(found.attrib)) == attributes


def test_xc_24_an_attribute_by_name_and_namespace() -> None:
    weather = "<provide-unknown-attribute ns='urn:{}' name='weather'>{}</provide-unknown-attribute>"
    assert shown(weather.format("x", "true"), HIDDEN) == ["weather"]
    assert shown(weather.format("y", "true"), HIDDEN) == []
    assert "weather" not in shown(weather.format("x", "false"), SHOWN)
    assert shown(weather.format("y", "false"), SHOWN) == WHOLE


def test_an_element_of_a_foreign_namespace_is_not_given_by_a_standard_name() -> None:
    body = presence('<dm:person id="p"><x:mood>x</x:mood><x:willing/></dm:person><x:tuple id="t"/>')
    given = ALL + "<provide-mood>true</provide-mood><provide-willing>true</provide-willing>"
    assert shown(given, HIDDEN, body) == ["person:p", "willing"]
    assert shown("<provide-mood>false</provide-mood><provide-services/>", SHOWN, body) == [
        "person:p",
        "willing",
    ]


def test_xc_24_all_attributes() -> None:
    told = shown(ALL + "<provide-all-attributes/>", HIDDEN)
    assert told == WHOLE
    assert "tuple:desk" not in shown("<provide-all-attributes/>", HIDDEN)
    one_refused = "<provide-all-attributes/><provide-mood>false</provide-mood>"
    assert "mood" in shown(ALL + one_refused, HIDDEN)
    assert "mood" not in shown(ALL + one_refused, SHOWN)


def test_what_is_refused_within_what_is_given() -> None:
    body = presence('<dm:person id="p"><r:mood><x:why>rain</x:why><x:how/></r:mood></dm:person>')
    refused = "<provide-unknown-attribute ns='urn:x' name='why'>false</provide-unknown-attribute>"
    for unmentioned in Unmentioned:
        told = shown(f"{ALL}<provide-mood>true</provide-mood>{refused}", unmentioned, body)
        assert told == ["person:p", "mood", "how"]


def test_nothing_is_smuggled_in_the_skeleton() -> None:
    body = presence(
        'leak<tuple id="t" x:leak="leak">leak<status x:leak="leak"><basic x:leak="">open<x:leak/></basic>leak</status>'
        '<contact x:leak="">sip:a@b<x:leak/></contact></tuple>leak',
        'x:leak="leak"',
    )
    assert b"leak" not in apply(body, permissions(ALL), HIDDEN)


def test_d26_pres_05_a_polite_block_looks_like_being_offline() -> None:
    block = polite_block(ALICE, b"key")
    root = etree.fromstring(block)
    assert block == polite_block(ALICE, b"key")
    assert block == pidf.closed(
        ALICE, [pidf.parse(presence(f'<tuple id="{root[0].get("id")}"><status/></tuple>'))]
    )
    assert len({block, polite_block(ALICE), polite_block("sip:bob@example.org", b"key")}) == 3


class Told(NamedTuple):
    """An attribute somewhere in a document, with a text that stands nowhere else."""

    place: str
    prefix: str
    name: str
    mark: str


PLACES = {"tuple": "services", "person": "persons", "device": "devices", "presence": ""}
KNOWN = ["mood", "note", "class", "place-is"]
NAMES = [*KNOWN, "foo"]


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, list[Told]]:
    told: list[Told] = []
    content = dict.fromkeys(PLACES, "")
    for n in range(draw(st.integers(1, 8))):
        place, name = draw(st.sampled_from(list(PLACES))), draw(st.sampled_from(NAMES))
        item = Told(place, draw(st.sampled_from(["r", "x"])), name, f"mark{n}.")
        told.append(item)
        content[place] += (
            f'<{item.prefix}:{name} x:a="{item.mark}"><x:in>{item.mark}</x:in></{item.prefix}:{name}>'
        )
    return presence(
        f'<tuple id="t"><status><basic>open</basic></status>{content["tuple"]}</tuple>{content["presence"]}'
        f'<dm:person id="p">{content["person"]}</dm:person><dm:device id="d">{content["device"]}</dm:device>'
    ), told


SELECTIONS = st.sampled_from(
    [None, Selection(True), Selection(), Selection(selectors=frozenset({("occurrence-id", "p")}))]
)
GIVEN = st.frozensets(st.sampled_from([(None, name) for name in NAMES] + [("urn:x", name) for name in NAMES]))
PERMISSIONS = st.builds(
    lambda services, persons, devices, granted, denied: Permissions(
        services, persons, devices, UserInput.FULL, granted, denied - granted
    ),
    *(SELECTIONS, SELECTIONS, SELECTIONS, GIVEN, GIVEN),
)


def may_see(item: Told, given: Permissions, unmentioned: Unmentioned) -> bool:
    ids = {"tuple": "t", "person": "p", "device": "d", "presence": ""}
    if item.place != "presence":
        selection: Selection | None = getattr(given, PLACES[item.place])
        if selection is None:
            if unmentioned is HIDDEN:
                return False
        elif not (selection.everything or ("occurrence-id", ids[item.place]) in selection.selectors):
            return False
    exact, by_name = (RPID if item.prefix == "r" else "urn:x", item.name), (None, item.name)
    if unmentioned is SHOWN:
        return exact in given.granted or not {exact, by_name} & given.denied
    return exact in given.granted or (
        by_name in given.granted and (item.prefix == "r" or item.name not in KNOWN)
    )


@settings(max_examples=200, deadline=None)
@given(documents(), PERMISSIONS, st.sampled_from(Unmentioned))
def test_pres_12_what_is_hidden_appears_nowhere(
    made: tuple[bytes, list[Told]], given: Permissions, unmentioned: Unmentioned
) -> None:
    body, told = made
    result = apply(body, given, unmentioned)
    pidf.parse(result)
    for item in told:
        assert (item.mark.encode() in result) is may_see(item, given, unmentioned)
    if not any(may_see(item, given, unmentioned) for item in told) and result is not body:
        assert b"urn:x" not in result
