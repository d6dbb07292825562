"""The openser.cfg language: grammar, tree, diagnostics, checker, compiler, patterns.

Knows lark and itself; no SIP and no sockets. What a script can name (functions,
operands, pseudo-variables) comes to it as tables: see `environment`.
"""
