/* SPDX-License-Identifier: MIT */
/*
 * Texts of a file on their way to a terminal. A file may have been made by anybody: nothing that a
 * terminal obeys, and nothing that is no UTF-8, gets through.
 */
#ifndef OURO_SRC_SNAPSHOT_LITERAL_H
#define OURO_SRC_SNAPSHOT_LITERAL_H

#include "reader.h"

/* How many bytes the character at `at` has, of `left` that are there; 0: they are none of UTF-8.
 * `point` is set unless it is 0. */
size_t literal_character(const unsigned char *at, size_t left, uint32_t *point);

/* Whether terminals act on it instead of showing it: control characters, and what ends lines, is
 * invisible, or turns the direction of writing. */
bool literal_obeyed(uint32_t point);

/* The content as Python writes it, escaped: 'user:1', b'\x00', 17, None; with ... behind it where
 * more was there or had no room. `room` of at least 16 bytes. Returns `out`. */
const char *literal_write(const snapshot_content *content, char *out, size_t room);

#endif
