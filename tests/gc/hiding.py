# SPDX-License-Identifier: MIT
"""Places where a running program holds objects that no container shows.

Each function takes a list of one to three nodes, which it empties, calls `inner` while nothing but
its own place holds them, and returns them.
"""

import _thread
import collections
import contextvars
import functools
import itertools
import sys
import threading

PLACES = []


def place(function):
    PLACES.append(function)
    return function


def take(box):
    nodes = box[:]
    box.clear()
    return nodes


@place
def in_locals(box, inner):
    nodes = take(box)
    inner()
    return nodes


@place
def on_the_stack(box, inner):
    return [box.pop(), *box[:], box.clear(), inner()][:-2]


@place
def on_the_bare_stack(box, inner):
    nodes = (box.pop(), box.pop() if box else None, box.pop() if box else None, inner())
    return [node for node in nodes if node is not None]


@place
def as_argument(box, inner):
    def call(node, _, rest):
        return [node, *rest]

    return call(box.pop(), inner(), take(box))


@place
def in_a_deep_call(box, inner):
    def deeper(nodes, depth):
        if depth:
            return deeper(nodes, depth - 1)
        inner()
        return nodes

    return deeper(take(box), 60)


@place
def in_a_cell(box, inner):
    nodes = take(box)

    def call():
        inner()
        return nodes

    return call()


@place
def in_a_sort(box, inner):
    """While it sorts, only C holds what is in the list."""
    nodes = take(box)
    nodes.sort(key=key_that_calls(inner))
    return nodes


def key_that_calls(inner):
    """The same for all; the first time it calls."""
    calls = iter([inner])

    def key(_):
        for call in calls:
            call()
        return 0

    return key


@place
def sorted_by_key(box, inner):
    return sorted(take_each(box), key=key_that_calls(inner))


def take_each(box):
    while box:
        yield box.pop()


@place
def in_a_tuple_in_the_making(box, inner):
    def feed():
        yield from take_each(box)
        inner()

    return list(tuple(feed()))


@place
def in_a_list_in_the_making(box, inner):
    def feed():
        yield from take_each(box)
        inner()

    return list(feed())


@place
def in_a_dict_in_the_making(box, inner):
    def feed():
        yield from enumerate(take_each(box))
        inner()

    return list(dict(feed()).values())


@place
def in_reduce(box, inner):
    def step(have, number):
        if number == 1:
            inner()
        return have

    return functools.reduce(step, range(3), take(box))


@place
def in_accumulate(box, inner):
    def feed():
        yield from take_each(box)
        inner()
        yield None

    def add(have, node):
        return have if node is None else (*have, node)

    return list(collections.deque(itertools.accumulate(feed(), add, initial=()), maxlen=1).pop())


@place
def in_max(box, inner):
    """max() holds the best of the pairs so far."""
    left = []

    def feed():
        yield from enumerate(take_each(box))
        inner()

    def key(pair):
        if pair[0] > 0:
            left.append(pair[1])
        return -pair[0]

    best = max(feed(), key=key)
    return [best[1], *left]


@place
def in_map(box, inner):
    def call(node):
        if not box:
            inner()
        return node

    return list(map(call, take_each(box)))


@place
def in_a_running_generator(box, inner):
    def run():
        nodes = take(box)
        inner()
        yield from nodes

    return list(run())


@place
def in_a_suspended_generator(box, inner):
    def run():
        yield
        nodes = take(box)
        yield
        yield from nodes

    generator = run()
    next(generator)
    next(generator)
    inner()
    return list(generator)


@place
def on_a_suspended_stack(box, inner):
    def run():
        yield [box.pop(), *box[:], box.clear(), (yield)][:-2]

    generator = run()
    next(generator)
    inner()
    return generator.send(None)


@place
def in_a_running_coroutine(box, inner):
    async def lowest(nodes):
        inner()
        return nodes

    async def run():
        return await lowest(take(box))

    try:
        run().send(None)
    except StopIteration as done:
        return done.value


@place
def in_a_traceback(box, inner):
    def fail():
        nodes = take(box)
        raise KeyError(len(nodes))

    try:
        fail()
    except KeyError as error:
        inner()
        found = error.__traceback__.tb_next.tb_frame.f_locals["nodes"]
        error.__traceback__.tb_next.tb_frame.clear()
        return found


@place
def as_the_handled_error(box, inner):
    class Carrier(Exception):
        pass

    try:
        raise Carrier(take(box))
    except Carrier:
        inner()
        return sys.exc_info()[1].args[0]


@place
def in_another_thread(box, inner):
    taken, go_on, done = (threading.Event() for _ in range(3))

    def hold():
        nodes = take(box)
        taken.set()
        go_on.wait()
        box.extend(nodes)
        del nodes
        done.set()

    _thread.start_new_thread(hold, ())
    taken.wait()
    try:
        inner()
    finally:
        go_on.set()
        done.wait()
    return take(box)


@place
def while_another_thread_works(box, inner):
    """The nodes are in the locals of the thread that waits."""
    nodes, errors = take(box), []

    def work():
        try:
            inner()
        except BaseException as error:
            errors.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    if errors:
        raise errors.pop()
    return nodes


local = threading.local()


@place
def in_a_thread_local(box, inner):
    before = getattr(local, "nodes", None)
    local.nodes = take(box)
    inner()
    nodes, local.nodes = local.nodes, before
    return nodes


variable = contextvars.ContextVar("nodes")


@place
def in_a_context(box, inner):
    def call():
        variable.set(take(box))
        inner()
        return variable.get()

    return contextvars.copy_context().run(call)


@place
def in_a_with_block(box, inner):
    class Manager:
        def __enter__(self):
            return None

        def __exit__(self, *_):
            box.extend(self.nodes)

    def manager():
        made = Manager()
        made.nodes = take(box)
        return made

    with manager():
        inner()
    return take(box)


@place
def in_a_loop(box, inner):
    nodes = []
    for node in take(box):
        if not nodes:
            inner()
        nodes.append(node)
    return nodes


@place
def in_a_comprehension(box, inner):
    return [node for i, node in enumerate(take(box)) if i or not inner()]


@place
def in_exec(box, inner):
    space = {"take": take, "box": box, "inner": inner}
    exec("nodes = take(box)\ninner()", space)
    return space.pop("nodes")
