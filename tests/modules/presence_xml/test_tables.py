"""The table of XCAP documents."""

from openpy.db.tables import columns_of, name_of
from openpy.modules.presence_xml.tables import TABLES, Xcap


def test_the_layout_is_that_of_1_3() -> None:
    assert list(TABLES) == [Xcap]
    assert (name_of(Xcap), Xcap.table_version) == ("xcap", 3)
    assert list(columns_of(Xcap)) == [
        *("username", "domain", "doc", "doc_type", "etag", "source", "doc_uri", "port"),
    ]
