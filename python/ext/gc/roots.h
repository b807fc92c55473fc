/* SPDX-License-Identifier: MIT */
/*
 * Objects that are certainly alive, to mark from: modules, `sys`, builtins, what CPython's own
 * types hold, the locals and value stacks of all threads' frames. For speed only: who is missing
 * here is found out to be held by its count, at two to three times the price. So nothing is read
 * that CPython does not guarantee: a frame is used only if its function is a function, and of a
 * frame only its function, code, locals and the part of the stack that is known to be in use
 * (docs/design/collector.md).
 */
#ifndef OURO_EXT_GC_ROOTS_H
#define OURO_EXT_GC_ROOTS_H

#include "../compat.h"

/* Calls visit(object, arg) for the roots of the interpreter that runs, and for some of what locals
 * refer to; its result is ignored. NULL is never passed, some may be passed twice. Runs no Python
 * code, starts no collection and makes no objects that stay, but for the first call, which may turn
 * its callers' frames into objects to prove how frames are laid out. At most a few microseconds per
 * frame; of very deep stacks only the newest frames are looked at. Visits nothing once the
 * interpreter has begun to end. Needs the GIL, and no collection in the part that examines objects:
 * in a "start" or "stop" callback all is well. */
void gcroots_visit(visitproc visit, void *arg);

#endif
