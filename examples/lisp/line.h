/* SPDX-License-Identifier: MIT */
/* A line from the terminal: line_edit.c with libedit, line_plain.c without. */
#ifndef LISP_LINE_H
#define LISP_LINE_H

/* Without its end, for free(); NULL: the end of input. */
char *line_read(const char *prompt);

#endif
