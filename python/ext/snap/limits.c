/* SPDX-License-Identifier: MIT */
#include "limits.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../procfs.h"

/* Version 1 has no word for "no limit" but a number beyond all memory. */
#define NO_LIMIT ((uint64_t)1 << 60)

/* --- Where the control group is --- */

static bool has_word(const char *list, const char *word) {
  size_t length = strlen(word);
  for (const char *at = strstr(list, word); at != NULL; at = strstr(at + 1, word)) {
    bool begins = at == list || at[-1] == ',';
    if (begins && (at[length] == '\0' || at[length] == ',')) return true;
  }
  return false;
}

/* "number:controllers:path". Version 2's has no controllers; version 1's wins where both are there,
 * since a controller belongs to one of them only. */
static void take_group(char *line, char path[LIMITS_PATH], bool *first) {
  char *controllers = strchr(line, ':');
  char *name = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
  if (name == NULL) return;
  *name++ = '\0';
  controllers++;
  bool memory = has_word(controllers, "memory");
  if (!memory && (controllers[0] != '\0' || *first)) return;
  snprintf(path, LIMITS_PATH, "%s", name);
  *first = memory;
}

static bool read_group(const char *root, char path[LIMITS_PATH], bool *first) {
  procfs_text text;
  char file[LIMITS_PATH];
  snprintf(file, sizeof file, "%s/proc/self/cgroup", root);
  path[0] = '\0';
  *first = false;
  if (!procfs_open(&text, file)) return false;
  for (char *line; (line = procfs_line(&text)) != NULL;) take_group(line, path, first);
  procfs_close(&text);
  return path[0] != '\0';
}

/* A mount of the hierarchy: "id parent device root place options ... - type source options". */
static bool take_mount(char *line, bool first, char **mounted, char **place) {
  char *rest = strstr(line, " - "), *save = NULL, *words[5];
  if (rest == NULL) return false;
  *rest = '\0';
  rest += 3;
  for (int i = 0; i < 5; i++) {
    words[i] = strtok_r(i == 0 ? line : NULL, " ", &save);
    if (words[i] == NULL) return false;
  }
  char *type = strtok_r(rest, " ", &save);
  strtok_r(NULL, " ", &save);
  char *options = strtok_r(NULL, " ", &save);
  if (type == NULL || strcmp(type, first ? "cgroup" : "cgroup2") != 0) return false;
  if (first && (options == NULL || !has_word(options, "memory"))) return false;
  *mounted = words[3];
  *place = words[4];
  return true;
}

/* In a container the mount may show a part of the hierarchy only, or the path begin outside it. */
static const char *below(const char *path, const char *mounted) {
  size_t length = strlen(mounted);
  if (strcmp(mounted, "/") == 0) return strstr(path, "/..") == NULL ? path : "";
  if (strncmp(path, mounted, length) != 0) return "";
  return path[length] == '/' || path[length] == '\0' ? path + length : "";
}

static void set_group(limits *out, const char *root, const char *place, const char *inside) {
  if (strcmp(inside, "/") == 0) inside = "";
  int top = snprintf(out->group, LIMITS_PATH, "%s%s", root, place);
  int all = snprintf(out->group, LIMITS_PATH, "%s%s%s", root, place, inside);
  out->top = (size_t)top;
  if (all >= LIMITS_PATH) out->group[0] = '\0';
}

void limits_find(limits *out, const char *root) {
  procfs_text text;
  char path[LIMITS_PATH], file[LIMITS_PATH], *mounted, *place;
  *out = (limits){.group = ""};
  if (!read_group(root, path, &out->first)) return;
  snprintf(file, sizeof file, "%s/proc/self/mountinfo", root);
  if (!procfs_open(&text, file)) return;
  for (char *line; out->group[0] == '\0' && (line = procfs_line(&text)) != NULL;)
    if (take_mount(line, out->first, &mounted, &place))
      set_group(out, root, place, below(path, mounted));
  procfs_close(&text);
}

/* --- What is used --- */

static bool read_number(const char *group, const char *name, uint64_t *out) {
  char path[LIMITS_PATH + 32], text[32] = "";
  snprintf(path, sizeof path, "%s/%s", group, name);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t got = read(file, text, sizeof text - 1);
  close(file);
  if (got <= 0 || text[0] < '0' || text[0] > '9') return false; /* "max" */
  *out = strtoull(text, NULL, 10);
  return true;
}

/* Pages of files that the group has read or written: dropped before anything is killed. */
static uint64_t cache_of(const char *group, bool first) {
  procfs_text text;
  char path[LIMITS_PATH + 32];
  uint64_t sum = 0;
  const char *total = first ? "total_" : "";
  snprintf(path, sizeof path, "%s/memory.stat", group);
  if (!procfs_open(&text, path)) return 0;
  for (char *line; (line = procfs_line(&text)) != NULL;) {
    if (strncmp(line, total, strlen(total)) != 0) continue;
    line += strlen(total);
    if (strncmp(line, "inactive_file ", 14) == 0) sum += strtoull(line + 14, NULL, 10);
    if (strncmp(line, "active_file ", 12) == 0) sum += strtoull(line + 12, NULL, 10);
  }
  procfs_close(&text);
  return sum;
}

static uint64_t without(uint64_t from, uint64_t part) { return part < from ? from - part : 0; }

static limits_use use_of_group(const char *group, bool first) {
  limits_use use = {.name = "the control group's limit"};
  uint64_t limit, used;
  if (!read_number(group, first ? "memory.limit_in_bytes" : "memory.max", &limit)) return use;
  if (limit == 0 || limit >= NO_LIMIT) return use;
  if (!read_number(group, first ? "memory.usage_in_bytes" : "memory.current", &used)) return use;
  use.limit = limit;
  use.used = without(used, cache_of(group, first));
  return use;
}

unsigned limits_permille(const limits_use *of) {
  if (of->limit == 0) return 0;
  return of->used >= of->limit ? 1000 : (unsigned)((double)of->used / (double)of->limit * 1000);
}

static void keep_nearer(limits_use *best, limits_use other) {
  if (other.limit == 0) return;
  if (best->limit == 0 || limits_permille(&other) > limits_permille(best)) *best = other;
}

limits_use limits_group(const limits *of) {
  limits_use best = {.name = ""};
  char group[LIMITS_PATH];
  memcpy(group, of->group, sizeof group);
  while (group[0] != '\0') {
    keep_nearer(&best, use_of_group(group, of->first));
    char *slash = strrchr(group, '/');
    if (slash == NULL || (size_t)(slash - group) < of->top) break;
    *slash = '\0';
  }
  return best;
}

/* --- The process's own limits --- */

static limits_use use_of_resource(int which, const char *name, uint64_t pages) {
  limits_use use = {.name = name};
  struct rlimit limit;
  if (getrlimit((__rlimit_resource_t)which, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return use;
  use.limit = limit.rlim_cur;
  use.used = pages * (uint64_t)sysconf(_SC_PAGESIZE);
  return use;
}

/* size resident shared text library data */
static void read_statm(uint64_t *size, uint64_t *data) {
  char text[128] = "", *end = text;
  uint64_t numbers[6] = {0};
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file >= 0 && read(file, text, sizeof text - 1) > 0)
    for (int i = 0; i < 6; i++) numbers[i] = strtoull(end, &end, 10);
  if (file >= 0) close(file);
  *size = numbers[0];
  *data = numbers[5];
}

size_t limits_address_space(void) {
  uint64_t size, data;
  read_statm(&size, &data);
  limits_use use = use_of_resource(RLIMIT_AS, "", size);
  return use.limit == 0 ? SIZE_MAX : (size_t)without(use.limit, use.used);
}

static limits_use use_of_heap(const ouro_heap *heap, size_t limit) {
  limits_use use = {.name = "the heap's limit (--limit)"};
  ouro_heap_stats now;
  if (heap == NULL || limit == 0) return use;
  ouro_heap_stats_read(heap, &now);
  use.limit = limit;
  use.used = now.pools * OURO_POOL_BYTES + now.large;
  return use;
}

limits_use limits_read(const limits *of, const ouro_heap *heap, size_t heap_limit) {
  uint64_t size, data;
  limits_use best = limits_group(of);
  read_statm(&size, &data);
  keep_nearer(&best, use_of_resource(RLIMIT_AS, "RLIMIT_AS", size));
  keep_nearer(&best, use_of_resource(RLIMIT_DATA, "RLIMIT_DATA", data));
  keep_nearer(&best, use_of_heap(heap, heap_limit));
  return best;
}
