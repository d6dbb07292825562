"""What the C allocator holds is told as 1.3's group `shmem`."""

import ctypes

from openpy.engine import memory
from openpy.engine.server import Server

NAMES = {"total_size", "used_size", "real_used_size", "max_used_size", "free_size", "fragments"}
BLOCK = 100_000  # octets: too small for a mapping of its own
BLOCKS = 200


def test_the_group_has_the_names_of_1_3() -> None:
    assert {name for group, name, _ in Server().statistics if group == "shmem"} == NAMES


def test_what_is_allocated_is_counted_until_it_is_freed() -> None:
    read = dict(memory.gauges())
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    before = read["used_size"]()
    blocks = [libc.malloc(BLOCK) for _ in range(BLOCKS)]
    allocated = read["used_size"]()
    for block in blocks:
        libc.free(ctypes.c_void_p(block))
    assert allocated - before >= BLOCK * BLOCKS
    assert read["used_size"]() < before + BLOCK
    assert read["total_size"]() >= read["used_size"]() == read["real_used_size"]()
    assert read["free_size"]() >= 0
    assert read["fragments"]() > 0


def test_the_most_that_was_resident_is_told() -> None:
    most = dict(memory.gauges())["max_used_size"]
    before = most()
    filled = bytearray(before)
    filled[::4096] = b"x" * len(filled[::4096])
    assert most() > before
