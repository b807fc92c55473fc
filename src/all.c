/* SPDX-License-Identifier: MIT */
/*
 * Every file of the core in layer order, for builds of one command:
 *
 *     cc -O2 -Iinclude -Isrc -c src/all.c
 *
 * `./dev lint` checks that the list is complete and that it compiles, so no two files share a name.
 */
#define _GNU_SOURCE
#include <ouro/base.h>
