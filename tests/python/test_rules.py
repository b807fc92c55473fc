# SPDX-License-Identifier: MIT
"""Rules of the articles that hold for Python programs; the number is that of the rule.

P3, P6 and M6 have their tests beside what they are about (test_ledger.py, test_shop.py).
"""

from interpreter import run

LEDGER = """
    import ouro
    def grown(row, make):
        before = ouro.memory()[row]
        kept = make()
        return ouro.memory()[row] - before, kept
"""


def test_P1_small_objects_take_blocks_of_their_class():
    # A float needs 24 bytes, so it takes a block of 32.
    out = run(LEDGER + """
    bytes_, kept = grown("memo.heap.live", lambda: [float(i) for i in range(100_000)])
    print(bytes_)
    """)
    assert abs(int(out) - 3_200_000) < 60_000


def test_P1_a_freed_block_goes_back_to_its_pool():
    out = run(LEDGER + """
    floats = [float(i) for i in range(100_000)]
    pools = ouro.memory()["memo.heap.arenas"]
    for again in range(20):
        floats = None
        floats = [float(i) for i in range(100_000)]
    print(ouro.memory()["memo.heap.arenas"] - pools)
    """)
    assert int(out) == 0


def test_P2_larger_requests_go_to_the_system_allocator():
    out = run(LEDGER + """
    make = lambda size: lambda: [bytes(size - bytes.__basicsize__) for i in range(5000)]
    small, kept = grown("memo.heap.live", make(512))
    large, more = grown("memo.heap.live", make(513))
    print(small, large)
    """)
    small, large = map(int, out.split())
    assert abs(small - 5000 * 512) < 60_000
    assert large < 60_000


def test_M1_memory_over_time_is_readable():
    out = run("""
    import ouro
    def now():
        return [ouro.memory()[row] for row in ("resident", "memo.peak")]
    start, _ = now()
    kept = [str(i) for i in range(400_000)]
    full, _ = now()
    del kept
    ouro.give_back()
    end, peak = now()
    print(start, full, end, peak)
    """)
    start, full, end, peak = map(int, out.split())
    assert start + (20 << 20) < full < peak + (1 << 20)  # the kernel counts the peak in steps
    assert end < full - (10 << 20)
