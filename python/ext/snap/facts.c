/* SPDX-License-Identifier: MIT */
#include "facts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../gc/collector.h"
#include "known.h"

#define COMMAND_BYTES 200

/* --- The process ------------------------------------------------------------------------------ */

/* Up to `room` bytes of a file, terminated; "" where it cannot be read. */
static size_t read_file(const char *path, char *to, size_t room) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = file < 0 ? 0 : read(file, to, room);
  if (file >= 0) close(file);
  to[got > 0 ? got : 0] = 0;
  return got > 0 ? (size_t)got : 0;
}

static uint64_t resident_bytes(void) {
  char text[128], *end = text;
  read_file("/proc/self/statm", text, sizeof text - 1);
  strtoul(text, &end, 10);
  return strtoul(end, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_arguments(writer *out) {
  char text[COMMAND_BYTES + 1];
  size_t length = read_file("/proc/self/cmdline", text, COMMAND_BYTES);
  while (length > 0 && text[length - 1] == 0) length--;
  for (size_t i = 0; i < length; i++)
    if (text[i] == 0) text[i] = ' ';
  writer_fact(out, "command", "%s", text);
}

/* Arguments may be secrets, and the first is what the program made of it: a title with all. */
static void write_executable(writer *out) {
  char text[COMMAND_BYTES + 1];
  ssize_t length = readlink("/proc/self/exe", text, COMMAND_BYTES);
  text[length > 0 ? length : 0] = 0;
  writer_fact(out, "command", "%s", text);
}

static void write_process(writer *out, const snapdump_options *options) {
  uint64_t process = options->process ? options->process : (uint64_t)getpid();
  struct timespec now = {0};
  clock_gettime(CLOCK_REALTIME, &now);
  writer_fact(out, "writer", "cpython");
  writer_fact(out, "ouro", "%s", OURO_VERSION);
  writer_fact(out, "pid", "%llu", (unsigned long long)process);
  writer_fact(out, "time", "%lld", (long long)now.tv_sec);
  writer_fact(out, "pause_ns", "%llu", (unsigned long long)options->pause_ns);
  writer_fact(out, "mode", "%s", options->mode ? options->mode : "in place");
  writer_fact(out, "python", "%s", Py_GetVersion());
  bool redact = options->tells == SNAPTELLS_NAMES;
  writer_fact(out, "keys", "%s", redact ? "names" : "all");
  writer_fact(out, "values", "%s", options->tells == SNAPTELLS_VALUES ? "yes" : "no");
  if (redact) write_executable(out);
  else write_arguments(out);
}

/* --- The collector ---------------------------------------------------------------------------- */

static void numbered(writer *out, const char *key, int n, uint64_t value) {
  char text[32];
  size_t length = strlen(key);
  memcpy(text, key, length);
  text[length] = (char)('0' + n);
  text[length + 1] = 0;
  writer_fact(out, text, "%llu", (unsigned long long)value);
}

static void write_collector(writer *out) {
  const snapknown *k = &snapknown_all;
  gcnumbers numbers;
  gcnumbers_read(&numbers);
  writer_fact(out, "gc.collector", "%s", numbers.on ? "ouro" : "python");
  writer_fact(out, "gc.enabled", "%d", k->enabled);
  for (int g = 0; g < 3; g++) {
    if (k->lists) {
      numbered(out, "gc.threshold", g, (uint64_t)k->generation[g]->threshold);
      numbered(out, "gc.count", g, (uint64_t)k->generation[g]->count);
    }
    numbered(out, "gc.collections", g, k->collections[g]);
    numbered(out, "gc.collected", g, k->collected[g]);
  }
  writer_fact(out, "gc.uncollectable", "%llu", (unsigned long long)k->uncollectable);
  if (numbers.on) writer_fact(out, "gc.pending", "%llu", (unsigned long long)numbers.pending);
}

/* --- Memory ----------------------------------------------------------------------------------- */

static void write_row(writer *out, const char *prefix, const char *key, uint64_t bytes) {
  snaptext text = {0};
  snaptext_put(&text, prefix);
  snaptext_put(&text, key);
  writer_fact(out, snaptext_end(&text), "%llu", (unsigned long long)bytes);
}

static void write_ledger(writer *out, const ledger *book) {
  for (int i = 0; i < LEDGER_ROW_COUNT; i++)
    write_row(out, "ledger.", ledger_rows[i].key, book->bytes[i]);
  for (int i = 0; i < LEDGER_MEMO_COUNT; i++)
    write_row(out, "memo.", ledger_memos[i].key, book->memo[i]);
}

/* What the program has made so far, and of which size. */
static void write_allocations(writer *out, const ouro_heap *heap) {
  ouro_heap_stats all;
  ouro_class_stats class[OURO_CLASSES];
  ouro_heap_stats_read(heap, &all);
  ouro_heap_class_stats(heap, class);
  writer_fact(out, "alloc.total", "%llu", (unsigned long long)all.allocated);
  writer_fact(out, "alloc.freed", "%llu", (unsigned long long)(all.allocated - all.live_blocks));
  for (unsigned i = 0; i < OURO_CLASSES; i++) {
    snaptext text = {0};
    snaptext_put(&text, "alloc.");
    snaptext_put_number(&text, (long long)class[i].block_size);
    writer_fact(out, snaptext_end(&text), "%llu", (unsigned long long)class[i].allocated);
  }
}

void snapfacts_write(const snapwalk *w, const snapdump_options *options) {
  uint64_t resident = options->resident ? options->resident : resident_bytes();
  write_process(w->out, options);
  write_collector(w->out);
  writer_fact(w->out, "rss", "%llu", (unsigned long long)resident);
  writer_fact(w->out, "frames", "%s", snapknown_all.frames == SNAPKNOWN_YES ? "seen" : "unseen");
  writer_fact(w->out, "lists", "%s", w->complete ? "seen" : "unseen");
  if (w->heap) write_allocations(w->out, w->heap);
  if (options->ledger) write_ledger(w->out, options->ledger);
}
