"""How requests and replies pair: the machines of RFC 3261 and RFC 6026 as tables; the timer wheel."""
