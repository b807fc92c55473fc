/* SPDX-License-Identifier: MIT */
/*
 * A small Scheme whose every value is an Ouro object. Read it as a tutorial, in this order:
 *
 *     types.c    what the objects are: the reference fields are declared, Ouro does the rest
 *     read.c     text to objects, and how each failure is passed on
 *     compile.c  forms to instructions; special.c: the special forms
 *     vm.c       the machine: where its references are, and what it tells the collector
 *     lisp.c     the beginning and the end of an interpreter in a heap
 *
 * Ownership is written as in <ouro/object.h>. A function that fails returns NULL (or false) and
 * leaves in `lisp.error` what the program will see; where that is NULL, memory has run out. So
 * `return OURO_OBJECT(ouro_int_new(...))` is complete error handling.
 */
#ifndef LISP_H
#define LISP_H

#include <ouro/ouro.h>
#include <stdio.h>

typedef ouro_object *value;
typedef struct lisp lisp;

/* clang-format off */
/* What a value is; K_RECORD stands for the types that programs make. */
typedef enum kind {
  K_RECORD, K_INT, K_FLOAT, K_STR, /* Ouro's; a symbol is an interned string */
  K_PAIR, K_VECTOR, K_CHAR, K_CONSTANT, K_CLOSURE, K_BUILTIN, K_ESCAPE, K_CONDITION,
  K_CELL, K_CODE, K_VARIABLE, /* of the compiler's */
  KINDS, K_SYMBOL = KINDS /* no type of its own: see is_kind */
} kind;

enum op { OP_CONST, OP_LOCAL, OP_LOCAL_BOX, OP_CAPTURED, OP_CAPTURED_BOX, OP_SELF, OP_GLOBAL,
          OP_SET_LOCAL, OP_SET_LOCAL_BOX, OP_SET_CAPTURED_BOX, OP_SET_GLOBAL, OP_DEFINE, OP_POP,
          OP_JUMP, OP_JUMP_FALSE, OP_NEW_BOX, OP_BOX_LOCAL, OP_CLOSURE,
          OP_CALL, OP_TAIL_CALL, OP_RETURN };
/* clang-format on */

/* --- Values (types.c) ------------------------------------------------------------------------- */

typedef struct pair {
  ouro_object object;
  value car, cdr;
  uint32_t line; /* where the reader met it; 0: nowhere */
} pair;

typedef struct vector {
  ouro_object object;
  size_t length;
  value items[];
} vector;

typedef struct character {
  ouro_object object;
  char text[5]; /* one code point of UTF-8 */
} character;

/* A global name: its value and its syntax (NULL: none). Or, without a name, the box of a variable
 * that is assigned and captured. content is NULL where there is no value yet. */
typedef struct cell {
  ouro_object object;
  value content, name, syntax;
} cell;

typedef struct instruction {
  uint16_t op, line;
  uint32_t at;
} instruction;

typedef struct code {
  ouro_object object;
  value name, file;
  ouro_list *constants;
  ouro_bytes *instructions;
  uint32_t parameters, captured, room; /* room: of stack that a call needs */
  bool rest;
} code;

typedef struct closure {
  ouro_object object;
  code *code;
  size_t length;
  value captured[];
} closure;

typedef struct builtin_spec builtin_spec;
typedef struct call { /* what a builtin gets; arguments are borrowed, its result is new */
  lisp *l;
  const builtin_spec *self;
  value *args;
  size_t n;
} call;

struct builtin_spec {
  const char *name;
  value (*fn)(call *c); /* NULL: apply, which the machine does */
  int min, max;         /* arguments; max -1: any number */
  int index;            /* for functions that serve several names */
};

typedef struct builtin {
  ouro_object object;
  const builtin_spec *spec;
} builtin;

typedef struct escape { /* what call/ec passes: which frame is to return */
  ouro_object object;
  size_t depth;
  uint64_t number;
} escape;

typedef struct condition {
  ouro_object object;
  value message, irritants, file, name;
  uint32_t line;
} condition;

/* --- The interpreter -------------------------------------------------------------------------- */

#define LISP_MAX_DEPTH 1500 /* of nested forms: what reader and compiler may recurse */
#define LISP_STACK 4000000  /* values, 32 MB of which only what is used takes memory */
#define LISP_FRAMES 1000000 /* calls that have not returned, 32 MB */
#define LISP_RESERVE 512    /* of both, kept for the handling of errors */

typedef struct frame { /* a call at work; its closure lies on the stack below `base` */
  closure *fn;
  const instruction *next;
  size_t base;
  uint64_t number; /* each call's own */
} frame;

struct lisp {
  ouro_heap *heap;
  FILE *out;
  ouro_type *type[KINDS];
  uint16_t index[KINDS];         /* ouro_object.type of each kind */
  value nil, yes, no, none, eof; /* (), #t, #f and the like: one object each */
  ouro_dict *globals;            /* symbol to cell */
  value *stack, *top;            /* every value in [stack, top) is a reference */
  frame *frames;
  size_t depth;       /* frames at work */
  uint64_t calls;     /* so far */
  value error;        /* pending, owned; NULL while a call fails: out of memory */
  condition *no_room; /* made beforehand, as there will be no memory for it then */
  value raise, write; /* of prelude.scm: what is called with an error, and what prints */
  value file;         /* what is being compiled, and where */
  uint32_t line;
  int nesting;
  bool fatal, reserve_used;
};

bool types_make(lisp *l);
static inline OURO_NEW void *make(lisp *l, kind k) { return ouro_new(l->type[k]); }
OURO_NEW value cons(lisp *l, OURO_STOLEN value car, OURO_STOLEN value cdr); /* NULL if one is */
OURO_NEW vector *vector_new(lisp *l, size_t length, value fill);
OURO_NEW value char_new(lisp *l, const char *text); /* its first one */
static inline OURO_NEW value int_new(lisp *l, int64_t i) {
  return OURO_OBJECT(ouro_int_new(l->heap, i));
}
OURO_NEW value symbol(lisp *l, const char *text);
OURO_BORROWED cell *cell_of(lisp *l, value symbol);
bool define_builtins(lisp *l, const builtin_spec *table, bool syntax);

static inline bool is(const lisp *l, value v, kind k) { return v->type == l->index[k]; }
static inline OURO_NEW value truth(const lisp *l, bool yes) {
  return ouro_ref(yes ? l->yes : l->no);
}
static inline bool is_symbol(const lisp *l, value v) {
  return is(l, v, K_STR) && ouro_str_is_interned((ouro_str *)(void *)v);
}
bool is_kind(const lisp *l, value v, kind k); /* knows strings from symbols, too */

#define CAR(v) (((pair *)(v))->car)
#define CDR(v) (((pair *)(v))->cdr)
#define VECTOR(v) ((vector *)(v))
#define STR(v) ((ouro_str *)(v))
#define INT(v) (((ouro_int *)(v))->value)
#define FLOAT(v) (((ouro_float *)(v))->value)
#define CHAR(v) (((character *)(v))->text)

int64_t list_length(const lisp *l, value list); /* -1: it does not end in () */
OURO_NEW value list_to_vector(lisp *l, value list);
bool eqv(const lisp *l, value a, value b);

/* --- Errors: one line of what and where (error.c) --------------------------------------------- */

/* Leaves a condition in l->error; `irritant` may be NULL. Returns NULL. */
OURO_COLD value fail(lisp *l, value irritant, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
OURO_NEW value condition_new(lisp *l, value message, OURO_STOLEN value irritants);
/* Where the error happened, unless that is known. */
void condition_place(lisp *l, value error, value file, value name, uint32_t line);
/* The pending error, or that memory has run out. Taken out of l. */
OURO_NEW value take_error(lisp *l);
void print_value(lisp *l, FILE *f, value v);
void print_error(lisp *l, FILE *f, value error);

/* For builtins: the argument is of the kind, or an error. */
bool need(call *c, size_t i, kind k);
bool need_index(call *c, size_t i, size_t limit, size_t *out);
bool need_list(call *c, size_t i);

typedef struct reader {
  lisp *l;
  const char *at, *end; /* *end == 0 */
  uint32_t line;
  int depth;
  bool incomplete; /* the text ended within a form */
} reader;
OURO_NEW value read_form(reader *r);  /* l->eof at the end */
size_t utf8_length(const char *text); /* bytes of the code point there */

/* --- The compiler ----------------------------------------------------------------------------- */

typedef struct variable {
  ouro_object object;
  value name;
  uint32_t level, slot; /* of the function that holds it, and where on the stack */
  uint8_t flags;        /* what is known of its use so far */
  bool boxed;
  bool ready; /* it has its value from here on */
} variable;

typedef struct unit { /* what is compiled at once: a form and all in it */
  ouro_list *all;     /* variables of the first pass, in order */
  size_t variables;   /* of the second pass so far */
  bool again;         /* this is the second pass */
} unit;

typedef struct function { /* whose code is being made */
  lisp *l;
  unit *unit;
  struct function *outer;
  instruction *code;
  size_t length, room;
  ouro_list *vars, *captures; /* captures: in the order of closure.captured */
  code *made;
  const variable *self; /* the variable that it is the value of, or NULL */
  uint32_t level, depth, most;
} function;

/* Compiles a form: `tail` says that its value is the function's. */
typedef bool (*compile_fn)(function *f, value form, bool tail);
extern const compile_fn special_forms[]; /* by index of their builtin_spec */
enum form { F_QUOTE, F_IF, F_BEGIN, F_SET, F_LAMBDA, F_DEFINE };

/* A procedure of no parameters that does what the form says. */
OURO_NEW closure *compile_form(lisp *l, value form);
bool compile(function *f, value form, bool tail);
bool compile_body(function *f, value forms);
/* `name` may be l->no; `self` is the variable that the function is the value of, or NULL. */
bool compile_lambda(function *f, value name, value lambda, const variable *self);
bool put(function *f, enum op op, size_t at);
bool push(function *f, enum op op, size_t at); /* where it leaves one value more */
bool push_indexed(function *f, enum op op, void *constant);
/* The index of v in a list, added where it is new; SIZE_MAX: no memory. */
size_t index_in(ouro_list *list, void *v);
OURO_BORROWED variable *add_variable(function *f, value name, bool ready); /* or an error */
OURO_BORROWED variable *own_variable(const function *f, value name);
OURO_BORROWED variable *find_variable(const function *f, value name); /* or around it */
bool store_variable(function *f, variable *v, bool first);
/* The macro or special form that the form's head names, NULL: none. */
OURO_BORROWED value syntax_of(const function *f, value form);
/* Expands macros at the head of the form until there is none. */
OURO_NEW value expand_head(const function *f, value form);

/* --- The machine and the whole ---------------------------------------------------------------- */

OURO_NEW closure *closure_new(lisp *l, code *c);
/* Calls a procedure, with one argument if it is not NULL, while no other runs. */
OURO_NEW value vm_run(lisp *l, value fn, value argument);
void vm_roots(void *ctx, ouro_visit_fn visit, void *arg);
bool escape_is_live(const lisp *l, const escape *k);

/* An interpreter in the heap, with its prelude. NULL: out of memory. */
lisp *lisp_new(ouro_heap *heap, FILE *out);
void lisp_free(lisp *l); /* drops all it holds */
/* Evaluates all forms of the text: the last one's value. NULL: the error is in l->error. */
OURO_NEW value lisp_eval(reader *r);
bool lisp_run(lisp *l, const char *name, const char *text, size_t length);
bool lisp_load(lisp *l, const char *path);

extern const builtin_spec builtins_special[], builtins_data[], builtins_numbers[],
    builtins_system[];
extern const char lisp_prelude[];

char *readline(const char *prompt); /* of libedit, or of line_plain.c */
int add_history(const char *line);

#endif
