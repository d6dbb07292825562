"""When rules apply: identities, spheres and times."""

import pytest
from lxml import etree

from openpy.documents.conditions import Circumstances, Identity, identity, parse
from openpy.documents.xml import DocumentError

BOB = "sip:bob@example.org"


def holds(
    conditions: str,
    watcher: str | None = BOB,
    *,
    now: float = 0.0,
    sphere: str | None = None,
    named: bool = False,
) -> bool:
    who = None if watcher is None else identity(watcher)
    circumstances = Circumstances(who, now, sphere, named)
    parsed = parse(etree.fromstring(f"<conditions>{conditions}</conditions>"))
    return all(condition.holds(circumstances) for condition in parsed)


@pytest.mark.parametrize(
    ("uri", "who"),
    [
        ("sip:bob@Example.ORG", Identity(BOB, "example.org")),
        ("sips:bob@example.org:5061;transport=tcp", Identity(BOB, "example.org")),
        ("pres:bob@example.org", Identity(BOB, "example.org")),
        ("im:b%6Fb@example.org", Identity(BOB, "example.org")),
        ("tel:+1-201-555(0123)", Identity("tel:+12015550123", "")),
        ("mailto:Bob@example.org", Identity("mailto:Bob@example.org", "")),
        ("sip:anonymous@anonymous.invalid", None),
        ("pres:", None),
        ("bob", None),
    ],
)
def test_who_a_uri_names(uri: str, who: Identity | None) -> None:
    assert identity(uri) == who


def test_xc_08_without_conditions_a_rule_applies_to_all() -> None:
    assert holds("")
    assert holds("", None)


@pytest.mark.parametrize(
    ("one", "watcher", "expected"),
    [
        (BOB, BOB, True),
        ("sip:b%6fb@EXAMPLE.org", BOB, True),
        ("pres:bob@example.org", BOB, True),
        ("tel:+1.201", "tel:+1-201", True),
        ("sip:Bob@example.org", BOB, False),
        ("sip:bob@example.net", BOB, False),
        ("sip:bobb@example.org", BOB, False),
        ("sip:bo@example.org", BOB, False),
        ("bob", "bob", False),
        (BOB, None, False),
    ],
)
def test_xc_10_one(one: str, watcher: str | None, expected: bool) -> None:
    assert holds(f'<identity><one id="{one}"/></identity>', watcher) is expected


def test_of_several_identities_one_is_enough() -> None:
    several = '<identity><one id="sip:a@b"/><one id="sip:bob@example.org"/><many domain="c"/></identity>'
    assert holds(several)
    assert holds(several, "sip:x@c")
    assert not holds(several, "sip:x@d")
    assert not holds("<identity/>")


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("example.org", True),
        ("EXAMPLE.org", True),
        ("example.net", False),  # as long as the watcher's
        ("xample.org", False),
        ("org", False),
        ("", False),
    ],
)
def test_xc_11_d25_many_of_a_domain(domain: str, expected: bool) -> None:
    assert holds(f'<identity><many domain="{domain}"/></identity>') is expected


def test_many_is_every_identity() -> None:
    assert holds("<identity><many/></identity>")
    assert holds("<identity><many> </many></identity>", "tel:+1201")
    assert not holds("<identity><many/></identity>", None)


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        ('id="sip:bob@example.org"', False),
        ('id="sip:bob@EXAMPLE.org"', False),
        ('id="sip:bo@example.org"', True),
        ('id="sip:bob@example.orgx"', True),
    ],
)
def test_xc_12_d25_except_an_identity(exception: str, expected: bool) -> None:
    assert holds(f"<identity><many><except {exception}/></many></identity>") is expected
    assert holds(f'<identity><many domain="example.org"><except {exception}/></many></identity>') is expected


@pytest.mark.parametrize(
    ("exceptions", "expected"),
    [
        ('<except domain="example.org"/>', False),
        ('<except domain="Example.Org"/>', False),
        ('<except domain="example.net"/>', True),
        ('<except domain="example.net"/><except id="sip:bob@example.org"/>', False),
        ('<except domain="example.net" id="sip:bob@example.org"/>', False),
    ],
)
def test_xc_13_except_a_domain(exceptions: str, expected: bool) -> None:
    assert holds(f"<identity><many>{exceptions}</many></identity>") is expected


def test_an_exception_that_we_do_not_know_excludes_everybody() -> None:
    assert not holds("<identity><many><except-if-late/></many></identity>")
    assert holds("<identity><many><except-if-late/></many><one id='sip:bob@example.org'/></identity>")


@pytest.mark.parametrize(
    ("now", "expected"),
    [(0, False), (3599, False), (3600, True), (7199, True), (7200, False), (10800, True), (14400, False)],
)
def test_xc_14_validity(now: float, expected: bool) -> None:
    validity = (
        "<validity><from>1970-01-01T01:00:00Z</from><until>1970-01-01T03:00:00+01:00</until>"
        "<from>1970-01-01T03:00:00.000</from><until>1970-01-01T04:00:00Z</until></validity>"
    )
    assert holds(validity, now=now) is expected


@pytest.mark.parametrize(("time", "until"), [("24:00:00Z", 86_400), ("24:00:00.000-01:00", 90_000)])
def test_a_day_may_end_at_24_hours(time: str, until: float) -> None:
    validity = f"<validity><from>1970-01-01T00:00:00Z</from><until>1970-01-01T{time}</until></validity>"
    assert [holds(validity, now=now) for now in (until - 1, until)] == [True, False]


@pytest.mark.parametrize("sphere", ['<sphere value="work"/>', "<sphere> work </sphere>"])
def test_xc_15_sphere(sphere: str) -> None:
    assert holds(sphere, sphere="work")
    assert not holds(sphere, sphere="home")
    assert not holds(sphere, sphere=None)


def test_the_conditions_of_oma() -> None:
    assert holds("<anonymous-request/>", None)
    assert holds("<anonymous-request/>", "sip:anonymous@anonymous.invalid")
    assert not holds("<anonymous-request/>")
    assert holds("<other-identity/>")
    assert not holds("<other-identity/>", named=True)
    assert not holds("<other-identity/>", None)


def test_every_condition_must_hold() -> None:
    bob = '<identity><one id="sip:bob@example.org"/></identity>'
    assert holds(bob + '<sphere value="work"/>', sphere="work")
    assert not holds(bob + '<sphere value="work"/>', sphere="home")
    assert not holds(bob + "<weather>fine</weather>")


@pytest.mark.parametrize(
    ("conditions", "why"),
    [
        ("<identity><one/></identity>", "one without id"),
        ("<identity><many><except/></many></identity>", "except without id"),
        ("<validity><from>soon</from><until>2007-01-01T00:00:00Z</until></validity>", "no date"),
        (
            "<validity><from>9999-12-31T24:00:00</from><until>2007-01-01T00:00:00Z</until></validity>",
            "no date",
        ),
        (
            "<validity><from>2007-01-01T24:00:01Z</from><until>2007-01-02T00:00:00Z</until></validity>",
            "no date",
        ),
        ("<validity><from>2007-01-01T00:00:00Z</from></validity>", "sequence"),
        (
            "<validity><until>2007-01-01T00:00:00Z</until><from>2007-01-01T00:00:00Z</from></validity>",
            "sequence",
        ),
    ],
)
def test_xc_27_broken_conditions(conditions: str, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        holds(conditions)
