/* SPDX-License-Identifier: MIT */
/* ouro why: the verdict. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyze/verdict.h"
#include "duration.h"
#include "heapargs.h"
#include "heapfile.h"
#include "print.h"
#include "print_heap.h"
#include "size.h"
#include "whysnap.h"

#define FILES_MOST 8
#define FOR_MS 60000
#define WIDTH 79
#define INDENT 3

static const struct argp_option options[] = {
    CLI_HELP_OPTION,
    HEAPARGS_JSON_OPTION,
    HEAPARGS_LIMIT_OPTION("at most N findings (default 5)"),
    {"for", HEAPARGS_FOR, "TIME", 0, "of a process: watch it so long (default 60s)", 0},
    {"keep", HEAPARGS_KEEP, "DIR", 0, "of a process: keep its snapshots in DIR", 0},
    {"fail-on", HEAPARGS_FAIL_ON, "WHAT", 0,
     "end with status 3 if there is one of: growth, late, collector-off, uncollectable, refs, "
     "native, retained, churn, waste; several with commas",
     0},
    {0}};

const struct argp argp_why = {
    .options = options,
    .parser = heapargs_parse,
    .args_doc = "PID|FILE [LATER-FILE...]",
    .doc = "Says why a program's memory grows, or that it does not: what grows and who holds it, "
           "with the evidence, what to change and the next command. Of a process takes three "
           "snapshots; several files are of one program, the oldest first."
           "\vExample:  ouro why 4711\n          ouro why before.snap after.snap"};

#define LIMIT 5

/* --- --fail-on --- */

typedef struct failure_word {
  const char *word;
  verdict_class class;
} failure_word;

static const failure_word failure_words[] = {
    {"growth", VERDICT_GROWTH},
    {"late", VERDICT_LATE},
    {"collector-off", VERDICT_COLLECTOR_OFF},
    {"uncollectable", VERDICT_UNCOLLECTABLE},
    {"refs", VERDICT_UNSEEN},
    {"native", VERDICT_NATIVE},
    {"retained", VERDICT_RETAINED},
    {"churn", VERDICT_CHURN},
    {"waste", VERDICT_WASTE},
};
enum { FAILURE_WORDS = sizeof failure_words / sizeof *failure_words };

static unsigned failure_named(const char *word, size_t length) {
  for (int i = 0; i < FAILURE_WORDS; i++)
    if (strlen(failure_words[i].word) == length && memcmp(failure_words[i].word, word, length) == 0)
      return 1u << failure_words[i].class;
  cli_die(CLI_USAGE,
          "--fail-on '%.*s' is none of growth, late, collector-off, uncollectable, refs, "
          "native, retained, churn, waste",
          (int)length, word);
}

/* Bits 1 << class. */
static unsigned failures_of(const char *list) {
  unsigned classes = 0;
  for (const char *at = list; at != NULL; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
    classes |= failure_named(at, strcspn(at, ","));
  return classes;
}

static bool fails(const verdict *v, unsigned classes) {
  for (size_t i = 0; i < v->count; i++)
    if (classes >> v->findings[i].class & 1) return true;
  return false;
}

/* --- What is looked at --- */

typedef struct why {
  heapfile file[FILES_MOST];
  size_t count;
  pid_t pid;  /* 0: files were given */
  bool named; /* the files can be given to other commands */
  verdict verdict;
} why;

static bool is_process(const heapargs *what) {
  struct stat ignored;
  const char *word = what->word[0];
  return what->words == 1 && word[strspn(word, "0123456789")] == '\0' && stat(word, &ignored) != 0;
}

static void open_files(why *w, const char *const *paths, size_t count) {
  for (; w->count < count; w->count++)
    heapfile_open(&w->file[w->count], paths[w->count], HEAPFILE_ALL);
}

static void judge(why *w) {
  const reach *heaps[FILES_MOST];
  for (size_t i = 0; i < w->count; i++) heaps[i] = &w->file[i].reach;
  heapfile *last = &w->file[w->count - 1];
  graph_progress progress = heapfile_progress_of(last);
  bool done = verdict_find(&w->verdict, heaps, w->count, &progress);
  heapfile_progress_end(last);
  if (!done) cli_die(CLI_FAILED, "not enough memory for the verdict");
}

/* Such a file may have no name any more, and nobody else can open it by this one. */
static bool is_descriptor(const char *path) {
  return strncmp(path, "/proc/self/fd/", 14) == 0 || strncmp(path, "/dev/fd/", 8) == 0;
}

static const char *last_path(const why *w) { return w->file[w->count - 1].path; }

/* --- Text --- */

/* Breaks the lines between words; the first begins with `lead`, all with the indent. */
static void print_wrapped(const char *lead, const char *text) {
  char clean[HEAP_TEXT];
  size_t indent = INDENT + strlen(lead), column = indent;
  heap_clean_string(text, clean);
  printf("%*s%s", INDENT, "", lead);
  for (char *rest = clean, *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
    size_t length = strlen(word);
    if (column > indent && column + 1 + length > WIDTH) {
      printf("\n%*s", (int)indent, "");
      column = indent;
    }
    column += (size_t)printf("%s%s", column > indent ? " " : "", word);
  }
  putchar('\n');
}

static void print_evidence(const finding *f) {
  char clean[HEAP_TEXT];
  for (size_t i = 0; i < f->lines && i < VERDICT_LINES; i++) {
    heap_clean_string(f->evidence[i], clean);
    printf("%*s%s\n", 2 * INDENT, "", heap_shorten(clean, WIDTH - 2 * INDENT));
  }
}

/* The command of a finding, with the file's name where it has %s. */
static void next_of(const why *w, const finding *f, char *out, size_t room) {
  char clean[HEAP_TEXT];
  const char *place = strstr(heap_clean_string(f->next, clean), "%s");
  if (place == NULL) snprintf(out, room, "ouro %s", clean);
  else snprintf(out, room, "ouro %.*s%s%s", (int)(place - clean), clean, last_path(w), place + 2);
}

static void print_share(const finding *f) {
  char bytes[SIZE_TEXT], share[DURATION_TEXT];
  if (f->bytes == 0) return;
  printf(", %s", size_format(f->bytes, false, bytes));
  if (f->share <= 0) return;
  duration_format_share((uint64_t)(f->share * 1000 + 0.5), 1000, share);
  printf(", %s of %s", share, f->of_growth ? "the growth" : "the resident memory");
}

static void print_finding(const why *w, const finding *f, size_t number) {
  char command[WHYSNAP_PATH + HEAP_TEXT];
  printf("\n%zu. %s", number, verdict_class_name(f->class));
  if (f->holder != HOLDER_NONE) printf(" (%s)", verdict_holder_name(f->holder));
  print_share(f);
  putchar('\n');
  if (f->title[0] != '\0') print_wrapped("", f->title);
  print_evidence(f);
  if (f->advice[0] != '\0') print_wrapped("do:    ", f->advice);
  if (f->next[0] == '\0' || !w->named) return;
  next_of(w, f, command, sizeof command);
  printf("%*snext:  %s\n", INDENT, "", command);
}

static void print_head(const why *w) {
  char command[HEAP_TEXT], is[SIZE_TEXT], by[SIZE_TEXT], ago[DURATION_TEXT];
  const verdict *v = &w->verdict;
  const snapshot *from = w->file[w->count - 1].from;
  bool less = v->resident[1] < v->resident[0];
  uint64_t pid = snapshot_number(from, "pid", 0);
  heap_clean(snapshot_fact(from, "command"), command);
  if (pid != 0) printf("process %llu", (unsigned long long)pid);
  else printf("%s", last_path(w));
  if (command[0] != '\0') printf(", %s", heap_shorten(command, 50));
  printf("\nresident %s", size_format(v->resident[1], false, is));
  if (w->count > 1)
    printf(", %s%s in %s; objects", less ? "-" : "+",
           size_format(less ? v->resident[0] - v->resident[1] : v->resident[1] - v->resident[0],
                       false, by),
           duration_format((uint64_t)(v->seconds * 1e9), ago));
  else printf("; objects");
  printf(" %s%s\n", size_format(v->objects_bytes[1], false, by),
         snapshot_holds_contents(from) ? "; the file holds values" : "");
}

static void print_last(const why *w) {
  uint64_t pid = snapshot_number(w->file[0].from, "pid", 0);
  if (w->pid != 0 && !w->named)
    print_next("keeps them, to look closer", "ouro why --keep . %ld", (long)w->pid);
  else if (!w->named) print_next("keeps the snapshots", "ouro run --why --snapshot-dir . SCRIPT");
  else if (w->count > 1)
    print_next("what grew, by holder", "ouro diff --holders %s %s", w->file[0].path, last_path(w));
  else if (pid != 0)
    print_next("what grows, over a minute", "ouro why %llu", (unsigned long long)pid);
  else print_next("what grows", "ouro why %s LATER-FILE", last_path(w));
}

static void print_why(const why *w, size_t limit) {
  const verdict *v = &w->verdict;
  print_head(w);
  for (size_t i = 0; i < v->count && i < limit; i++) print_finding(w, &v->findings[i], i + 1);
  if (v->count > limit)
    printf("\nand %zu smaller findings; to see them: --limit %zu\n", v->count - limit, v->count);
  if (v->unseen[0] != '\0') {
    puts("\nnot seen:");
    print_wrapped("", v->unseen);
  }
  print_last(w);
}

/* --- JSON --- */

static json_t *clean_string(const char *text) {
  char clean[HEAP_TEXT];
  return json_string(heap_clean_string(text, clean));
}

static json_t *json_finding(const why *w, const finding *f) {
  char command[WHYSNAP_PATH + HEAP_TEXT] = "";
  json_t *object = json_object(), *evidence = json_array();
  if (f->next[0] != '\0') next_of(w, f, command, sizeof command);
  for (size_t i = 0; i < f->lines && i < VERDICT_LINES; i++)
    json_array_append_new(evidence, clean_string(f->evidence[i]));
  json_object_set_new(object, "class", json_string(verdict_class_name(f->class)));
  json_object_set_new(object, "holder", json_string(verdict_holder_name(f->holder)));
  json_object_set_new(object, "bytes", heap_json_whole(f->bytes));
  json_object_set_new(object, "objects", heap_json_whole(f->objects));
  json_object_set_new(object, "share", json_real(f->share));
  json_object_set_new(object, "of", json_string(f->of_growth ? "growth" : "resident"));
  json_object_set_new(object, "title", clean_string(f->title));
  json_object_set_new(object, "evidence", evidence);
  json_object_set_new(object, "advice", clean_string(f->advice));
  json_object_set_new(object, "next", json_string(command));
  return object;
}

static void print_json(const why *w, bool failed) {
  const verdict *v = &w->verdict;
  json_t *files = json_array(), *findings = json_array();
  for (size_t i = 0; i < w->count && w->named; i++)
    json_array_append_new(files, json_string(w->file[i].path));
  for (size_t i = 0; i < v->count; i++)
    json_array_append_new(findings, json_finding(w, &v->findings[i]));
  json_t *whole = json_object();
  uint64_t pid = snapshot_number(w->file[w->count - 1].from, "pid", 0);
  json_object_set_new(whole, "pid", heap_json_whole(pid));
  json_object_set_new(whole, "files", files);
  json_object_set_new(whole, "seconds", json_real(v->seconds));
  json_object_set_new(
      whole, "resident",
      json_pack("[o,o]", heap_json_whole(v->resident[0]), heap_json_whole(v->resident[1])));
  json_object_set_new(whole, "objects_bytes",
                      json_pack("[o,o]", heap_json_whole(v->objects_bytes[0]),
                                heap_json_whole(v->objects_bytes[1])));
  json_object_set_new(whole, "unseen", clean_string(v->unseen));
  json_object_set_new(whole, "failed", json_boolean(failed));
  json_object_set_new(whole, "findings", findings);
  heap_json_print(whole);
}

/* --- All --- */

static void look(why *w, const heapargs *what, whysnap *taken) {
  if (!is_process(what)) {
    w->named = !is_descriptor(what->word[0]);
    open_files(w, what->word, what->words);
    return;
  }
  const char *paths[WHYSNAP_FILES];
  w->pid = cli_pid(what->word[0]);
  w->named = what->keep != NULL;
  whysnap_take(taken, w->pid, what->ms > 0 ? what->ms : FOR_MS, what->keep);
  for (size_t i = 0; i < taken->count; i++) paths[i] = taken->path[i];
  open_files(w, paths, taken->count);
}

static void check_options(const heapargs *what) {
  if (is_process(what)) return;
  if (what->ms > 0) cli_die(CLI_USAGE, "--for watches a process; '%s' is a file", what->word[0]);
  if (what->keep != NULL)
    cli_die(CLI_USAGE, "--keep is for snapshots of a process; '%s' is a file", what->word[0]);
}

int cmd_why(int argc, char **argv) {
  heapargs what = {.least = 1,
                   .most = FILES_MOST,
                   .missing =
                       "which process, or which files? to see the programs on Ouro: ouro ps"};
  cli_parse(&argp_why, argc, argv, &what);
  unsigned classes = failures_of(what.fail_on);
  check_options(&what);
  why w = {0};
  whysnap taken;
  look(&w, &what, &taken);
  judge(&w);
  bool failed = fails(&w.verdict, classes);
  if (what.json) print_json(&w, failed);
  else print_why(&w, what.limit > 0 ? what.limit : LIMIT);
  verdict_finish(&w.verdict);
  for (size_t i = 0; i < w.count; i++) heapfile_close(&w.file[i]);
  return failed ? CLI_FOUND : CLI_DONE;
}
