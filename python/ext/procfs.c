/* SPDX-License-Identifier: MIT */
#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Text files ----------------------------------------------------------------------------- */

bool procfs_open(procfs_text *text, const char *path) {
  text->at = text->filled = 0;
  text->fd = open(path, O_RDONLY | O_CLOEXEC);
  return text->fd >= 0;
}

void procfs_close(procfs_text *text) { close(text->fd); }

/* Moves the unread rest to the front and reads behind it. false: nothing more came. */
static bool text_fill(procfs_text *text) {
  size_t rest = text->filled - text->at;
  memmove(text->bytes, text->bytes + text->at, rest);
  text->at = 0;
  text->filled = rest;
  size_t room = sizeof text->bytes - 1 - rest;
  ssize_t got;
  do {
    got = read(text->fd, text->bytes + rest, room);
  } while (got < 0 && errno == EINTR);
  if (got > 0) text->filled += (size_t)got;
  return got > 0;
}

char *procfs_line(procfs_text *text) {
  for (;;) {
    char *line = text->bytes + text->at;
    char *newline = memchr(line, '\n', text->filled - text->at);
    if (newline) {
      *newline = '\0';
      text->at = (size_t)(newline - text->bytes) + 1;
      return line;
    }
    if (text_fill(text)) continue;
    if (text->at == text->filled) return NULL;
    line = text->bytes;
    line[text->filled] = '\0';
    text->at = text->filled;
    return line;
  }
}

uint64_t procfs_status(procfs_text *text, const char *key) {
  uint64_t value = 0;
  if (!procfs_open(text, "/proc/self/status")) return 0;
  for (char *line; (line = procfs_line(text));) {
    if (strncmp(line, key, strlen(key)) != 0) continue;
    value = strtoull(line + strlen(key), NULL, 10);
    break;
  }
  procfs_close(text);
  return value;
}

/* --- Mappings ------------------------------------------------------------------------------- */

static const char *skip_word(const char *at) {
  while (*at && *at != ' ') at++;
  while (*at == ' ') at++;
  return at;
}

bool procfs_parse_mapping(const char *line, mapping *out) {
  char *at;
  *out = (mapping){.start = strtoull(line, &at, 16)};
  if (at == line || *at != '-') return false;
  const char *second = at + 1;
  out->end = strtoull(second, &at, 16);
  if (at == second || *at != ' ' || out->end < out->start || strlen(at) < 6) return false;
  memcpy(out->permissions, at + 1, 4);
  const char *inode =
      skip_word(skip_word(skip_word(at + 1))); /* behind permissions, offset, device */
  out->inode = strtoull(inode, &at, 10);
  if (at == inode) return false;
  strncpy(out->name, skip_word(at), sizeof out->name - 1);
  return true;
}

void procfs_parse_field(const char *line, mapping *entry) {
  struct {
    const char *key;
    uint64_t *to, *also;
  } fields[] = {
      {"Rss:", &entry->rss, NULL},
      {"Shared_Clean:", &entry->shared, NULL},
      {"Shared_Dirty:", &entry->shared, &entry->shared_dirty},
      {"Anonymous:", &entry->anonymous, NULL},
      {"AnonHugePages:", &entry->huge, NULL},
      {"Swap:", &entry->swap, NULL},
  };
  if (strncmp(line, "VmFlags:", 8) == 0) entry->stack = strstr(line, " nh") || strstr(line, " gu");
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    size_t length = strlen(fields[i].key);
    if (strncmp(line, fields[i].key, length) != 0) continue;
    uint64_t bytes = strtoull(line + length, NULL, 10) * 1024;
    *fields[i].to += bytes;
    if (fields[i].also) *fields[i].also += bytes;
    return;
  }
}

bool procfs_smaps_open(procfs_smaps *smaps) {
  smaps->pending = false;
  return procfs_open(&smaps->text, "/proc/self/smaps");
}

void procfs_smaps_close(procfs_smaps *smaps) { procfs_close(&smaps->text); }

bool procfs_smaps_next(procfs_smaps *smaps, mapping *out) {
  bool found = smaps->pending;
  if (found) *out = smaps->next;
  smaps->pending = false;
  for (char *line; (line = procfs_line(&smaps->text));) {
    /* Field names start with a capital letter, addresses have none. */
    if (*line >= 'A' && *line <= 'Z') {
      procfs_parse_field(line, out);
    } else if (procfs_parse_mapping(line, &smaps->next)) {
      if (found) return smaps->pending = true;
      *out = smaps->next;
      found = true;
    }
  }
  return found;
}

/* --- Memory --------------------------------------------------------------------------------- */

void procfs_memory_open(procfs_memory *memory) {
  memory->mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  memory->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  memory->page = (size_t)sysconf(_SC_PAGESIZE);
}

void procfs_memory_close(procfs_memory *memory) {
  if (memory->mem >= 0) close(memory->mem);
  if (memory->pagemap >= 0) close(memory->pagemap);
}

bool procfs_memory_read(const procfs_memory *memory, uintptr_t at, void *out, size_t size) {
  return memory->mem >= 0 && pread(memory->mem, out, size, (off_t)at) == (ssize_t)size;
}

bool procfs_resident(const procfs_memory *memory, uintptr_t start, size_t count, bool *resident) {
  uint64_t entries[PROCFS_PAGES];
  size_t bytes = count * sizeof *entries;
  off_t at = (off_t)(start / memory->page * sizeof *entries);
  if (memory->pagemap < 0 || pread(memory->pagemap, entries, bytes, at) != (ssize_t)bytes)
    return false;
  for (size_t i = 0; i < count; i++) resident[i] = entries[i] >> 63;
  return true;
}
