/* SPDX-License-Identifier: MIT */
/* Ouro's objects, of a type that promises never to be part of a cycle. */
#define NODE_FLAGS OURO_ACYCLIC
#include "system_ouro.h"
