"""What stands before each token: scripts as they are written, and as they are laid out."""

from __future__ import annotations

import pytest

from tests.script.laidout import in_route, laid_out


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", ""),
        ("\n\n# only this", "# only this\n"),
        ("debug = 3  fork=no;log_name = 'x' ;", "debug=3\nfork=no;\nlog_name='x';\n"),
        ("debug\n=\n3", "debug=3\n"),
        ("listen = udp : 10.0.0.1 : 5060\n tcp:a.b", "listen=udp:10.0.0.1:5060\n\ttcp:a.b\n"),
        ("alias=a b\ndebug=3", "alias=a b\ndebug=3\n"),
        ("alias=route socket=x:1", "alias=route\nsocket=x:1\n"),
        ("tos=IPTOS_LOWDELAY mpath 'x' loadpath 'y'", "tos=IPTOS_LOWDELAY\nmpath 'x'\nloadpath 'y'\n"),
        ("loadmodule\n'x' loadmodule 'y'", "loadmodule 'x'\nloadmodule 'y'\n"),
        ("modparam ( 'a' ,'b',\n\n- 1 )", "modparam('a', 'b',\n\n\t-1)\n"),
        ("flags A : 1 ,B\nflags C", "flags A:1, B\nflags C\n"),
        ("dst_blacklist = n : { ( tcp ,\n10.0.0.0/8,0,'') }", "dst_blacklist=n:{(tcp,\n\t10.0.0.0/8, 0, '')}\n"),
        ("dst_blacklist=n:{!(any,1.2.3.4,1,'x')} debug=1", "dst_blacklist=n:{!(any, 1.2.3.4, 1, 'x')}\ndebug=1\n"),
        ("tls_server_domain [ 1.2.3.4 : 5061 ]\n{ a = 1 b='x' }",
         "tls_server_domain[1.2.3.4:5061] {\n\ta=1\n\tb='x'\n}\n"),
        ("route [ 1 ]\n{ }\n\n\n\n\n\nroute{}", "route[1] {\n}\n\n\nroute {\n}\n"),
        ("event_route [ core : worker-one-init ] {}", "event_route[core:worker-one-init] {\n}\n"),
        ("route{}exit;}\ndebug=1", "route {\n}\nexit;\n}\ndebug=1\n"),
        ("#!define X 1\ndebug=X", "#!define X 1\ndebug=X\n"),
        ("debug=1 # a\n\n# b\n\n\n\n# c\nfork=no", "debug=1 # a\n\n# b\n\n\n# c\nfork=no\n"),
        ("/* a */ debug=1 /* b */ fork=no", "/* a */ debug=1 /* b */\nfork=no\n"),
    ],
)  # fmt: skip
def test_outside_of_routes(written: str, expected: str) -> None:
    assert laid_out(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a();b ( ) ;c ( ) ;", "a();\nb();\nc();"),
        ("a(1,'b',$ru,-1);", "a(1, 'b', $ru, -1);"),
        ("force_send_socket( udp : 1.2.3.4 : 5060 );", "force_send_socket(udp:1.2.3.4:5060);"),
        ("a('x',\n'y'\n,\n'z'\n);", "a('x',\n\t'y',\n\t'z');"),
        ("route ( 1 ); exit ( ); return ( 1 ); return -1;", "route(1);\nexit();\nreturn(1);\nreturn -1;"),
        ("$var(x)=1+2*-3- -4;", "$var(x) = 1 + 2 * -3 - -4;"),
        ("$var(x) := ( 1|2 ) & ~ 3;", "$var(x) := (1 | 2) & ~3;"),
        ("$var(x)='a'+\n'b';", "$var(x) = 'a' +\n\t'b';"),
        ("$var(x)\n=\n'a'\n;", "$var(x)\n\t=\n\t'a';"),
        ("if(a())b();", "if (a())\n\tb();"),
        ("if a ( ) b();", "if a()\n\tb();"),
        ("if a()&&!b()||$x==1 c();", "if a() && !b() || $x == 1\n\tc();"),
        ("if(a()){b();}else{c();}", "if (a()) {\n\tb();\n} else {\n\tc();\n}"),
        ("if(a()){}else if(b()){}else c();", "if (a()) {\n} else if (b()) {\n} else\n\tc();"),
        ("if(a())b();else if(c())d();else e();", "if (a())\n\tb();\nelse if (c())\n\td();\nelse\n\te();"),
        ("if(a())if(b())c();else d();else e(); f();",
         "if (a())\n\tif (b())\n\t\tc();\n\telse\n\t\td();\nelse\n\te();\nf();"),
        ("if(a())while(b())if(c())d(); e();", "if (a())\n\twhile (b())\n\t\tif (c())\n\t\t\td();\ne();"),
        ("if(a());", "if (a())\n\t;"),
        ("if(a()&&\nb()){c();}", "if (a() &&\n\t\tb()) {\n\tc();\n}"),
        ("if(!uri==myself&&!$x=~'a'&&uri==myself){}", "if (!uri==myself && !$x=~'a' && uri == myself) {\n}"),
        ("if(not uri==myself and not(a()) or [$x&1]){}", "if (not uri==myself and not (a()) or [$x & 1]) {\n}"),
        ("if((exit)&&({a();}||b())){}", "if ((exit) && ({\n\ta();\n} || b())) {\n}"),
        ("if{a();}b();", "if {\n\ta();\n}\n\tb();"),
        ("if(a()){b();};;", "if (a()) {\n\tb();\n};;"),
        (";a();", ";\na();"),
        ("switch($rc){case 1:case -2:a();break;case'x':default:b();}",
         "switch ($rc) {\n\tcase 1:\n\tcase -2:\n\t\ta();\n\t\tbreak;\n\tcase 'x':\n\tdefault:\n\t\tb();\n}"),
        ("switch($rc){case 1:switch($rm){case 'a':b();}c();}",
         "switch ($rc) {\n\tcase 1:\n\t\tswitch ($rm) {\n\t\t\tcase 'a':\n\t\t\t\tb();\n\t\t}\n\t\tc();\n}"),
        ("while($x<1){a();}", "while ($x < 1) {\n\ta();\n}"),
        ("log(\"two\nlines\");", "log(\"two\nlines\");"),
    ],
)  # fmt: skip
def test_in_a_route(written: str, expected: str) -> None:
    assert in_route(written) == expected


def test_names_that_stand_for_more_than_a_value() -> None:
    text = "#!define REPLY sl_send_reply('200', 'OK');\n#!define TWICE a(); b()\nroute{\nREPLY\nTWICE;c();\n}"
    expected = text.replace("\nroute{\nREPLY\nTWICE;c();\n", "\nroute {\n\tREPLY\n\tTWICE;\n\tc();\n") + "\n"
    assert laid_out(text) == expected
    text = "#!define LOAD loadmodule 'x'\ndebug=1\nLOAD\nfork=no"
    assert laid_out(text) == text + "\n"
