/* SPDX-License-Identifier: MIT */
/* What a program says of its cycle collector, as tables, as a line, as JSON: see asking.h. */
#ifndef OURO_CLI_PRINT_GC_H
#define OURO_CLI_PRINT_GC_H

#include <stdbool.h>
#include <sys/types.h>

#include "reply.h"

void print_gc(const reply *now, const reply *before);
void print_gc_line(const reply *now);

/* Keys with a point become an object of the part before it: {"pauses": {"count": ...}}. */
void print_gc_json(pid_t pid, const reply *now, bool pretty);

#endif
