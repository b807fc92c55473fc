/* SPDX-License-Identifier: MIT */
/* Words for classes and holders, and what to change for each. */
#include "verdict_parts.h"

const char *verdict_class_name(verdict_class c) {
  static const char *const names[VERDICT_CLASSES] = {
      [VERDICT_GROWTH] = "reachable growth",
      [VERDICT_LATE] = "late collection",
      [VERDICT_COLLECTOR_OFF] = "collector off",
      [VERDICT_UNCOLLECTABLE] = "uncollectable",
      [VERDICT_UNSEEN] = "unseen references",
      [VERDICT_NATIVE] = "native memory",
      [VERDICT_RETAINED] = "retained by an allocator",
      [VERDICT_CHURN] = "churn",
      [VERDICT_WASTE] = "waste",
      [VERDICT_NO_GROWTH] = "no growth",
      [VERDICT_CANNOT_TELL] = "cannot tell",
  };
  return (unsigned)c < VERDICT_CLASSES ? names[c] : "";
}

const char *verdict_holder_name(verdict_holder h) {
  static const char *const names[HOLDER_KINDS] = {
      [HOLDER_NONE] = "",
      [HOLDER_GLOBAL] = "module global",
      [HOLDER_CLASS] = "class attribute",
      [HOLDER_CACHE] = "cache",
      [HOLDER_CLOSURE] = "closure",
      [HOLDER_HANDLER] = "handler",
      [HOLDER_FRAME] = "frame",
      [HOLDER_TRACEBACK] = "traceback",
      [HOLDER_TASK] = "task",
      [HOLDER_THREAD] = "thread-local",
      [HOLDER_REGISTRY] = "registry",
  };
  return (unsigned)h < HOLDER_KINDS ? names[h] : "";
}

/* A dictionary that only grows is a cache without a bound, whoever has it. */
static const char *advice_container(snapshot_type_kind kind) {
  switch (kind) {
  case SNAPSHOT_DICT:
    return "bound it if it is a cache: functools.lru_cache(maxsize=…), a size limit, or weak "
           "values";
  case SNAPSHOT_LIST: return "drop what is done with, or use collections.deque(maxlen=…)";
  case SNAPSHOT_SET: return "discard what is done with, or use weakref.WeakSet";
  default: return "let it forget what is done with";
  }
}

static const char *advice_holder(verdict_holder holder, snapshot_type_kind kind) {
  switch (holder) {
  case HOLDER_CACHE:
    return "give the cache a bound: lru_cache(maxsize=…); on a method it keeps each self: cache "
           "outside the class";
  case HOLDER_CLOSURE:
    return "let the function capture only what it needs, or drop the function when it is done with";
  case HOLDER_HANDLER:
    return "remove each callback when its owner goes, or register weakref.WeakMethod(method)";
  case HOLDER_FRAME: return "the call keeps its locals while it runs: del them, or do it in parts";
  case HOLDER_TRACEBACK:
    return "keep text, not the exception: traceback.format_exc(); or exc.with_traceback(None)";
  case HOLDER_TASK:
    return "await or cancel what is pending; set a time limit; reset context variables";
  case HOLDER_THREAD: return "clear the thread-local at the end of each request, or end the thread";
  case HOLDER_REGISTRY:
    return "the values hold their keys: let them refer to the key weakly (weakref.ref)";
  default: return advice_container(kind);
  }
}

static const char *advice_class(verdict_class class) {
  switch (class) {
  case VERDICT_LATE:
    return "no leak: gc.collect(), lower gc.set_threshold(), or ouro run --pause 1ms";
  case VERDICT_COLLECTOR_OFF:
    return "gc.enable(), or call gc.collect() now and then, or avoid the cycles";
  case VERDICT_UNCOLLECTABLE:
    return "empty gc.garbage, and switch gc.DEBUG_SAVEALL off if it is on";
  case VERDICT_UNSEEN:
    return "look for a missing Py_DECREF, or a static list, in the extension that makes these";
  case VERDICT_NATIVE:
    return "not Python's: see which library allocates; buffers of arrays and images count here too";
  case VERDICT_RETAINED:
    return "give it back: ouro give-back PID; if a few survivors pin pages, make them first";
  case VERDICT_CHURN: return "make the objects once, outside of the loop, and use them again";
  default: return "";
  }
}

static const char *advice_unseen(snapshot_type_kind kind) {
  bool callback = kind == SNAPSHOT_FUNCTION || kind == SNAPSHOT_METHOD || kind == SNAPSHOT_PARTIAL;
  if (kind == SNAPSHOT_TYPE)
    return "look for Py_DECREF(type) at the end of tp_dealloc, in the extension that has the type";
  return callback ? "unregister them: atexit, signal handlers, callbacks of a C library"
                  : advice_class(VERDICT_UNSEEN);
}

void verdict_advise(finding *f, snapshot_type_kind kind) {
  const char *advice = f->class == VERDICT_GROWTH   ? advice_holder(f->holder, kind)
                       : f->class == VERDICT_UNSEEN ? advice_unseen(kind)
                                                    : advice_class(f->class);
  verdict_say(f->advice, "%s", advice);
}
