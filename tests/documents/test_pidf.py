"""Presence documents: what is read is what is merged and told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from openpy.documents.pidf import CONTENT_TYPE, DATA_MODEL, NAMESPACE, Kind, closed, compose, parse
from openpy.documents.xml import DocumentError

ALICE = "sip:alice@example.org"
RPID = "urn:ietf:params:xml:ns:pidf:rpid"


def document(content: str, *, attributes: str = "", entity: str = ALICE) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<presence xmlns="{NAMESPACE}" xmlns:dm="{DATA_MODEL}" '
        f'xmlns:r="{RPID}" {attributes} entity="{entity}">{content}</presence>'
    ).encode()


def tuple_(id_: str = "t", basic: str = "open", more: str = "") -> str:
    return f'<tuple id="{id_}"><status><basic>{basic}</basic></status>{more}</tuple>'


def names(body: bytes) -> list[str]:
    return [etree.QName(child).localname for child in etree.fromstring(body)]


def ids(body: bytes) -> list[str | None]:
    return [child.get("id") for child in etree.fromstring(body)]


def basics(body: bytes) -> list[str | None]:
    return [basic.text for basic in etree.fromstring(body).iter(f"{{{NAMESPACE}}}basic")]


def merged(*contents: str) -> bytes:
    return compose(ALICE, [parse(document(content)) for content in contents])


def test_the_media_type() -> None:
    assert CONTENT_TYPE == "application/pidf+xml"


def test_pidf_01_d23_a_document_without_tuple() -> None:
    person = '<dm:person id="p"><r:activities><r:busy/></r:activities></dm:person>'
    assert names(merged(person)) == ["person"]
    assert names(merged(person, tuple_("a"))) == ["tuple", "person"]
    assert names(closed(ALICE, [parse(document(person))])) == []


def test_pidf_02_prefixes_are_free() -> None:
    prefixed = (
        f'<p:presence xmlns:p="{NAMESPACE}" entity="{ALICE}"><p:tuple id="t"><p:status><p:basic>open</p:basic>'
        "</p:status><own>1</own></p:tuple><note/></p:presence>"
    )
    body = compose(ALICE, [parse(prefixed.encode())])
    root = etree.fromstring(body)
    assert basics(body) == ["open"]
    assert root[0].find("own") is not None  # still in no namespace
    assert root[1].tag == "note"


def test_a_namespace_that_is_declared_deeper_stays() -> None:
    inner = f'<x:e xmlns:x="urn:x"><y xmlns="{NAMESPACE}"/></x:e>'
    root = etree.fromstring(merged(f'<o xmlns="urn:o">{inner}</o>'))
    assert root[0].tag == "{urn:o}o"
    assert root[0][0][0].tag == f"{{{NAMESPACE}}}y"


def test_pidf_03_ids_are_unique_in_what_is_told() -> None:
    body = merged(tuple_("a") + tuple_("b"), tuple_("c") + tuple_("b"), tuple_("a"))
    assert sorted(id_ or "" for id_ in ids(body)) == ["a", "b", "c"]


def test_pidf_04_order_of_the_schema() -> None:
    first = '<dm:person id="p"/>' + tuple_("a") + "<note>hello</note>"
    assert names(merged(first, "<note>there</note>" + tuple_("b"))) == [
        *("tuple", "tuple", "note", "note", "person")
    ]


def test_pidf_05_pidf_06_pidf_10_nothing_of_a_tuple_is_lost() -> None:
    more = (
        '<r:privacy xmlns:q="urn:q" q:mustUnderstand="1"/><contact priority="0.8">tel:+1</contact>'
        "<note>n</note><timestamp>2007-11-25T10:00:00Z</timestamp>"
    )
    kept = etree.fromstring(merged(tuple_("t", "open", more)))[0]
    assert [etree.QName(child).localname for child in kept] == [
        *("status", "privacy", "contact", "note", "timestamp")
    ]
    assert kept[1].get("{urn:q}mustUnderstand") == "1"
    assert kept[2].get("priority") == "0.8"


def test_pidf_07_persons_and_devices_by_id() -> None:
    old = '<dm:person id="p"><r:mood/></dm:person><dm:device id="d"/>'
    new = '<dm:person id="p"/><dm:device id="e"/>'
    body = merged(old, new)
    assert ids(body) == ["p", "e", "d"]
    assert b"mood" not in body


def test_pidf_08_the_newest_wins() -> None:
    assert basics(merged(tuple_("a", "open"), tuple_("a", "closed"))) == ["closed"]


def test_notes_are_told_once() -> None:
    assert names(merged("<note>same</note>", "<note>same</note><note>other</note>")) == ["note", "note"]


def test_pidf_09_output_declares_its_charset() -> None:
    assert merged(tuple_("\u00e9")).startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert ids(merged(tuple_("\u00e9"))) == ["\u00e9"]


def test_pres_11_the_entity_is_the_presentity() -> None:
    body = compose('sip:"&"@example.org', [parse(document(tuple_(), entity="sip:mallory@example.net"))])
    assert etree.fromstring(body).get("entity") == 'sip:"&"@example.org'


def test_pidf_13_every_tuple_is_closed() -> None:
    one = tuple_("a", more='<note>in</note><contact priority="0.5"> sip:a@b </contact>') + tuple_("b")
    two = '<tuple id="c"><status/></tuple><note>out</note><dm:person id="p"/>'
    body = closed(ALICE, [parse(document(one)), parse(document(two))])
    root = etree.fromstring(body)
    assert names(body) == ["tuple", "tuple", "tuple"]
    assert basics(body) == ["closed", "closed", "closed"]
    assert b"note" not in body
    contact = root[1].find(f"{{{NAMESPACE}}}contact")
    assert contact is not None
    assert (contact.text, contact.get("priority")) == ("sip:a@b", "0.5")


def test_the_language_of_the_document_goes_with_its_notes() -> None:
    body = compose(
        ALICE, [parse(document('<note>a</note><note xml:lang="de">b</note>', attributes='xml:lang="fr"'))]
    )
    assert [note.get("{http://www.w3.org/XML/1998/namespace}lang") for note in etree.fromstring(body)] == [
        "fr",
        "de",
    ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<a/>", "root"),
        (b"<presence/>", "root"),
        (document("<tuple><status/></tuple>"), "tuple without id"),
        (document("<dm:person/>"), "person without id"),
        (b"nonsense", "well-formed"),
    ],
)
def test_what_is_no_presence_document(body: bytes, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        parse(body)


def test_unused_declarations_are_dropped() -> None:
    (part,) = parse(document(tuple_())).parts
    assert part.kind is Kind.TUPLE
    assert b"xmlns" not in part.fragment


@given(st.lists(st.lists(st.sampled_from("abc"), unique=True, max_size=3), min_size=1, max_size=4))
def test_merging_is_reading_all_and_keeping_the_newest(documents: list[list[str]]) -> None:
    contents = ["".join(tuple_(id_, f"v{n}") for id_ in ids_) for n, ids_ in enumerate(documents)]
    newest = {id_: f"v{n}" for n, ids_ in enumerate(documents) for id_ in ids_}
    body = merged(*contents)
    assert dict(zip(ids(body), basics(body), strict=True)) == newest
    assert parse(body).parts == parse(compose(ALICE, [parse(body)])).parts


def test_the_only_document_is_told_as_it_came() -> None:
    body = document(tuple_() + "<note>n</note>" + '<dm:person id="p"/>')
    assert compose(ALICE, [parse(body)]) is body


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(document(tuple_(), entity="sip:mallory@example.org"), id="another entity"),
        pytest.param(document("<note>n</note>" + tuple_()), id="out of order"),
        pytest.param(document(tuple_("a") + tuple_("a")), id="an id twice"),
        pytest.param(document(tuple_() + "<!-- hidden -->"), id="a comment"),
        pytest.param(document(tuple_() + "<?app secret?>"), id="an instruction"),
        pytest.param(document(tuple_()).partition(b"\n")[2], id="no declaration"),
    ],
)
def test_what_we_would_not_write_is_written_anew(body: bytes) -> None:
    told = compose(ALICE, [parse(body)])
    assert told != body
    assert etree.fromstring(told).get("entity") == ALICE
    assert told.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert b"hidden" not in told
    assert b"secret" not in told
    assert len(ids(told)) == len(set(ids(told)))


@pytest.mark.parametrize("inherited", [f'xmlns:long="urn:{"n" * 20_000}"', f'xml:lang="{"x" * 20_000}"'])
def test_what_parts_inherit_does_not_make_a_huge_document(inherited: str) -> None:
    def with_parts(number: int) -> bytes:
        prefix = "long:" if "long" in inherited else ""
        parts = "".join(f'<{prefix}a n="{part}"/>' for part in range(number))
        return document(parts, attributes=inherited)

    assert len(compose(ALICE, [parse(with_parts(10)), parse(with_parts(9))])) < 300_000
    with pytest.raises(DocumentError, match="inherit"):
        parse(with_parts(20))


def test_many_large_documents_are_merged_and_closed() -> None:
    documents = [parse(document(tuple_(str(n), more=f"<note>{'n' * 60_000}</note>"))) for n in range(10)]
    assert len(compose(ALICE, documents)) > 600_000
    assert len(ids(closed(ALICE, documents))) == 10
