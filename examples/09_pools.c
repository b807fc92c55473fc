/* SPDX-License-Identifier: MIT */
/* The floor below objects: pools of plain blocks whose bytes add up, and heaps that need no locks:
 * one per thread, with blocks that travel between them. */
#include <inttypes.h>
#include <ouro/ouro.h>
#include <pthread.h>
#include <stdio.h>

enum { MESSAGES = 20000, KEPT_EACH = 100 };

typedef struct message {
  struct message *next;
  uint64_t number;
} message;

/* Every byte the heap has resident is in exactly one of these rows. */
static bool print_ledger(const char *when, const ouro_heap *heap) {
  ouro_heap_stats s;
  ouro_heap_stats_read(heap, &s);
  printf("%-16s live %7" PRIu64 ", pinned beside them %7" PRIu64 "\n", when, s.live, s.pinned);
  return s.resident == s.live + s.held + s.purgeable + s.pinned + s.waste + s.metadata;
}

/* The other thread: objects of a heap of its own, and the blocks of the first that it is given. */
typedef struct worker {
  ouro_heap *theirs;
  message *inbox;
  uint64_t sum;
  bool right;
} worker;

static void *read_messages(void *arg) {
  worker *w = arg;
  ouro_heap *mine = ouro_heap_new(NULL); /* belongs to this thread; shares nothing */
  ouro_list *log = mine ? ouro_list_new(mine) : NULL;
  w->right = log != NULL;
  for (message *next, *m = w->inbox; m; m = next) {
    next = m->next;
    w->sum += m->number;
    ouro_int *number = w->right ? ouro_int_new(mine, (int64_t)m->number) : NULL;
    w->right = number && ouro_list_append_new(log, number);
    ouro_free_remote(w->theirs, m); /* any thread: the owner takes it back when it needs blocks */
  }
  ouro_heap_destroy(mine);
  return NULL;
}

static bool send_messages(ouro_heap *heap) {
  message *kept = NULL;
  worker w = {.theirs = heap};
  for (uint64_t i = 1; i <= MESSAGES; i++) {
    message *m = ouro_alloc(heap, sizeof *m), **list = i % KEPT_EACH ? &w.inbox : &kept;
    if (!m) return false; /* the heap goes as a whole */
    *m = (message){.next = *list, .number = i};
    *list = m;
  }
  bool adds_up = print_ledger("all sent", heap);
  pthread_t thread;
  if (pthread_create(&thread, NULL, read_messages, &w)) return false;
  pthread_join(thread, NULL);
  printf("the other thread read numbers that add up to %" PRIu64 "\n", w.sum);
  ouro_heap_give_back(heap); /* what is free, also between the blocks that stay */
  adds_up = print_ledger("1 % kept", heap) && adds_up;
  ouro_heap_stats s;
  ouro_heap_stats_read(heap, &s);
  return w.right && adds_up && s.live_blocks == MESSAGES / KEPT_EACH && kept != NULL;
}

int main(void) {
  ouro_heap *heap = ouro_heap_new(NULL);
  bool right = heap && send_messages(heap);
  ouro_heap_destroy(heap);
  return !right;
}
