from __future__ import annotations

import pytest

from openpy.useragent.publication import Publication, PublishKind, PublishResult
from tests.useragent.peer import Peer


class Publisher:
    def __init__(self) -> None:
        self.peer = Peer()
        self.results: list[PublishResult] = []
        self.publication = Publication(
            self.peer.agent,
            uri="sip:alice@example.com",
            from_uri="sip:alice@example.com",
            event="presence",
            expires=100,
            body=b"<first/>",
            content_type="application/pidf+xml",
            flow=self.peer,
            on_result=self.results.append,
        )

    def published(self) -> Publisher:
        self.publication.start()
        self.accept("e1")
        return self

    def accept(self, etag: str, expires: int = 100) -> None:
        self.peer.answer(200, f"SIP-ETag: {etag}\r\nExpires: {expires}\r\n")

    @property
    def told(self) -> list[tuple[str, int]]:
        return [(result.kind.value, result.status) for result in self.results]

    def sent(self) -> tuple[str | None, int | None, bytes, int]:
        """Tag, interval, body and CSeq of the last PUBLISH."""
        last = self.peer.last
        return last.get("SIP-If-Match"), last.expires, last.body, last.cseq.number


def test_initial_publication() -> None:
    publisher = Publisher()
    publisher.publication.start()
    assert publisher.sent() == (None, 100, b"<first/>", 1)
    assert publisher.peer.last.get("Event") == "presence"
    assert publisher.peer.last.get("Content-Type") == "application/pidf+xml"
    publisher.accept("e1")
    assert publisher.results == [PublishResult(0.0, PublishKind.INITIAL, 200, "OK", "e1", 100)]
    assert publisher.results[0].ok
    assert publisher.publication.etag == "e1"


def test_pub_42_refresh_has_no_body_and_comes_in_time() -> None:
    publisher = Publisher().published()
    publisher.peer.run_to(89)
    assert len(publisher.peer.requests) == 1
    publisher.peer.run_to(90)
    assert publisher.sent() == ("e1", 100, b"", 2)
    publisher.accept("e2", 50)
    publisher.peer.run_to(135)
    assert publisher.sent() == ("e2", 100, b"", 3)
    assert publisher.told == [("initial", 200), ("refresh", 200)]


def test_pub_42_modify_and_remove() -> None:
    publisher = Publisher().published()
    publisher.publication.modify(b"<second/>", "text/xml")
    assert publisher.sent() == ("e1", 100, b"<second/>", 2)
    assert publisher.peer.last.get("Content-Type") == "text/xml"
    publisher.accept("e2")
    publisher.publication.remove()
    assert publisher.sent() == ("e2", 0, b"", 3)
    publisher.peer.answer(200, "SIP-ETag: e3\r\nExpires: 0\r\n")
    assert publisher.told == [("initial", 200), ("modify", 200), ("remove", 200)]
    assert publisher.publication.etag == ""
    publisher.peer.run_to(1000)
    publisher.publication.remove()
    assert len(publisher.peer.requests) == 3


def test_all_requests_share_identity_and_count_up() -> None:
    publisher = Publisher().published()
    publisher.publication.modify(b"<second/>")
    first, second = publisher.peer.requests
    assert (first.call_id, first.get("From")) == (second.call_id, second.get("From"))


def test_pub_39_one_request_at_a_time_and_the_last_wish_counts() -> None:
    publisher = Publisher()
    publisher.publication.start()
    publisher.publication.refresh()
    publisher.publication.modify(b"<second/>")
    publisher.publication.modify(b"<third/>")
    publisher.publication.refresh()
    assert len(publisher.peer.requests) == 1
    publisher.accept("e1")
    assert publisher.sent() == ("e1", 100, b"<third/>", 2)
    publisher.publication.modify(b"<fourth/>")
    publisher.publication.remove()
    publisher.accept("e2")
    assert publisher.sent() == ("e2", 0, b"", 3)
    assert len(publisher.peer.requests) == 3


def test_wish_uttered_while_a_result_is_told() -> None:
    publisher = Publisher()
    results: list[PublishResult] = []

    def on_result(result: PublishResult) -> None:
        results.append(result)
        if len(results) == 1:
            publisher.publication.modify(b"<second/>")

    publisher.publication._on_result = on_result
    publisher.published()
    assert publisher.sent() == ("e1", 100, b"<second/>", 2)


@pytest.mark.parametrize("wish", ["refresh", "modify"])
def test_pub_40_forgotten_state_is_published_anew(wish: str) -> None:
    publisher = Publisher().published()
    if wish == "refresh":
        publisher.publication.refresh()
    else:
        publisher.publication.modify(b"<first/>")
    publisher.peer.answer(412)
    assert publisher.sent() == (None, 100, b"<first/>", 3)
    publisher.accept("e2")
    assert publisher.told == [("initial", 200), ("initial", 200)]


def test_forgotten_state_need_not_be_removed() -> None:
    publisher = Publisher().published()
    publisher.publication.remove()
    publisher.peer.answer(412)
    assert publisher.told[-1] == ("remove", 412)
    publisher.published()
    publisher.publication.refresh()
    publisher.publication.remove()
    publisher.peer.answer(412)
    assert publisher.peer.last.cseq.number == 4
    assert publisher.publication.etag == ""


def test_pub_40_412_to_an_initial_publication_is_told() -> None:
    publisher = Publisher()
    publisher.publication.start()
    publisher.peer.answer(412)
    assert publisher.told == [("initial", 412)]
    assert len(publisher.peer.requests) == 1


def test_pub_41_longer_interval_is_followed() -> None:
    publisher = Publisher()
    publisher.publication.start()
    publisher.peer.answer(423, "Min-Expires: 300\r\n")
    assert publisher.sent() == (None, 300, b"<first/>", 2)
    publisher.accept("e1", 300)
    assert publisher.told == [("initial", 200)]
    publisher.publication.refresh()
    assert publisher.peer.last.cseq.number == 3


def test_failed_refresh_is_tried_again_while_the_state_lasts() -> None:
    publisher = Publisher().published()
    publisher.peer.run_to(90)
    publisher.peer.answer(503)
    assert publisher.told[-1] == ("refresh", 503)
    publisher.peer.run_to(95)
    assert publisher.sent() == ("e1", 100, b"", 3)
    publisher.accept("e2")
    assert publisher.publication.etag == "e2"


def test_failed_change_is_tried_again_with_its_body() -> None:
    publisher = Publisher().published()
    publisher.publication.modify(b"<second/>")
    publisher.peer.answer(500)
    publisher.peer.run_to(50)
    assert publisher.sent() == ("e1", 100, b"<second/>", 3)


def test_unanswered_refresh_outlives_the_state() -> None:
    publisher = Publisher().published()
    publisher.peer.run_to(130)
    assert publisher.told[-1] == ("refresh", 408)
    assert publisher.publication.etag == ""
    publisher.publication.refresh()
    assert publisher.sent() == (None, 100, b"<first/>", 3)


def test_server_that_gives_no_tag_gets_initial_publications() -> None:
    publisher = Publisher()
    publisher.publication.start()
    publisher.peer.answer(200, "Expires: 100\r\n")
    publisher.peer.run_to(90)
    assert publisher.sent() == (None, 100, b"<first/>", 2)
