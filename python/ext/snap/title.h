/* SPDX-License-Identifier: MIT */
/* Texts of objects: what code calls them, and what keys say. */
#ifndef OURO_EXT_SNAP_TITLE_H
#define OURO_EXT_SNAP_TITLE_H

#include "walk.h"

/* Modules, functions, types, code and generators have titles. Between two objects. */
void snaptitle_object(snapwalk *w, PyObject *o, const snaptype *t);

/* A dictionary's key that is a plain str or int, unless it is to be kept back. */
void snaptitle_key(snapwalk *w, PyObject *key);

/* What a frame is called: its function, its file and line. */
void snaptitle_frame(snaptext *to, const frames_frame *frame);

#endif
