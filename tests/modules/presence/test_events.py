"""Which package a request means."""

import pytest

from openpy.modules.presence.events import EventPackage, EventRegistry
from openpy.sip.headers import parse_event

PLAIN = EventPackage("dialog", "application/dialog-info+xml")
SLA = EventPackage("dialog;sla", "application/dialog-info+xml", etag_not_new=True)


@pytest.fixture
def registry() -> EventRegistry:
    registry = EventRegistry()
    registry.add(PLAIN)
    registry.add(SLA)
    return registry


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dialog", PLAIN),
        ("Dialog;id=1", PLAIN),
        ("dialog;sla", SLA),
        ("dialog;x=y;SLA;id=3", SLA),
        ("dialog;sla=1", PLAIN),
        ("presence", None),
        ("dialog.winfo", None),
    ],
)
def test_d10_the_most_particular_package_is_meant(
    registry: EventRegistry, text: str, expected: EventPackage | None
) -> None:
    assert registry.search(parse_event(text)) is expected


def test_d11_a_package_is_kept_whole_and_the_first_stays(registry: EventRegistry) -> None:
    registry.add(EventPackage("dialog", "text/plain"))
    assert registry.named("dialog") is PLAIN
    assert registry.named("none") is None
    assert registry.allow_events() == "dialog, dialog;sla"


def test_d18_no_limit_on_the_length_of_allow_events() -> None:
    registry = EventRegistry()
    names = [f"event-{number}-{'x' * 50}" for number in range(20)]
    for name in names:
        registry.add(EventPackage(name, "text/plain"))
    assert registry.allow_events() == ", ".join(names)


def test_the_defaults_of_a_package() -> None:
    package = EventPackage("presence", "application/PIDF+xml")
    assert package.accept == ("application/pidf+xml",)
    assert package.default_expires == 3600
    assert (package.etag_not_new, package.req_auth, package.type) == (False, False, "publish")
    assert EventPackage("x", "a/b", accept=("C/D", "e/f")).accept == ("c/d", "e/f")


def test_a_package_and_that_of_its_watchers_know_each_other() -> None:
    for names in (("weather", "weather.winfo"), ("weather.winfo", "weather")):
        registry = EventRegistry()
        first, second = (EventPackage(name, "a/b") for name in names)
        for package in (first, second):
            registry.add(package)
        assert first.wipeer is second
        assert second.wipeer is first
        assert {first.type, second.type} == {"publish", "winfo"}
        assert first.next is second
        assert second.next is None
        assert first.evp == parse_event(names[0])
