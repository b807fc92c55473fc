/* SPDX-License-Identifier: MIT */
#include "print_gc.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "duration.h"
#include "print.h"
#include "size.h"
#include "table.h"

#define NOTE 160
#define BAR 32 /* columns of the longest one */
#define MS UINT64_C(1000000)

static uint64_t number(const reply *from, const char *key) {
  uint64_t value;
  reply_number(from, key, &value);
  return value;
}

static const char *text(const reply *from, const char *key) {
  const char *value = reply_value(from, key);
  return value != NULL ? value : "";
}

/* --- Facts --- */

enum { COLUMN_FACT, COLUMN_VALUE, COLUMN_CHANGE, COLUMN_NOTE };

typedef enum unit { COUNT, TIME, BYTES } unit;

typedef struct fact {
  const char *key, *label;
  unit unit;
  bool inner; /* belongs to the last one that does not */
  /* Writes what stands beside the value; may be NULL. */
  void (*note)(const reply *from, char out[NOTE]);
} fact;

/* "1.2 s, 0.3 % of the time" */
static void note_time(const reply *from, const char *key, char out[NOTE]) {
  char total[DURATION_TEXT], share[DURATION_TEXT];
  uint64_t ns = number(from, key);
  snprintf(out, NOTE, "%s, %s of the time", duration_format(ns, total),
           duration_format_share(ns, number(from, "since_ns"), share));
}

static void note_pauses(const reply *from, char out[NOTE]) {
  note_time(from, "pauses.total_ns", out);
}
static void note_slices(const reply *from, char out[NOTE]) {
  note_time(from, "slices.total_ns", out);
}
static void note_young(const reply *from, char out[NOTE]) {
  note_time(from, "young.total_ns", out);
}
static void note_untimed(const reply *from, char out[NOTE]) {
  (void)from;
  snprintf(out, NOTE, "between cycles, not among the pauses");
}
static void note_explicit(const reply *from, char out[NOTE]) {
  note_time(from, "explicit.total_ns", out);
}

static void note_cycles(const reply *from, char out[NOTE]) {
  if (number(from, "cycles.running") != 0)
    snprintf(out, NOTE, "one in progress: %s", text(from, "cycles.phase"));
}

static void note_garbage(const reply *from, char out[NOTE]) {
  char now[DURATION_TEXT], limit[DURATION_TEXT], worst[DURATION_TEXT];
  snprintf(out, NOTE, "%s; limit %s, worst so far %s",
           duration_format_share(number(from, "garbage.most"), number(from, "objects.old"), now),
           duration_format_share(number(from, "limit_permille"), 1000, limit),
           duration_format_share(number(from, "garbage.worst_permille"), 1000, worst));
}

static void note_atomic(const reply *from, char out[NOTE]) {
  char count[DURATION_TEXT];
  uint64_t members = number(from, "atomic.members");
  const char *phase = text(from, "atomic.phase"), *type = text(from, "atomic.type");
  if (phase[0] == '\0') return;
  duration_format_count(members > 0 ? members : 1, count);
  snprintf(out, NOTE, "%s: %s %s%s%s", phase, count, members > 1 ? "objects" : "object",
           type[0] != '\0' ? ", " : "", type);
}

static const fact facts[] = {
    {"pauses.count", "pauses", COUNT, false, note_pauses},
    {"young.count", "young collections", COUNT, true, note_young},
    {"young.untimed", "and not timed", COUNT, true, note_untimed},
    {"explicit.count", "called by the program", COUNT, true, note_explicit},
    {"pauses.p50_ns", "half of them at most", TIME, true, NULL},
    {"pauses.p99_ns", "99 % at most", TIME, true, NULL},
    {"pauses.p999_ns", "99.9 % at most", TIME, true, NULL},
    {"pauses.longest_ns", "longest", TIME, true, NULL},
    {"atomic.longest_ns", "longest part in one piece", TIME, true, note_atomic},
    {"cycles.finished", "cycles", COUNT, false, note_cycles},
    {"slices.count", "slices, within the pauses", COUNT, true, note_slices},
    {"objects.examined", "objects examined", COUNT, true, NULL},
    {"objects.found", "found unreachable", COUNT, true, NULL},
    {"objects.freed", "freed", COUNT, true, NULL},
    {"objects.uncollectable", "uncollectable", COUNT, true, NULL},
    {"objects.old", "old objects", COUNT, false, NULL},
    {"objects.promoted", "promoted since one began", COUNT, true, NULL},
    {"garbage.most", "may be garbage, at most", COUNT, true, note_garbage},
    {"tables.bytes", "collector's tables", BYTES, false, NULL},
};

static const char *format(uint64_t value, unit unit, char out[DURATION_TEXT]) {
  if (unit == TIME) return duration_format(value, out);
  return unit == BYTES ? size_format(value, false, out) : duration_format_count(value, out);
}

static void set_change(struct libscols_line *line, const fact *what, const reply *before,
                       uint64_t now) {
  char change[DURATION_TEXT], signed_change[DURATION_TEXT + 1];
  uint64_t then;
  if (!reply_number(before, what->key, &then) || then == now) return;
  format(now > then ? now - then : then - now, what->unit, change);
  snprintf(signed_change, sizeof signed_change, "%c%s", now > then ? '+' : '-', change);
  scols_line_set_data(line, COLUMN_CHANGE, signed_change);
}

/* One that the program does not know is left out. */
static struct libscols_line *add_fact(struct libscols_table *table, struct libscols_line *outer,
                                      const fact *what, const reply *now, const reply *before) {
  char value[DURATION_TEXT], note[NOTE] = "";
  uint64_t of_now;
  if (!reply_number(now, what->key, &of_now)) return NULL;
  struct libscols_line *line = table_line(table, what->inner ? outer : NULL);
  scols_line_set_data(line, COLUMN_FACT, what->label);
  scols_line_set_data(line, COLUMN_VALUE, format(of_now, what->unit, value));
  if (what->note != NULL) what->note(now, note);
  scols_line_set_data(line, COLUMN_NOTE, note);
  if (before != NULL) set_change(line, what, before, of_now);
  return line;
}

/* Keys and phrases are the program's: "escalation.bound". */
static void add_escalations(struct libscols_table *table, const reply *now) {
  struct libscols_line *outer = table_line(table, NULL);
  char value[DURATION_TEXT];
  uint64_t all = 0;
  for (size_t i = 0; i < now->memos; i++) all += now->memo[i].value;
  scols_line_set_data(outer, COLUMN_FACT, "beyond the budget");
  scols_line_set_data(outer, COLUMN_VALUE, duration_format_count(all, value));
  for (size_t i = 0; i < now->memos; i++) {
    const reply_memo *memo = &now->memo[i];
    const char *point = strrchr(memo->key, '.');
    if (memo->value == 0) continue;
    struct libscols_line *line = table_line(table, outer);
    scols_line_set_data(line, COLUMN_FACT, point != NULL ? point + 1 : memo->key);
    scols_line_set_data(line, COLUMN_VALUE, duration_format_count(memo->value, value));
    scols_line_set_data(line, COLUMN_NOTE, memo->label);
  }
}

static void print_facts(const reply *now, const reply *before) {
  struct libscols_table *table = table_new();
  struct libscols_line *outer = NULL;
  scols_table_new_column(table, "COLLECTOR", 0, SCOLS_FL_TREE);
  scols_table_new_column(table, "VALUE", 0, SCOLS_FL_RIGHT);
  int hidden = before != NULL ? 0 : SCOLS_FL_HIDDEN;
  scols_table_new_column(table, "CHANGE", 0, SCOLS_FL_RIGHT | hidden);
  scols_table_new_column(table, "", 0, SCOLS_FL_WRAP);
  for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
    struct libscols_line *line = add_fact(table, outer, &facts[i], now, before);
    if (!facts[i].inner) outer = line;
  }
  add_escalations(table, now);
  table_print(table);
}

/* --- The histogram --- */

/* The end of the doubling, counted from 1 ms, that a length lies in. */
static uint64_t doubling(uint64_t ns) {
  uint64_t end = MS;
  while (end < ns && end < UINT64_MAX / 2) end *= 2;
  while (end / 2 >= ns && end > 1) end /= 2;
  return end;
}

typedef struct bar {
  uint64_t end, count;
} bar;

/* Buckets of one doubling together; returns how many bars. */
static size_t bars_of(const reply *from, bar out[REPLY_BUCKETS_MAX], uint64_t *tallest) {
  size_t bars = 0;
  *tallest = 0;
  for (size_t i = 0; i < from->buckets; i++) {
    const reply_bucket *bucket = &from->bucket[i];
    uint64_t end = doubling(bucket->most_ns);
    if (bars == 0 || out[bars - 1].end != end) out[bars++] = (bar){.end = end};
    out[bars - 1].count += bucket->count;
    if (out[bars - 1].count > *tallest) *tallest = out[bars - 1].count;
  }
  return bars;
}

static void set_bar(struct libscols_line *line, uint64_t count, uint64_t tallest) {
  char drawn[BAR * 3 + 1] = "";
  double share = tallest > 0 ? (double)count / (double)tallest : 0;
  int columns = (int)(share * BAR + 0.5);
  for (int i = 0; i < (columns > 0 ? columns : 1); i++)
    strcat(drawn, table_is_ascii() ? "#" : "\u2588");
  scols_line_set_data(line, 3, drawn);
}

static void add_bar(struct libscols_table *table, const bar *what, uint64_t all, uint64_t tallest) {
  char cell[DURATION_TEXT];
  struct libscols_line *line = table_line(table, NULL);
  scols_line_set_data(line, 0,
                      what->end < INT64_MAX / 2 ? duration_format(what->end, cell) : "longer");
  scols_line_set_data(line, 1, duration_format_count(what->count, cell));
  scols_line_set_data(line, 2, duration_format_share(what->count, all, cell));
  if (tallest > 0) set_bar(line, what->count, tallest);
}

static void print_histogram(const reply *now) {
  bar bars[REPLY_BUCKETS_MAX];
  uint64_t tallest, all = 0;
  size_t count = bars_of(now, bars, &tallest);
  bool terminal = isatty(STDOUT_FILENO);
  if (count == 0) return;
  for (size_t i = 0; i < count; i++) all += bars[i].count;
  struct libscols_table *table = table_new();
  scols_table_new_column(table, "AT MOST", 0, SCOLS_FL_RIGHT);
  scols_table_new_column(table, "PAUSES", 0, SCOLS_FL_RIGHT);
  scols_table_new_column(table, "SHARE", 0, SCOLS_FL_RIGHT);
  if (terminal) scols_table_new_column(table, "", 0, 0);
  for (size_t i = 0; i < count; i++) add_bar(table, &bars[i], all, terminal ? tallest : 0);
  putchar('\n');
  table_print(table);
}

/* --- All of it --- */

void print_gc(const reply *now, const reply *before) {
  char budget[DURATION_TEXT], limit[DURATION_TEXT];
  printf("Ouro's collector: slices of %s, garbage at most %s of the live objects\n%s\n",
         duration_format(number(now, "budget_ns"), budget),
         duration_format_share(number(now, "limit_permille"), 1000, limit),
         number(now, "quiet") != 0 ? "quiet: no slices at this moment\n" : "");
  print_facts(now, before);
  print_histogram(now);
}

void print_gc_line(const reply *now) {
  static const char *const keys[] = {"pauses.count",    "pauses.p99_ns", "pauses.longest_ns",
                                     "cycles.finished", "objects.found", "garbage.most"};
  static const char *const names[] = {"pauses", "p99", "longest", "cycles", "found", "garbage"};
  char value[DURATION_TEXT];
  print_clock();
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    bool time = i == 1 || i == 2;
    printf("  %s %s", names[i], format(number(now, keys[i]), time ? TIME : COUNT, value));
  }
  putchar('\n');
}

/* --- JSON --- */

static json_t *value_of(const reply *from, const char *key) {
  uint64_t value;
  if (reply_number(from, key, &value)) return json_integer((json_int_t)value);
  return json_string(text(from, key));
}

/* The object for the keys with this prefix, made where it is missing. */
static json_t *part_of(json_t *whole, const char *prefix, size_t length) {
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : 0), prefix);
  json_t *part = json_object_get(whole, name);
  if (part == NULL) {
    part = json_object();
    json_object_set_new(whole, name, part);
  }
  return part;
}

static void add_pair(json_t *whole, const reply *from, const char *key) {
  const char *point = strchr(key, '.');
  json_t *part = point != NULL ? part_of(whole, key, (size_t)(point - key)) : whole;
  json_object_set_new(part, point != NULL ? point + 1 : key, value_of(from, key));
}

static json_t *escalations_of(const reply *from) {
  json_t *array = json_array();
  for (size_t i = 0; i < from->memos; i++) {
    const reply_memo *memo = &from->memo[i];
    const char *point = strrchr(memo->key, '.');
    json_t *one = json_object();
    json_object_set_new(one, "reason", json_string(point != NULL ? point + 1 : memo->key));
    json_object_set_new(one, "count", json_integer((json_int_t)memo->value));
    json_object_set_new(one, "text", json_string(memo->label));
    json_array_append_new(array, one);
  }
  return array;
}

static json_t *histogram_of(const reply *from) {
  json_t *array = json_array();
  for (size_t i = 0; i < from->buckets; i++) {
    json_t *one = json_object();
    json_object_set_new(one, "most_ns", json_integer((json_int_t)from->bucket[i].most_ns));
    json_object_set_new(one, "count", json_integer((json_int_t)from->bucket[i].count));
    json_array_append_new(array, one);
  }
  return array;
}

void print_gc_json(pid_t pid, const reply *now, bool pretty) {
  json_t *whole = json_object();
  json_object_set_new(whole, "pid", json_integer(pid));
  json_object_set_new(whole, "time", json_integer(time(NULL)));
  for (size_t i = 0; i < now->pairs; i++) add_pair(whole, now, now->pair[i].key);
  if (now->memos > 0) json_object_set_new(whole, "escalations", escalations_of(now));
  if (now->pairs > 1) json_object_set_new(whole, "histogram", histogram_of(now));
  json_dumpf(whole, stdout, pretty ? JSON_INDENT(2) : JSON_COMPACT);
  putchar('\n');
  json_decref(whole);
}
