"""Dialog information: what is taken, and how each watcher's copy is numbered."""

import pytest
from lxml import etree

from openpy.documents.dialoginfo import NAMESPACE, parse
from openpy.documents.xml import DocumentError

LINE = (
    f'<?xml version="1.0"?>\n<dialog-info xmlns="{NAMESPACE}" version="41" state="partial" '
    'entity="sip:line@example.org"><dialog id="a" version="7"><state>early</state></dialog></dialog-info>'
).encode()


def test_mwi_08_each_subscription_counts_for_itself() -> None:
    line = parse(LINE)
    assert line.body is LINE
    for version in (0, 1, 2**31):
        root = etree.fromstring(line.numbered(version))
        assert root.get("version") == str(version)
        assert root[0].get("version") == "7"


def test_mwi_09_what_is_told_is_the_full_state() -> None:
    line = parse(LINE)
    assert etree.fromstring(line.numbered(0)).get("state") == "full"
    assert etree.fromstring(line.numbered(1, full=False)).get("state") == "partial"


def test_nothing_else_changes() -> None:
    told = parse(LINE).numbered(5)
    assert told == (
        b'<?xml version="1.0" encoding="UTF-8"?>\r\n<dialog-info version="5" state="full" '
        b'xmlns="urn:ietf:params:xml:ns:dialog-info" entity="sip:line@example.org">'
        b'<dialog id="a" version="7"><state>early</state></dialog></dialog-info>\r\n'
    )


@pytest.mark.parametrize("body", [b"<dialog-info/>", f'<d:dialog-info xmlns:d="{NAMESPACE}"/>'.encode()])
def test_prefixes_are_free_and_the_namespace_may_be_missing(body: bytes) -> None:
    root = etree.fromstring(parse(body).numbered(1))
    assert (etree.QName(root).localname, root.get("version"), root.get("state")) == (
        "dialog-info",
        "1",
        "full",
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "well-formed"),
        (b"<dialog-info>", "well-formed"),
        (b'<dialog-info xmlns="urn:x"/>', "root"),
        (b"<a/>", "root"),
    ],
)
def test_what_is_no_dialog_information(body: bytes, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        parse(body)
