/* SPDX-License-Identifier: MIT */
/*
 * Runs a command that the program never hears of, as the writers of snapshots: no SIGCHLD comes, no
 * wait() of the program's sees it, no at-fork function and no audit hook runs.
 */
#ifndef OURO_EXT_SNAP_ASIDE_H
#define OURO_EXT_SNAP_ASIDE_H

#include "../compat.h"

/* _ouro._run_aside(argv, files): runs argv[0] with standard error as its standard output too, and
 * with the descriptors of `files`. Its exit status, or minus the signal that ended it; OSError
 * where it cannot be started. Signals meanwhile are handled as always. */
PyObject *aside_run(PyObject *module, PyObject *args);

#endif
