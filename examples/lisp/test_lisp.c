/* SPDX-License-Identifier: MIT */
/*
 * lisp_test stress FILE ...   each program with a collection at every allocation of an object
 * lisp_test fail FILE ...     each with the n-th allocation failing, and with all from there on
 *
 * A program that memory fails must end in "out of memory" and in nothing worse: its heap is
 * checked, and nothing of it may be left once the interpreter is gone.
 */
#include "lisp.h"
#include <stdlib.h>
#include <string.h>

typedef struct outcome {
  bool good;
  uint64_t collections;
  char said[8192]; /* what the program wrote, or its error */
} outcome;

typedef struct plan {
  uint32_t stress;    /* collect at every such allocation */
  uint64_t fail_at;   /* 0: never */
  uint64_t fail_then; /* and at every such one after it */
  bool prelude;       /* already while the prelude is loaded; else that is frozen before */
} plan;

static void die(const char *program, const plan *p, const char *what, const char *more) {
  fprintf(stderr, "%s: failing at %llu, every %llu: %s: %s\n", program,
          (unsigned long long)p->fail_at, (unsigned long long)p->fail_then, what, more);
  exit(1);
}

static bool count_object(void *ctx, ouro_object *object) {
  (void)object;
  ++*(size_t *)ctx;
  return true;
}

/* Ends the interpreter and looks at what it leaves. */
static void end(const char *program, const plan *p, ouro_heap *heap, lisp *l) {
  size_t left = 0;
  ouro_heap_fail(heap, 0, 0);
  ouro_gc_set_stress(heap, 0);
  const char *broken = l ? ouro_objects_check(heap) : NULL;
  if (broken) die(program, p, "the objects are broken", broken);
  ouro_gc_unfreeze(heap);
  if (l) lisp_free(l);
  if ((broken = ouro_heap_check(heap))) die(program, p, "the heap is broken", broken);
  ouro_each_object(heap, -1, count_object, &left);
  if (left > 0) die(program, p, "objects are left", "");
  ouro_heap_destroy(heap);
}

static void read_back(FILE *f, char *text, size_t room) {
  rewind(f);
  text[fread(text, 1, room - 1, f)] = 0;
  fclose(f);
}

static void begin_plan(ouro_heap *heap, const plan *p) {
  ouro_gc_set_stress(heap, p->stress);
  ouro_heap_fail(heap, p->fail_at, p->fail_then);
}

static bool load_all(lisp *l, const char *folder, const char *program, const plan *p) {
  static const char *const before[] = {"small.scm", "check.scm"};
  char path[1024];
  for (size_t i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, before[i]);
    if (!lisp_load(l, path)) return false;
  }
  if (!p->prelude) {
    ouro_gc_freeze(l->heap);
    begin_plan(l->heap, p);
  }
  return lisp_load(l, program);
}

static outcome run(const char *folder, const char *program, const plan *p) {
  outcome o = {.good = false};
  FILE *out = tmpfile();
  ouro_heap *heap = ouro_heap_new(NULL);
  if (!heap || !out) die(program, p, "no heap or file", "");
  if (p->prelude) begin_plan(heap, p);
  lisp *l = lisp_new(heap, out);
  o.good = l && load_all(l, folder, program, p);
  ouro_heap_fail(heap, 0, 0);
  ouro_gc_stats stats;
  ouro_gc_stats_read(heap, &stats);
  o.collections = stats.generation[2].collections;
  if (l && !o.good) {
    value error = take_error(l);
    print_error(l, out, error);
    ouro_unref(error);
  } else if (!l) fputs("out of memory", out);
  read_back(out, o.said, sizeof o.said);
  end(program, p, heap, l);
  return o;
}

static void stress(const char *folder, const char *program) {
  const plan calm = {0}, every = {.stress = 1};
  outcome wanted = run(folder, program, &calm), got = run(folder, program, &every);
  if (!wanted.good) die(program, &calm, "fails", wanted.said);
  if (!got.good || strcmp(wanted.said, got.said) != 0) die(program, &every, "says", got.said);
  if (got.collections < wanted.collections + 50) die(program, &every, "hardly collects", "");
}

/* Every n to `dense`, then in growing steps, until a run has no failure in it. */
static unsigned fail_everywhere(const char *folder, const char *program, bool prelude,
                                uint64_t dense) {
  const plan calm = {0};
  outcome wanted = run(folder, program, &calm);
  unsigned runs = 0, refused = 0;
  for (uint64_t n = 1, ended = 0; !ended; n += n < dense ? 1 : 1 + n / 5)
    for (uint64_t then = 0; then < 2; then++) {
      plan p = {.fail_at = n, .fail_then = then, .prelude = prelude};
      outcome got = run(folder, program, &p);
      bool same = got.good && strcmp(got.said, wanted.said) == 0;
      if (!same && !strstr(got.said, "out of memory")) die(program, &p, "says", got.said);
      ended = then == 1 && got.good;
      refused += !same;
      runs++;
    }
  if (refused < runs / 4) die(program, &calm, "hardly fails", "");
  return runs;
}

int main(int argc, char **argv) {
  bool fail = argc > 2 && !strcmp(argv[1], "fail");
  for (int i = 2; i < argc; i++) {
    char folder[1024];
    snprintf(folder, sizeof folder, "%s", argv[i]);
    char *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    unsigned runs = 2;
    if (!fail) stress(folder, argv[i]);
    else runs = fail_everywhere(folder, argv[i], strstr(argv[i], "check") != NULL, 24);
    printf("%s: %u runs\n", argv[i], runs);
  }
  return argc < 3;
}
