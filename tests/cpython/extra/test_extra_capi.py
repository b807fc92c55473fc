# SPDX-License-Identifier: MIT
"""Some installations of 3.10 lack this module, though not the checks in C that it collects."""

import unittest

from test.support import import_helper

_testcapi = import_helper.import_module("_testcapi")


def _as_method(check):
    return lambda self: check()


class CChecks(unittest.TestCase):
    locals().update({name: _as_method(getattr(_testcapi, name))
                     for name in dir(_testcapi) if name.startswith("test_")})
