"""Bad input is ordinary: answered or dropped, counted, and without a trace."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.database import rows
from tests.scenarios.scripts import QUICK, presence_script
from tests.scenarios.wire import ALICE, Phone, ServerProcess, TcpPhone, pidf

pytestmark = pytest.mark.scenario

TABLES = ("presentity", "active_watchers", "watchers", "openpy_last_state")


@pytest.fixture(autouse=True)
def unharmed(server: ServerProcess, phones: Callable[[], Phone]) -> Iterator[None]:
    """Whatever a test sends: the server answers within a second, knows nothing of it, and met no error of its own."""
    yield
    assert phones().options(1).status == 200
    for table in TABLES:
        assert rows(server, f"SELECT count(*) FROM {table}") == [(0,)]
    assert "Traceback" not in server.log.read_text()


def memory(server: ServerProcess) -> int:
    """Resident memory in KiB."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found is not None
    return int(found[1])


def answers(phone: Phone, seconds: float = 0.1) -> set[int]:
    """The final status codes that come within a while."""
    codes = set()
    while (message := phone.receive(seconds)) is not None:
        codes.add(message.status)
    return {code for code in codes if code >= 200}


SUBSCRIBE = ("Event: presence", "Contact: <sip:bob@127.0.0.1:5999>")
PUBLISH = ("Event: presence", "Content-Type: application/pidf+xml")


# --- headers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("SUBSCRIBE sip:alice@example.org SIP/2.0", "SUBSCRIBE sip:alice@example.org SIP/3.0", {505}),
        ("SUBSCRIBE sip:alice@example.org SIP/2.0", "SUBSCRIBE http://example.org SIP/2.0", {416}),
        ("SUBSCRIBE sip:alice@example.org SIP/2.0", "SUBSCRIBE sip: SIP/2.0", {400}),
        ("SUBSCRIBE sip:alice@example.org SIP/2.0", "SUBSCRIBE", set()),
        ("SUBSCRIBE sip:alice@example.org SIP/2.0", "", set()),
        ("Contact: <sip:bob@127.0.0.1:5999>", "Contact: *", {400}),
        ("Contact: <sip:bob@127.0.0.1:5999>", "Contact: <sip:bob@127.0.0.1:99999>", {400}),
        ("Contact: <sip:bob@127.0.0.1:5999>", "Contact: <sip:bob@[::1>", {400}),
        ("Contact: <sip:bob@127.0.0.1:5999>", "Contact: <<<>>>", {400}),
        ("CSeq: 1 SUBSCRIBE", "CSeq: 99999999999 SUBSCRIBE", {400}),
        ("CSeq: 1 SUBSCRIBE", "CSeq: -1 SUBSCRIBE", {400}),
        ("CSeq: 1 SUBSCRIBE", "CSeq: SUBSCRIBE", {400}),
        ("CSeq: 1 SUBSCRIBE", "CSeq: 1 PUBLISH", {400}),
        ("CSeq: 1 SUBSCRIBE", "X: y", {400}),
        ("Expires: 60", "Expires: 60;60", {400}),
        ("Expires: 60", "Expires: 1e9", {400}),
        ("Expires: 60", "Expires: ٦", {400}),
        ("Content-Length: 0", "Content-Length: 5", {400}),
        ("Content-Length: 0", "Content-Length: -5", {400}),
        ("Content-Length: 0", "Content-Length: 0x0", {400}),
        ("Max-Forwards: 70", "Max-Forwards: many", {400}),
        ("Max-Forwards: 70", "Max-Forwards: 0", {483}),
        ("Event: presence", "Event: \0", {400, 489}),
        ("Event: presence", "Event: presence;id=" + "i" * 500, {400}),
        ("Event: presence", "Event: ;;;", {400, 489}),
        ("sip:alice@example.org>", "sip:alice@example.org", {400}),
        ("Max-Forwards: 70", "Record-Route: <sip:", {400}),
        ("Max-Forwards: 70", "Record-Route: " + ",".join(["<sip:192.0.2.1;lr>"] * 2000), {400}),
        ("Max-Forwards: 70", "no header at all", {400}),
        ("Max-Forwards: 70", " folded: nothing", {400}),
    ],
)
def test_malformed_subscribe(phone: Phone, old: str, new: str, expected: set[int]) -> None:
    data = phone.build("SUBSCRIBE", ALICE, headers=[*SUBSCRIBE, "Expires: 60"])
    assert old.encode() in data
    phone.send(data.replace(old.encode(), new.encode(), 1))
    codes = answers(phone)
    assert codes <= expected
    assert bool(codes) == bool(expected)


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_missing_header(phone: Phone, name: str) -> None:
    lines = phone.build("PUBLISH", ALICE, headers=PUBLISH, body=pidf()).split(b"\r\n")
    phone.send(b"\r\n".join(line for line in lines if not line.startswith(f"{name}:".encode())))
    assert answers(phone) == (set() if name == "Via" else {400})


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq", "Contact", "Event"])
def test_values_of_60_kib(phone: Phone, tcp_phone: TcpPhone, name: str) -> None:
    long = {"From": "<sip:{}@h>;tag=a", "To": "<sip:{}@h>", "CSeq": "{} SUBSCRIBE", "Contact": "<sip:{}@h>"}
    value = long.get(name, "{}").format("9" * 60_000)
    for sender in (phone, tcp_phone):
        data = sender.build("SUBSCRIBE", ALICE, headers=[*SUBSCRIBE, "Expires: 60"])
        line = next(line for line in data.split(b"\r\n") if line.startswith(name.encode()))
        sender.send(data.replace(line, f"{name}: {value}".encode(), 1))
        assert answers(sender) <= {400, 413, 489}


def test_60_kib_of_headers(phone: Phone) -> None:
    for headers, status in (
        ([f"X-{number}: value" for number in range(4000)], 400),
        ([f"X-{number}: value" for number in range(200)], 200),
        (["X-Unknown: " + "x" * 60_000], 200),
    ):
        assert phone.request("OPTIONS", "sip:example.org", headers=headers).status == status


def test_a_uri_that_is_too_long(phone: Phone) -> None:
    assert (
        phone.request("OPTIONS", "sip:" + "a" * 5000 + "@example.org", to="<sip:a@example.org>").status == 414
    )


def test_a_message_that_is_too_large(tcp_phone: TcpPhone) -> None:
    """It is answered, though most of it is still on its way."""
    for headers, body in ([PUBLISH, b"x" * 300_000], [["X: " + "x" * 70_000], b""]):
        assert tcp_phone.request("PUBLISH", ALICE, headers=headers, body=body).status == 513
        assert tcp_phone.closed()
        tcp_phone.reconnect()


def test_stream_without_end(tcp_phone: TcpPhone, server: ServerProcess) -> None:
    """The head of a message never ends: the connection does, and the memory does not grow with it."""
    before = memory(server)
    tcp_phone.socket.settimeout(5)
    tcp_phone.send(b"OPTIONS sip:example.org SIP/2.0\r\n")
    try:
        for _ in range(2000):
            tcp_phone.send(b"X: " + b"x" * 8000 + b"\r\n")
    except (ConnectionError, TimeoutError):
        pass
    assert tcp_phone.closed()
    assert memory(server) - before < 8192


# --- bodies -------------------------------------------------------------------------------------------------

LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE presence [<!ENTITY a0 "ha">{}]>
<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@example.org"><note>&a9;</note></presence>""".format(
    "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
)
FILE = """<?xml version="1.0"?>
<!DOCTYPE presence [<!ENTITY f SYSTEM "file:///etc/passwd">]>
<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@example.org"><note>&f;</note></presence>"""

BODIES = {
    "billion-laughs": LAUGHS,
    "entity-of-a-file": FILE,
    "foreign-dtd": '<!DOCTYPE presence SYSTEM "http://127.0.0.1:1/x.dtd"><presence/>',
    "deep": "<a>" * 5000 + "</a>" * 5000,
    "deep-unclosed": "<a>" * 20_000,
    "deep-tuple": pidf().decode().replace("<note></note>", "<x>" * 500 + "</x>" * 500),
    "attributes": "<presence " + " ".join(f'a{n}="v"' for n in range(5000)),
    "not-xml": "presence: open",
    "other-root": "<presents/>",
    "nul": pidf().decode().replace("open", "o\0pen"),
    "wrong-encoding": pidf().decode().replace("UTF-8", "UTF-99"),
    "cut": pidf().decode()[:-20],
    "two-roots": pidf().decode() + "<presence/>",
}


@pytest.mark.parametrize("name", list(BODIES))
def test_hostile_body(phone: Phone, server: ServerProcess, name: str) -> None:
    before = memory(server)
    since = time.monotonic()
    reply = phone.request("PUBLISH", ALICE, headers=PUBLISH, body=BODIES[name].encode())
    assert time.monotonic() - since < 1
    assert (reply.status, reply.get("SIP-ETag")) == (400, "")
    assert phone.nothing_more(0.02), "one reply only"
    assert memory(server) - before < 16_384


def test_body_over_the_limit(tcp_phone: TcpPhone) -> None:
    reply = tcp_phone.request("PUBLISH", ALICE, headers=PUBLISH, body=pidf(note="n" * 70_000))
    assert reply.status == 413


# --- noise --------------------------------------------------------------------------------------------------


def test_random_bytes(phone: Phone, server: ServerProcess) -> None:
    """They are dropped and counted."""
    before = server.statistics()
    chance = random.Random(4475)
    for _ in range(300):
        phone.send(chance.randbytes(chance.randint(1, 1200)))
        time.sleep(0.0005)
    assert answers(phone) == set()
    after = server.statistics()
    assert after["core:drop_requests"] - before.get("core:drop_requests", 0) >= 250


def mutilate(data: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, lost, doubled, or what often hurts put in."""
    spoiled = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(spoiled))
        match chance.randrange(4):
            case 0:
                spoiled[place] = chance.randrange(256)
            case 1:
                del spoiled[place : place + chance.randint(1, 20)]
            case 2:
                spoiled[place:place] = spoiled[place : place + chance.randint(1, 40)]
            case _:
                spoiled[place:place] = chance.choice(BARBS)
    return bytes(spoiled)


BARBS = (
    b"\0",
    b"\r\n",
    b";",
    b",",
    b"<",
    b">",
    b'"',
    b"%",
    b"%00",
    b"[::1]",
    b"*",
    b"@",
    b"\xff\xfe",
    b"<!--",
)

REFUSALS = {400, 405, 412, 413, 415, 416, 420, 423, 481, 483, 489, 505}


def test_mutilated_requests(phone: Phone) -> None:
    """They are answered as what they are, or dropped."""
    chance = random.Random(3903)
    codes = set()
    for number in range(400):
        uri = f"sip:m{number}@example.org"
        headers = [*PUBLISH, "Expires: 0"]
        data = mutilate(phone.build("PUBLISH", uri, headers=headers, body=pidf(uri)), chance)
        if b"\r\nExpires: 0\r\n" in data:  # else it may be a publication that is kept
            phone.send(data)
        if number % 20 == 0:
            codes |= answers(phone, 0.02)
    codes |= answers(phone, 0.3)
    assert codes <= {200, *REFUSALS}
    assert {200, 400} <= codes


def test_what_mutilated_requests_leave_is_no_trap(launch: Launch) -> None:
    """What of it was accepted is told, kept, loaded after a kill, and expires, like all else."""
    server = launch(presence_script(QUICK))
    chance = random.Random(6665)
    with Phone(server.address) as phone:
        for number in range(600):
            uri = f"sip:m{number % 20}@example.org"
            contact = f'Contact: "B" <sip:bob@{phone.hostport};transport=udp>;q=0.3'
            route = f"Record-Route: <sip:{phone.hostport};lr>, <sip:192.0.2.1;lr>"
            headers = ["Event: presence;id=4", contact, route, "Expires: 3", "Accept: */*;q=0.1"]
            subscribe = phone.build("SUBSCRIBE", uri, headers=headers)
            publish = phone.publication(uri, pidf(uri, note=str(number)), expires=3)
            phone.send(mutilate(chance.choice((subscribe, publish)), chance))
            while (message := phone.receive(0 if number % 20 else 0.02)) is not None:
                assert message.status < 500 or message.status == 505, message.raw
                if message.method == "NOTIFY":
                    phone.answer(message)
        assert rows(server, "SELECT count(*) FROM active_watchers") > [(5,)]
        server.kill()
        server.start()
        time.sleep(4)
        assert phone.options(1).status == 200
        overdue = "SELECT count(*) FROM active_watchers WHERE expires < ?"
        assert rows(server, overdue, time.time() - 1.5) == [(0,)]


def test_stray_replies_and_acks(phone: Phone) -> None:
    for start in ("SIP/2.0 200 OK", "SIP/2.0 999 What", "SIP/2.0 20 Short", "SIP/2.0 -1 X", "SIP/2.0"):
        data = phone.build("OPTIONS", "sip:example.org").replace(
            b"OPTIONS sip:example.org SIP/2.0", start.encode()
        )
        phone.send(data)
    phone.send(phone.build("ACK", "sip:example.org"))
    phone.send(phone.build("CANCEL", "sip:example.org"))
    assert answers(phone) <= {481}


def test_noise_on_a_stream(tcp_phone: TcpPhone) -> None:
    tcp_phone.send(random.Random(5).randbytes(300_000))
    assert tcp_phone.closed()
