"""Watcher information: what is composed is what RFC 3858 describes, and reads as it was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from openpy.documents.watcherinfo import (
    EVENTS,
    NAMESPACE,
    STATUSES,
    Watcher,
    WatcherInfo,
    WatcherList,
    compose,
    parse,
)
from openpy.documents.xml import DocumentError

ALICE = "sip:alice@example.org"
CAROL = Watcher("w7", "sip:carol@example.net", "pending", "subscribe")


def test_wi_05_a_partial_document_names_what_changed() -> None:
    body = compose(ALICE, "presence", 1, [CAROL], full=False)
    assert body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\r\n'
        b'<watcherinfo xmlns="urn:ietf:params:xml:ns:watcherinfo" version="1" state="partial">'
        b'<watcher-list resource="sip:alice@example.org" package="presence">'
        b'<watcher id="w7" event="subscribe" status="pending">sip:carol@example.net</watcher>'
        b"</watcher-list></watcherinfo>\r\n"
    )


def test_wi_03_wi_06_d17_full_means_all() -> None:
    dave = Watcher("w8", "sip:dave@example.net", "active", "approved")
    info = parse(compose(ALICE, "presence", 0, [CAROL, dave], full=True))
    assert info == WatcherInfo(0, True, (WatcherList(ALICE, "presence", (CAROL, dave)),))


def test_wi_17_the_package_is_the_one_that_is_watched() -> None:
    (told,) = parse(compose(ALICE, "dialog;sla", 3, [], full=True)).lists
    assert told == WatcherList(ALICE, "dialog;sla", ())


def test_wi_19_what_may_be_told_besides() -> None:
    known = CAROL._replace(display_name="Carol", expiration=0, duration=3600)
    body = compose(ALICE, "presence", 0, [known], full=True)
    element = next(etree.fromstring(body).iter(f"{{{NAMESPACE}}}watcher"))
    assert element.get("display-name") == "Carol"
    assert element.get("expiration") == "0"
    assert element.get("duration-subscribed") == "3600"
    assert parse(body).lists[0].watchers == (known,)


def test_wi_20_d18_texts_are_escaped_and_of_any_length() -> None:
    long = Watcher('"<', f"sip:{'x' * 5000}&<@example.net", "active", "timeout", display_name="<&\">'")
    resource = 'sip:"&<"@example.org'
    assert parse(compose(resource, "presence", 0, [long], full=True)).lists == (
        WatcherList(resource, "presence", (long,)),
    )


WATCHERS = st.builds(
    Watcher,
    id=st.text("abc<&\"'", min_size=1),
    uri=st.text("ab<&\u00e9", min_size=1),
    status=st.sampled_from(sorted(STATUSES)),
    event=st.sampled_from(sorted(EVENTS)),
    display_name=st.text("Carol <&\"'"),
    expiration=st.none() | st.integers(0, 2**32),
    duration=st.none() | st.integers(0, 2**32),
)


@given(st.lists(WATCHERS, max_size=5), st.integers(0, 2**31), st.booleans())
def test_wi_08_wi_09_all_states_and_causes_are_read_back(
    watchers: list[Watcher], version: int, full: bool
) -> None:
    info = parse(compose(ALICE, "presence", version, watchers, full=full))
    assert info == WatcherInfo(version, full, (WatcherList(ALICE, "presence", tuple(watchers)),))


WHOLE = compose(ALICE, "presence", 1, [CAROL], full=True)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"watcherinfo", b"other", "not a watcherinfo"),
        (b'state="full"', b'state="half"', "not a watcherinfo"),
        (b'version="1"', b'version="-1"', "version is not a number"),
        (b' version="1" ', b" ", "without version"),
        (b' package="presence"', b"", "watcher-list without package"),
        (b'"pending"', b'"init"', "cannot be 'init'"),
        (b'"subscribe"', b'"boredom"', "by 'boredom'"),
        (b' id="w7"', b"", "watcher without id"),
    ],
)
def test_what_is_no_watcher_information(old: bytes, new: bytes, why: str) -> None:
    assert old in WHOLE
    with pytest.raises(DocumentError, match=why):
        parse(WHOLE.replace(old, new))
