/* SPDX-License-Identifier: MIT */
/*
 * This process as the kernel describes it in /proc/self. Everything here works without an allocator
 * and without the GIL, on buffers of the caller's.
 */
#ifndef OURO_EXT_PROCFS_H
#define OURO_EXT_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* --- Text files, line by line --------------------------------------------------------------- */

typedef struct procfs_text {
  int fd;
  size_t at, filled;
  char bytes[32 * 1024];
} procfs_text;

bool procfs_open(procfs_text *text, const char *path);
void procfs_close(procfs_text *text);

/* The next line without its newline, valid until the next call; NULL: the end. Longer lines than
 * the buffer come in pieces. */
char *procfs_line(procfs_text *text);

/* The number behind `key` (as "VmHWM:") in /proc/self/status; 0: not there. */
uint64_t procfs_status(procfs_text *text, const char *key);

/* --- Mappings ------------------------------------------------------------------------------- */

/* One entry of /proc/self/smaps; sizes in bytes. `name` is cut to its first bytes. */
typedef struct mapping {
  uintptr_t start, end;
  uint64_t inode;
  uint64_t rss, shared, shared_dirty, anonymous, swap, huge;
  bool stack; /* mapped with MAP_STACK (kernel 6.7 and later tell, as "no huge pages") or guarded */
  char permissions[5];
  char name[58];
} mapping;

typedef struct procfs_smaps {
  bool pending; /* `next` holds the header of the entry to be read next */
  mapping next;
  procfs_text text;
} procfs_smaps;

bool procfs_smaps_open(procfs_smaps *smaps);
void procfs_smaps_close(procfs_smaps *smaps);
bool procfs_smaps_next(procfs_smaps *smaps, mapping *out);

/* Reads "start-end perms offset device inode  name"; false: another kind of line. */
bool procfs_parse_mapping(const char *line, mapping *out);

/* Reads "Key:   123 kB" into its field of `entry`; keys that are not kept are skipped. */
void procfs_parse_field(const char *line, mapping *entry);

/* --- Memory that may go away at any time ---------------------------------------------------- */

/* Files through which other threads' memory can be read without the risk of a fault. */
typedef struct procfs_memory {
  int mem, pagemap; /* -1: not available here */
  size_t page;
} procfs_memory;

void procfs_memory_open(procfs_memory *memory);
void procfs_memory_close(procfs_memory *memory);
bool procfs_memory_read(const procfs_memory *memory, uintptr_t at, void *out, size_t size);

enum { PROCFS_PAGES = 512 };

/* Sets resident[i] for each of the `count` (<= PROCFS_PAGES) pages from `start`. false: not known.
 */
bool procfs_resident(const procfs_memory *memory, uintptr_t start, size_t count, bool *resident);

#endif
