# SPDX-License-Identifier: MIT
"""Some installations of 3.11 and 3.12 lack this module, though not the tests it collects."""

import test._test_multiprocessing

test._test_multiprocessing.install_tests_in_module_dict(globals(), "forkserver")
