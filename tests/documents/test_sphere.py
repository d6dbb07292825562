"""The sphere that rules may decide by."""

import pytest

from openpy.documents.pidf import DATA_MODEL, NAMESPACE
from openpy.documents.sphere import sphere_of
from openpy.documents.xml import LIMITS

RPID = "urn:ietf:params:xml:ns:pidf:rpid"


def presence(*persons: str) -> bytes:
    inside = "".join(f'<dm:person id="p{n}">{person}</dm:person>' for n, person in enumerate(persons))
    return (
        f'<presence xmlns="{NAMESPACE}" xmlns:dm="{DATA_MODEL}" xmlns:r="{RPID}" entity="sip:a@b">{inside}</presence>'
    ).encode()


@pytest.mark.parametrize(
    ("persons", "sphere"),
    [
        ((), None),
        (("<r:mood/>",), None),
        (("<r:sphere><r:work/></r:sphere>",), "work"),
        (("<r:sphere> bowling league </r:sphere>", "<r:mood/>"), "bowling league"),
        (("<r:sphere><r:work/></r:sphere>", "<r:sphere><r:work/></r:sphere>"), "work"),
        (("<r:sphere><r:work/></r:sphere>", "<r:sphere><r:home/></r:sphere>"), None),
        (("<r:sphere/>",), None),
        (('<sphere xmlns="urn:other"><work/></sphere>',), None),
    ],
)
def test_pidf_11_the_sphere_of_a_document(persons: tuple[str, ...], sphere: str | None) -> None:
    assert sphere_of(presence(*persons)) == sphere


def test_a_document_of_many_publications_is_read_to_its_end() -> None:
    assert sphere_of(presence(*["<r:mood/>"] * LIMITS.nodes, "<r:sphere><r:work/></r:sphere>")) == "work"
