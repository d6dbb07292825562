"""Where comments and lines for the preprocessor go."""

from __future__ import annotations

import pytest

from tests.script.laidout import in_route, laid_out


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("# a\n\n\n\n\nb();\n\n\n# c", "# a\n\nb();\n\n# c"),
        ("\n\na();\n\n", "a();"),
        ("a( # b\n1);", "a( # b\n\t1);"),
        ("a(1, # b\n2);", "a(1, # b\n\t2);"),
        ("a(1 /* b */,2) /* c */ ;", "a(1 /* b */ , 2) /* c */ ;"),
        ("a() # b\n;", "a(); # b"),
        ("a()\n# b\n;", "a()\n# b\n;"),
        ("if(a()) # b\n{c();}", "if (a()) { # b\n\tc();\n}"),
        ("if(a())\n# b\n{ # c\n}", "if (a()) {\n\t# b\n\t# c\n}"),
        ("if(a()){\n# b\n}\n# c\nelse{\n}", "if (a()) {\n\t# b\n}\n# c\nelse {\n}"),
        ("if(a()){} # b\nelse # c\nif(d()){}", "if (a()) {\n} # b\nelse # c\n\tif (d()) {\n\t}"),
        ("if(a()){} # b\n;", "if (a()) {\n} # b\n;"),
        ("switch($rc)\n# a\n{\n# b\ncase 1:a(); # c\n# d\ncase 2:\n# e\nb();\n# f\n}",
         "switch ($rc) {\n\t# a\n\t# b\n\tcase 1:\n\t\ta(); # c\n\t# d\n\tcase 2:\n\t\t# e\n\t\tb();\n\t\t# f\n}"),
        ("/* a */b();/* c */d();\n/* e\n   f */\n", "/* a */ b(); /* c */\nd();\n/* e\n   f */"),
    ],
)  # fmt: skip
def test_comments_stay_where_they_belong(written: str, expected: str) -> None:
    assert in_route(written) == expected


def test_lines_for_the_preprocessor() -> None:
    text = (
        "route{\na();\n  #!ifdef OPENPY\nif(b()){\n#!else\nif(c()){\n#!endif\nd();\n}\n\n\n\n#!define X 1\n}"
    )
    expected = "route {\n\ta();\n#!ifdef OPENPY\n\tif (b()) {\n#!else\nif(c()){\n#!endif\n"
    expected += "\t\td();\n\t}\n\n#!define X 1\n}\n"
    assert laid_out(text) == expected


@pytest.mark.parametrize(
    ("before", "indent", "behind"),
    [
        ("debug=3", "", ""),
        ('loadmodule "tm.so"', "", ""),
        ('modparam("tm", "fr_timer", 5)', "", ""),
        ("listen=localhost", "", ""),
        ("tls_server_domain[default] {\n\tverify_certificate=1", "\t", "}"),
        ("debug=", "\t", "3"),
        ("flags a,", "\t", "b"),
        ("route {\n\tALL", "\t", "}"),
        ("route {\n\ta()", "\t\t", "; }"),
    ],
)
def test_a_comment_before_a_line_for_the_preprocessor(before: str, indent: str, behind: str) -> None:
    text = f"#!define ALL a();\n{before}\n  # b\n#!ifdef X\n#!endif\n{behind}\n"
    assert f"\n{before}\n{indent}# b\n#!ifdef X\n" in laid_out(text)


def test_both_branches_begin_where_the_condition_did() -> None:
    text = "route{\n#!ifdef OPENPY\nif(a())b();\n#!else\nif(c())d();\nelse e();\n#!endif\nf();\n}"
    expected = (
        "route {\n#!ifdef OPENPY\n\tif (a())\n\t\tb();\n#!else\n\tif (c())\n\t\td();\n\telse\n\t\te();\n"
        "#!endif\n\tf();\n}\n"
    )
    assert laid_out(text) == expected
