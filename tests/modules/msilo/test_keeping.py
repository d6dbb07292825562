from __future__ import annotations

from tests.modules.msilo.kit import BOB, arriving, come_back, request_of, silo, write


def test_a_copy_that_came_another_way_is_not_kept() -> None:
    with silo() as script:
        first = write(script, **{"Call-ID": "c1", "Via": "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1"})
        second = write(script, **{"Call-ID": "c1", "Via": "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK2"})
        assert (first.status, second.status) == (202, 503)
        assert len(script.rows("silo")) == 1


def test_too_many() -> None:
    with silo(max_messages=2) as script:
        assert [write(script).status for _ in range(3)] == [202, 202, 503]
        assert write(script, to="sip:carol@example.com").status == 202
        assert f"m_store: {BOB} has 2 messages" in script.printed
        come_back(script)
        arriving(script)[0].answer(200)
        arriving(script)[1].answer(200)
        assert write(script).status == 202


def test_too_many_at_once() -> None:
    """They are counted while none of them is committed."""
    with silo(max_messages=2) as script:
        for number in range(5):
            script._arrive(request_of(number), ("udp", "192.0.2.1", 5060))
        script.run_for(1)
        assert len(script.rows("silo")) <= 2
        assert sorted(sent.status for sent in script.sent) == [202] * len(script.rows("silo")) + [503] * (
            5 - len(script.rows("silo"))
        )
