/* SPDX-License-Identifier: MIT */
/*
 * Which allocator serves a call
 *
 *                        | block of Ouro's        | any other block, NULL
 *   malloc, calloc       |            small: Ouro, large: the previous allocator
 *   realloc to small     | Ouro, in place if it fits | previous (NULL: as malloc)
 *   realloc to large     | moves to the previous  | previous (NULL: as malloc)
 *   free                 | Ouro                   | previous
 *
 * "Previous" is what the domain had before. Its blocks stay its own as long as they live.
 *
 * Two sets of hooks. The *fast* ones are the table above. The *full* ones, for heaps with a limit
 * or hardened, take blocks of every size from Ouro, so that all of them count and are checked.
 *
 * Each of them twice: where CPython's full collections are Ouro's, the *watched* ones tell it of
 * every block that ends (gc/known.h).
 *
 * Locking: the main interpreter's GIL is the heap's lock. Interpreters with a GIL of their own have
 * pools of their own in CPython, and keep them: their requests go to the previous allocator. Blocks
 * never cross between such interpreters in CPython, so that frees need no test; the full hooks
 * serve large blocks too, which may cross, and hand those over by ouro_free_remote.
 */
#include "compat.h"

#include "gc/known.h"
#include "hook.h"

enum domain { DOMAIN_MEM, DOMAIN_OBJ, DOMAINS };

static const PyMemAllocatorDomain python_domain[DOMAINS] = {PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};

/* One per process, as CPython's allocators are. Written by hook_install only. */
static struct {
  ouro_heap *heap; /* NULL: not installed */
  compat_interpreters interpreters;
  PyMemAllocatorEx previous[DOMAINS];
  PyMemAllocatorEx raw; /* without tracemalloc */
} hook;

bool hook_installed(void) { return hook.heap != NULL; }

ouro_heap *hook_heap(void) { return hook.heap; }

bool hook_may_change(void) { return compat_main_gil(&hook.interpreters); }

bool hook_raw_watched(void) {
  PyMemAllocatorEx raw;
  PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &raw);
  return raw.malloc != hook.raw.malloc;
}

/* --- The previous allocators ------------------------------------------------------------------ */

static void *previous_malloc(enum domain d, size_t size) {
  return hook.previous[d].malloc(hook.previous[d].ctx, size);
}

static void *previous_calloc(enum domain d, size_t count, size_t size) {
  return hook.previous[d].calloc(hook.previous[d].ctx, count, size);
}

static void *previous_realloc(enum domain d, void *block, size_t size) {
  return hook.previous[d].realloc(hook.previous[d].ctx, block, size);
}

static void previous_free(enum domain d, void *block) {
  hook.previous[d].free(hook.previous[d].ctx, block);
}

/* --- Fast hooks ------------------------------------------------------------------------------- */

/* Nothing but the heap lies in its first window, and most heaps have no other. */
static inline bool in_first_window(const ouro_heap *heap, const void *block) {
  return ((uintptr_t)block ^ (uintptr_t)heap) >> OURO_WINDOW_SHIFT == 0;
}

static inline bool owned(const ouro_heap *heap, const void *block) {
  return OURO_LIKELY(in_first_window(heap, block)) || ouro_owns(heap, block);
}

/* Out of line, so that the fast paths end in jumps and need no stack frame. */
#define NOT_INLINED __attribute__((noinline))

static NOT_INLINED void *other_malloc(ouro_heap *heap, enum domain d, size_t size) {
  if (size <= OURO_SMALL_MAX && compat_main_gil(&hook.interpreters)) return ouro_alloc(heap, size);
  return previous_malloc(d, size);
}

static inline void *fast_malloc(ouro_heap *heap, enum domain d, size_t size) {
  if (OURO_LIKELY(size <= OURO_SMALL_MAX && compat_alone(&hook.interpreters)))
    return ouro_alloc(heap, size);
  return other_malloc(heap, d, size);
}

static inline void *fast_calloc(ouro_heap *heap, enum domain d, size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) return NULL;
  if (total > OURO_SMALL_MAX || !compat_main_gil(&hook.interpreters))
    return previous_calloc(d, count, size);
  void *block = ouro_alloc(heap, total);
  return block ? memset(block, 0, total) : NULL;
}

static NOT_INLINED void other_free(ouro_heap *heap, enum domain d, void *block) {
  if (block == NULL) return;
  if (ouro_owns(heap, block)) ouro_free(heap, block);
  else previous_free(d, block);
}

static inline void fast_free(ouro_heap *heap, enum domain d, void *block) {
  if (OURO_LIKELY(in_first_window(heap, block))) ouro_free(heap, block);
  else other_free(heap, d, block);
}

static NOT_INLINED void *move_out(ouro_heap *heap, enum domain d, void *block, size_t size) {
  void *larger = previous_malloc(d, size);
  if (larger == NULL) return NULL;
  memcpy(larger, block, ouro_block_size(heap, block));
  ouro_free(heap, block);
  return larger;
}

static inline void *fast_realloc(ouro_heap *heap, enum domain d, void *block, size_t size) {
  if (block == NULL) return fast_malloc(heap, d, size);
  if (!owned(heap, block)) return previous_realloc(d, block, size);
  if (size > OURO_SMALL_MAX) return move_out(heap, d, block, size);
  return ouro_realloc(heap, block, size);
}

/* --- Full hooks ------------------------------------------------------------------------------- */

static inline void *full_malloc(ouro_heap *heap, enum domain d, size_t size) {
  return compat_main_gil(&hook.interpreters) ? ouro_alloc(heap, size) : previous_malloc(d, size);
}

static inline void *full_calloc(ouro_heap *heap, enum domain d, size_t count, size_t size) {
  return compat_main_gil(&hook.interpreters) ? ouro_calloc(heap, count, size)
                                             : previous_calloc(d, count, size);
}

static inline void full_free(ouro_heap *heap, enum domain d, void *block) {
  if (block == NULL) return;
  if (!owned(heap, block)) previous_free(d, block);
  else if (compat_main_gil(&hook.interpreters)) ouro_free(heap, block);
  else ouro_free_remote(heap, block);
}

/* An interpreter with a GIL of its own got hold of a block of the heap: it may read it, not resize
 * it. */
static void *leave_heap(ouro_heap *heap, enum domain d, void *block, size_t size) {
  size_t held = ouro_usable_size(heap, block);
  void *moved = previous_malloc(d, size);
  if (moved == NULL) return NULL;
  memcpy(moved, block, held < size ? held : size);
  ouro_free_remote(heap, block);
  return moved;
}

static inline void *full_realloc(ouro_heap *heap, enum domain d, void *block, size_t size) {
  if (block == NULL) return full_malloc(heap, d, size);
  if (!owned(heap, block)) return previous_realloc(d, block, size);
  if (!compat_main_gil(&hook.interpreters)) return leave_heap(heap, d, block, size);
  return ouro_realloc(heap, block, size);
}

/* --- Watched hooks ---------------------------------------------------------------------------- */

/* The collector must hear of every block that ends. Interpreters with a GIL of their own have none
 * of its objects. */
static NOT_INLINED void end_known(const ouro_heap *heap, const void *block) {
  if (in_first_window(heap, block)) gcknown_freed_near(block);
  else if (block && compat_main_gil(&hook.interpreters)) gcknown_freed(block);
}

/* What few blocks are. The tables begin with the heap, so its address is theirs. */
static inline bool may_be_known(const ouro_heap *heap, const void *block) {
  return OURO_UNLIKELY(!in_first_window(heap, block)) ||
         OURO_UNLIKELY(gcknown_heads((uintptr_t)block ^ (uintptr_t)heap));
}

#define WATCHED(kind)                                                                              \
  static inline void *kind##_watched_malloc(ouro_heap *heap, enum domain d, size_t size) {         \
    return kind##_malloc(heap, d, size);                                                           \
  }                                                                                                \
  static inline void *kind##_watched_calloc(ouro_heap *heap, enum domain d, size_t count,          \
                                            size_t size) {                                         \
    return kind##_calloc(heap, d, count, size);                                                    \
  }                                                                                                \
  static NOT_INLINED void *kind##_known_realloc(ouro_heap *heap, enum domain d, void *block,       \
                                                size_t size) {                                     \
    end_known(heap, block);                                                                        \
    return kind##_realloc(heap, d, block, size);                                                   \
  }                                                                                                \
  static inline void *kind##_watched_realloc(ouro_heap *heap, enum domain d, void *block,          \
                                             size_t size) {                                        \
    if (may_be_known(heap, block)) return kind##_known_realloc(heap, d, block, size);              \
    return kind##_realloc(heap, d, block, size);                                                   \
  }                                                                                                \
  static NOT_INLINED void kind##_known_free(ouro_heap *heap, enum domain d, void *block) {         \
    end_known(heap, block);                                                                        \
    kind##_free(heap, d, block);                                                                   \
  }                                                                                                \
  static inline void kind##_watched_free(ouro_heap *heap, enum domain d, void *block) {            \
    if (may_be_known(heap, block)) kind##_known_free(heap, d, block);                              \
    else kind##_free(heap, d, block);                                                              \
  }

WATCHED(fast)
WATCHED(full)

/* --- The functions CPython calls: each of the above, for each domain -------------------------- */

#define HOOKS(kind, name, domain)                                                                  \
  static void *kind##_malloc_##name(void *ctx, size_t size) {                                      \
    return kind##_malloc(ctx, domain, size);                                                       \
  }                                                                                                \
  static void *kind##_calloc_##name(void *ctx, size_t count, size_t size) {                        \
    return kind##_calloc(ctx, domain, count, size);                                                \
  }                                                                                                \
  static void *kind##_realloc_##name(void *ctx, void *block, size_t size) {                        \
    return kind##_realloc(ctx, domain, block, size);                                               \
  }                                                                                                \
  static void kind##_free_##name(void *ctx, void *block) { kind##_free(ctx, domain, block); }

HOOKS(fast, mem, DOMAIN_MEM)
HOOKS(fast, obj, DOMAIN_OBJ)
HOOKS(full, mem, DOMAIN_MEM)
HOOKS(full, obj, DOMAIN_OBJ)
HOOKS(fast_watched, mem, DOMAIN_MEM)
HOOKS(fast_watched, obj, DOMAIN_OBJ)
HOOKS(full_watched, mem, DOMAIN_MEM)
HOOKS(full_watched, obj, DOMAIN_OBJ)

#define HOOK_TABLE(kind, name)                                                                     \
  { NULL, kind##_malloc_##name, kind##_calloc_##name, kind##_realloc_##name, kind##_free_##name }

/* By whether they are watched and whether they are full. */
static const PyMemAllocatorEx all_hooks[2][2][DOMAINS] = {
    {{HOOK_TABLE(fast, mem), HOOK_TABLE(fast, obj)},
     {HOOK_TABLE(full, mem), HOOK_TABLE(full, obj)}},
    {{HOOK_TABLE(fast_watched, mem), HOOK_TABLE(fast_watched, obj)},
     {HOOK_TABLE(full_watched, mem), HOOK_TABLE(full_watched, obj)}}};

/* --- CPython's debug hooks -------------------------------------------------------------------- */

/* Their ctx. CPython keeps three in an array, for RAW, MEM and OBJ: that is how they are
 * recognised, the functions themselves being private. */
typedef struct debug_api {
  char id;
  PyMemAllocatorEx under;
} debug_api;

static const debug_api *debug_hooks(void) {
  PyMemAllocatorEx raw, mem, obj;
  PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &raw);
  PyMem_GetAllocator(PYMEM_DOMAIN_MEM, &mem);
  PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &obj);
  uintptr_t first = (uintptr_t)raw.ctx;
  if (first == 0 || (uintptr_t)mem.ctx != first + sizeof(debug_api) ||
      (uintptr_t)obj.ctx != first + 2 * sizeof(debug_api))
    return NULL;
  const debug_api *api = raw.ctx;
  return api[0].id == 'r' && api[1].id == 'm' && api[2].id == 'o' ? api : NULL;
}

/* What the domains have now, the debug hooks taken off. */
static void read_hooks(const debug_api *debug, PyMemAllocatorEx now[DOMAINS]) {
  for (int d = 0; d < DOMAINS; d++) {
    if (debug) now[d] = debug[1 + d].under;
    else PyMem_GetAllocator(python_domain[d], &now[d]);
  }
}

/* The debug hooks come off and go on again over ours. Removing their ctx only, as a plain
 * PyMem_SetAllocator would, leaves them forwarding to themselves. */
static void set_hooks(const PyMemAllocatorEx hooks[DOMAINS], bool debug) {
  for (int d = 0; d < DOMAINS; d++) {
    PyMemAllocatorEx ours = hooks[d];
    ours.ctx = hook.heap;
    PyMem_SetAllocator(python_domain[d], &ours);
  }
  if (debug) PyMem_SetupDebugHooks();
}

/* --- tracemalloc ------------------------------------------------------------------------------ */

/* tracemalloc remembers what it found and puts it back when it stops: it must be started over ours.
 * Returns the number of frames to start it again with; 0: it was off; -1: an exception is set. */
static long pause_tracemalloc(PyObject *module) {
  PyObject *on = PyObject_CallMethod(module, "is_tracing", NULL);
  if (on == NULL) return -1;
  Py_DECREF(on);
  if (on != Py_True) return 0;
  PyObject *limit = PyObject_CallMethod(module, "get_traceback_limit", NULL);
  if (limit == NULL) return -1;
  long frames = PyLong_AsLong(limit);
  Py_DECREF(limit);
  if (frames == -1 && PyErr_Occurred()) return -1;
  PyObject *none = PyObject_CallMethod(module, "stop", NULL);
  Py_XDECREF(none);
  return none ? frames : -1;
}

/* Keeps an exception that is set. */
static int resume_tracemalloc(PyObject *module, long frames) {
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyObject *none = PyObject_CallMethod(module, "start", "l", frames);
  Py_XDECREF(none);
  if (type) PyErr_Restore(type, value, traceback);
  return none ? 0 : -1;
}

/* --- Installation ----------------------------------------------------------------------------- */

static bool in_python_itself(const void *function) {
  Dl_info python, other;
  return dladdr((const void *)(uintptr_t)PyMem_SetAllocator, &python) && dladdr(function, &other) &&
         python.dli_fbase == other.dli_fbase;
}

/* A tool that wraps the allocators puts back what it found when it stops, and would take ours out
 * under the blocks it serves. Over ours it does no harm. */
static int refuse_other_tools(const PyMemAllocatorEx now[DOMAINS]) {
  for (int d = 0; d < DOMAINS; d++) {
    const void *function = (const void *)(uintptr_t)now[d].malloc;
    if (in_python_itself(function)) continue;
    Dl_info tool = {0};
    dladdr(function, &tool);
    PyErr_Format(PyExc_RuntimeError,
                 "another memory tool is at work (%s): install Ouro first, then start it",
                 tool.dli_fname ? tool.dli_fname : "unknown");
    return -1;
  }
  return 0;
}

/* Allocators cannot be changed under an interpreter that runs in parallel. */
static int refuse_interpreters(void) {
  if (COMPAT_ONE_GIL) return 0;
  PyInterpreterState *first = PyInterpreterState_Head();
  if (first == PyInterpreterState_Main() && PyInterpreterState_Next(first) == NULL) return 0;
  PyErr_SetString(PyExc_RuntimeError,
                  "other interpreters exist: install Ouro before the first is created");
  return -1;
}

static int make_heap(const ouro_heap_options *options) {
  if (hook.heap == NULL) hook.heap = ouro_heap_new(options);
  if (hook.heap != NULL) return 0;
  PyErr_SetString(PyExc_MemoryError, "no address space for Ouro's heap: raise `ulimit -v`");
  return -1;
}

static int watch_frees(bool debug) {
  if (gcknown_start(hook.heap, debug)) return 0;
  PyErr_SetString(PyExc_MemoryError, "no address space for the collector's tables: raise "
                                     "`ulimit -v`, or leave `pause_ms` out");
  return -1;
}

static int install_over(const ouro_heap_options *options, bool watched) {
  const PyMemAllocatorEx *ours = all_hooks[watched][options->limit || options->hardened];
  const debug_api *debug = debug_hooks();
  PyMemAllocatorEx now[DOMAINS];
  read_hooks(debug, now);
  if (now[DOMAIN_OBJ].malloc == ours[DOMAIN_OBJ].malloc) return 0;
  if (refuse_other_tools(now) < 0 || make_heap(options) < 0) return -1;
  if (watched && watch_frees(debug != NULL) < 0) return -1;
  memcpy(hook.previous, now, sizeof now);
  PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &hook.raw);
  hook.interpreters = compat_find_interpreters();
  set_hooks(ours, debug != NULL);
  return 0;
}

int hook_install(const ouro_heap_options *options, bool watched) {
  if (refuse_interpreters() < 0) return -1;
  PyObject *module = PyImport_ImportModule("_tracemalloc");
  if (module == NULL)
    PyErr_Clear(); /* to 3.11: once an interpreter has ended, it is off for good */
  long frames = module ? pause_tracemalloc(module) : 0;
  int result = frames < 0 ? -1 : install_over(options, watched);
  if (frames > 0 && resume_tracemalloc(module, frames) < 0) result = -1;
  Py_XDECREF(module);
  return result;
}
