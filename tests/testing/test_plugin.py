"""The pytest plugin, in sessions of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from openpy.testing.plugin import find_script

OK = 'loadmodule "sl.so"\nloadmodule "xlog.so"\nroute { xlog("hello"); sl_send_reply("200", "OK"); }\n'
NO = OK.replace('"200", "OK"', '"404", "Not Here"')
OPTIONS = ("-p", "openpy.testing.plugin", "-p", "no:cacheprovider", "-p", "no:xdist")

TEST = """
    def test_it(script):
        assert script.send("OPTIONS", "sip:x").status == {status}
"""


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(*OPTIONS, *options)


def test_the_script_beside_the_test_is_loaded(pytester: pytest.Pytester) -> None:
    pytester.makefile(".cfg", openser=OK)
    pytester.makepyfile(TEST.format(status=200))
    run(pytester).assert_outcomes(passed=1)


def test_the_script_above_the_test_is_found(pytester: pytest.Pytester) -> None:
    pytester.makefile(".cfg", openser=OK)
    folder = pytester.mkdir("tests")
    (folder / "test_it.py").write_text("def test_it(script): assert script.path.name == 'openser.cfg'")
    run(pytester).assert_outcomes(passed=1)


def test_a_marker_and_an_option_name_another(pytester: pytest.Pytester) -> None:
    pytester.makefile(".cfg", openser=NO, other=OK, third=OK)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.script("other.cfg", core={"server_header": "Server: x"})
        def test_marked(script):
            assert script.send("OPTIONS", "sip:x").get("Server") == "x"
            assert script.path.name == "other.cfg"

        @pytest.mark.script(core={"debug": 4})
        def test_configured(script):
            assert script.server.log.level == 4
            assert script.path.name == "third.cfg"
        """
    )
    run(pytester, "--strict-markers", "-o", "openpy_script=third.cfg").assert_outcomes(passed=2)


def test_several_scripts_in_one_test(pytester: pytest.Pytester) -> None:
    pytester.makefile(".cfg", openser=OK)
    pytester.makepyfile(
        f"""
        from pathlib import Path

        def test_it(load_script, tmp_path):
            path = tmp_path / "own.cfg"
            path.write_text({NO!r})
            sources = ["openser.cfg", path, {OK!r}]
            assert [load_script(it).send("OPTIONS", "sip:x").status for it in sources] == [200, 404, 200]
        """
    )
    run(pytester).assert_outcomes(passed=1)


def test_what_happened_is_printed_where_a_test_fails(pytester: pytest.Pytester) -> None:
    pytester.makefile(".cfg", openser=OK)
    pytester.makepyfile(TEST.format(status=404) + "\n    def test_that(script): assert False")
    result = run(pytester)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "*What happened with openser.cfg*",
            "    0.000 --> OPTIONS sip:x  from udp:192.0.2.1:5060",
            "    0.000     route",
            "    0.000     ERROR:script: hello",
            "    0.000 <-- 200 OK (1 OPTIONS)  to udp:192.0.2.1:5060",
            "nothing",
        ]
    )


def test_a_script_that_is_not_there(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TEST.format(status=200))
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(['no script "openser.cfg" in *'])


def test_no_folder_above_the_root_is_searched(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (tmp_path / "x.cfg").write_text("")
    with pytest.raises(pytest.fail.Exception):
        find_script("x.cfg", root / "a" / "test_x.py", root)
    assert find_script("x.cfg", root / "a" / "test_x.py", tmp_path / "elsewhere") == tmp_path / "x.cfg"
