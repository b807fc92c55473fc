/* SPDX-License-Identifier: MIT */
/* A type of one's own: a struct, where its references lie, and a finalizer. */
#include <ouro/ouro.h>
#include <stdio.h>

typedef struct connection {
  ouro_object object; /* first in every object: 8 bytes */
  ouro_str *host;
  struct connection *via; /* the one it is tunnelled through, or NULL */
  int socket;             /* what the finalizer gives back */
} connection;

static int open_sockets;

/* Called once, while all references are still valid; they are dropped when it returns. */
static void close_connection(void *self) {
  const connection *c = self;
  printf("closing %s\n", ouro_str_bytes(c->host));
  open_sockets--;
}

static ouro_type *connection_type(ouro_heap *heap) {
  static const uint16_t refs[] = {offsetof(connection, host), offsetof(connection, via), 0};
  static const char *const ref_names[] = {"host", "via"}; /* for reports: who holds it? */
  static const ouro_type_spec spec = {
      .name = "connection",
      .size = sizeof(connection),
      .refs = refs,
      .ref_names = ref_names,
      .finalize = close_connection,
  };
  return ouro_type_new(heap, &spec);
}

/* The caller gets a new reference. An object becomes finalizable with ouro_new, so what can fail
 * comes before it. */
static OURO_NEW connection *open_connection(ouro_type *type, const char *host, connection *via) {
  ouro_str *name = ouro_str_text(ouro_type_heap(type), host);
  connection *c = name ? OURO_MAKE(connection, type) : NULL; /* zeroed behind the header */
  if (!c) {
    ouro_unref(name);
    return NULL;
  }
  c->host = name;         /* our reference becomes the field's */
  c->via = ouro_ref(via); /* the field's own, the caller keeps his */
  c->socket = ++open_sockets;
  printf("opened %s\n", host);
  return c;
}

static bool run(ouro_heap *heap) {
  ouro_type *type = connection_type(heap); /* lives as long as the heap */
  if (!type) return false;
  connection *gate = open_connection(type, "gate", NULL);
  connection *inner = gate ? open_connection(type, "inner", gate) : NULL;
  ouro_unref(gate);
  if (!inner) return false;
  printf("gate has %u reference: inner.via\n", ouro_count(inner->via));

  connection *other = open_connection(type, "other", NULL);
  if (!other) return false;
  ouro_assign_new(&inner->via, other); /* stores, then drops what was there: gate dies here */
  ouro_unref(inner);                   /* its finalizer, then its references in order: other dies */
  return open_sockets == 0;
}

int main(void) {
  ouro_heap *heap = ouro_heap_new(NULL);
  bool right = heap && run(heap);
  ouro_heap_destroy(heap);
  return !right;
}
