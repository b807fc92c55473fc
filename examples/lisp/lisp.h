/* SPDX-License-Identifier: MIT */
/*
 * A small Scheme whose every value is an Ouro object. Read it as a tutorial, in this order:
 *
 *     types.c    what the objects are: the reference fields are declared, Ouro does the rest
 *     read.c     text to objects, and how each failure is passed on
 *     macro.c    syntax-rules
 *     analyse.c  forms to trees with variables in place of names, special.c the special forms
 *     emit.c     trees to instructions
 *     vm.c       the machine: where its references are, and what it tells the collector
 *
 * Ownership is written as in <ouro/object.h>. A function that fails returns NULL (or false) and
 * leaves in `lisp.error` what the program will see; where it is NULL, memory has run out. So
 * `return OURO_OBJECT(ouro_int_new(...))` is complete error handling.
 */
#ifndef LISP_H
#define LISP_H

#include <ouro/ouro.h>
#include <stdio.h>

typedef ouro_object *value;
typedef struct lisp lisp;
typedef struct scope scope;

/* What a value is; K_RECORD is every type that is not one of the others. */
typedef enum kind {
  K_RECORD,
  K_INT,
  K_FLOAT,
  K_STR,
  K_PAIR,
  K_VECTOR,
  K_CHAR,
  K_CONSTANT,
  K_BOX,
  K_CELL,
  K_CODE,
  K_CLOSURE,
  K_BUILTIN,
  K_ESCAPE,
  K_CONDITION,
  K_RECORD_TYPE,
  K_ALIAS,
  K_MACRO,
  K_SPECIAL,
  K_VARIABLE,
  K_NODE,
  KINDS
} kind;

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
  uint32_t code;
} character;

typedef struct constant { /* #t, #f, () and the like: one object each, compared by address */
  ouro_object object;
  const char *text;
} constant;

typedef struct box { /* of a variable that is assigned and captured; NULL: not yet defined */
  ouro_object object;
  value content;
} box;

typedef struct cell { /* a global name: its value (NULL: unbound) and its syntax (NULL: none) */
  ouro_object object;
  value name, content, syntax;
} cell;

typedef struct instruction {
  uint8_t op, count;
  uint16_t line;
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

typedef struct builtin builtin;
typedef struct call { /* what a builtin gets; arguments are borrowed, its result is new */
  lisp *l;
  const builtin *self;
  value *args;
  size_t n;
} call;
typedef value (*builtin_fn)(call *c);

typedef struct builtin_spec {
  const char *name;
  builtin_fn fn;
  int8_t min, max; /* arguments; max -1: any number */
  uint8_t fast;    /* of enum fast */
  uint32_t index;  /* for functions that serve several names */
} builtin_spec;

struct builtin {
  ouro_object object;
  builtin_spec spec;
  value name, data;
};

/* Builtins that the machine does in place where their arguments are of the usual kinds. */
enum fast {
  F_NONE,
  F_APPLY,
  F_CAR,
  F_CDR,
  F_CONS,
  F_NULL,
  F_PAIR,
  F_NOT,
  F_EQ,
  F_VECTOR_REF,
  F_ADD,
  F_SUB,
  F_EQUAL,
  F_LESS,
  F_GREATER,
  F_LESS_EQUAL,
  F_GREATER_EQUAL
};

typedef struct escape escape;
struct escape { /* what call/ec passes: where to return to, for as long as `live` */
  ouro_object object;
  escape *outer;
  value handlers, winds;
  size_t depth;
  bool live;
};

typedef struct condition {
  ouro_object object;
  value message, irritants, file, name;
  uint32_t line;
} condition;

typedef struct record_type {
  ouro_object object;
  ouro_type *type; /* lives as long as the heap */
  uint16_t index;  /* what its records have in ouro_object.type */
} record_type;

typedef struct alias { /* an identifier that a macro introduced: the same name, another identity */
  ouro_object object;
  value name;
} alias;

typedef struct macro {
  ouro_object object;
  value literals, rules;
} macro;

typedef value (*special_fn)(lisp *l, value form, scope *s);
typedef struct special {
  ouro_object object;
  special_fn analyse;
} special;

/* --- The interpreter -------------------------------------------------------------------------- */

#define LISP_KINDS 64          /* type indexes that are looked up; own types are among the first */
#define LISP_MAX_DEPTH 1500    /* of nested forms: what reader and compiler may recurse */
#define LISP_MAX_STACK 8000000 /* values on the stack: 64 MB, about two million calls */
#define LISP_RESERVE 512       /* values on the stack kept for the handling of errors */

typedef struct frame { /* a call at work; its closure lies on the stack below `base` */
  closure *fn;
  const instruction *next;
  size_t base;
} frame;

struct lisp {
  ouro_heap *heap;
  FILE *out;
  ouro_type *type[KINDS];
  uint16_t index[KINDS];     /* ouro_object.type of each kind */
  uint8_t kinds[LISP_KINDS]; /* the kind of each such index */
  value nil, yes, no, none, eof, undefined;
  ouro_dict *globals; /* symbol to cell */
  value *stack, *top; /* every value in [stack, top) is a reference */
  size_t stack_room;
  frame *frames;
  size_t depth, frames_room;
  value error;        /* pending, owned; NULL while a call fails: out of memory */
  condition *no_room; /* made beforehand, as there will be no memory for it then */
  value handlers, winds, raise, rewind;
  escape *escapes; /* innermost first */
  value file;      /* what is being compiled */
  uint32_t line;
  int nesting;
  bool fatal, exiting, reserve_used;
  int status;
};

/* Types and constructors. `make` returns a zeroed object of a fixed-size kind. */
bool types_make(lisp *l);
static inline OURO_NEW void *make(lisp *l, kind k) { return ouro_new(l->type[k]); }
OURO_NEW value char_new(lisp *l, uint32_t code);
vector *vector_new(lisp *l, size_t length, value fill);

/* Takes both references; NULL where one of them is NULL. */
OURO_NEW value cons(lisp *l, OURO_STOLEN value car, OURO_STOLEN value cdr);
OURO_NEW value cons_ref(lisp *l, value car, value cdr);

static inline kind kind_of(const lisp *l, value v) {
  return v->type < LISP_KINDS ? (kind)l->kinds[v->type] : K_RECORD;
}
static inline bool is(const lisp *l, value v, kind k) { return v->type == l->index[k]; }
static inline value truth(const lisp *l, bool yes) { return yes ? l->yes : l->no; }
static inline bool is_symbol(const lisp *l, value v) {
  return is(l, v, K_STR) && ouro_str_is_interned((ouro_str *)(void *)v);
}
static inline bool is_string(const lisp *l, value v) { return is(l, v, K_STR) && !is_symbol(l, v); }
static inline bool is_identifier(const lisp *l, value v) {
  return is(l, v, K_ALIAS) || is_symbol(l, v);
}

/* The name that an identifier stands for. */
static inline value bare(const lisp *l, value id) {
  while (is(l, id, K_ALIAS)) id = ((alias *)(void *)id)->name;
  return id;
}

#define PAIR(v) ((pair *)(void *)(v))
#define CAR(v) (PAIR(v)->car)
#define CDR(v) (PAIR(v)->cdr)
#define VECTOR(v) ((vector *)(void *)(v))
#define STR(v) ((ouro_str *)(void *)(v))
#define INT(v) (((ouro_int *)(void *)(v))->value)
#define FLOAT(v) (((ouro_float *)(void *)(v))->value)

OURO_NEW value symbol(lisp *l, const char *text);
OURO_BORROWED cell *cell_of(lisp *l, value symbol);
bool define(lisp *l, const char *name, value content);
bool define_builtins(lisp *l, const builtin_spec *specs);
OURO_NEW value builtin_new(lisp *l, const builtin_spec *spec, value name, value data);

/* Lists: the length, -1 where it does not end in (). */
int64_t list_length(const lisp *l, value list);
/* Puts `item` (taken) behind *last, the last pair of *list. Both NULL: a new list. */
bool list_add(lisp *l, value *list, value *last, OURO_STOLEN value item);
OURO_NEW value list_to_vector(lisp *l, value list);
OURO_NEW value vector_to_list(lisp *l, const vector *v, size_t from, size_t to);
bool eqv(const lisp *l, value a, value b);

/* --- Errors: one line of what and where (error.c) --------------------------------------------- */

/* Leaves a condition in l->error; `irritant` may be NULL. Returns NULL. */
OURO_COLD value fail(lisp *l, value irritant, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
OURO_NEW value condition_new(lisp *l, value message, OURO_STOLEN value irritants);
/* Where it happened, unless that is known. */
void condition_place(lisp *l, value error, value file, value name, uint32_t line);
/* The pending error, or that memory has run out. Taken out of l. */
OURO_NEW value take_error(lisp *l);
void print_error(lisp *l, FILE *f, value error);

/* --- From text to a result -------------------------------------------------------------------- */

typedef struct reader {
  lisp *l;
  const char *at, *end; /* *end == 0 */
  uint32_t line;
  int depth;
  bool incomplete; /* the text ended within a form */
} reader;
/* The next form, l->eof at the end. */
OURO_NEW value read_form(reader *r);
OURO_NEW value parse_number(lisp *l, const char *text, size_t length, int base, bool *is_number);

uint32_t utf8_decode(const char *text, size_t length);
size_t utf8_encode(uint32_t code, char *out); /* up to 4 bytes */

void print(lisp *l, FILE *f, value v, bool quoted);

/* Expands the form by the macro; it is not expanded further. */
OURO_NEW value macro_expand(lisp *l, macro *m, value form);
/* Names in place of what macros introduced, in data. */
OURO_NEW value strip(lisp *l, value form);

/* A tree of the program. `datum`: by kind, below. `vars`: of N_LAMBDA, N_LET and N_BODY. */
typedef enum node_kind {
  N_CONST,  /* datum: the value */
  N_LOCAL,  /* datum: variable */
  N_GLOBAL, /* datum: cell */
  N_SET,    /* datum: variable or cell; items: value */
  N_INIT,   /* the same, where a body defines its variable */
  N_DEFINE, /* datum: cell; items: value */
  N_IF,     /* items: test, then, else */
  N_OR,     /* items: two */
  N_SEQ,
  N_LAMBDA, /* datum: name; self: the variable it is the value of; items: body */
  N_LET,    /* items: values, body */
  N_BODY,   /* items: forms of which some are N_INIT */
  N_CALL    /* items: function, arguments */
} node_kind;

typedef struct variable {
  ouro_object object;
  value name;
  bool assigned, captured; /* by set!; by a closure */
  bool ready, early;       /* it has its value from here on; something may look at it before */
  uint32_t level, slot;    /* of the code that holds it, and where on the stack */
} variable;

typedef struct node {
  ouro_object object;
  value datum;
  ouro_list *vars;
  variable *self;
  uint32_t line;
  uint8_t kind;
  bool rest;
  size_t length;
  value items[];
} node;

struct scope { /* on the C stack while forms are analysed */
  scope *outer;
  ouro_list *vars;
  variable *self; /* boundary: the variable that the function is the value of, or NULL */
  bool boundary;  /* the parameters of a function */
};

OURO_NEW value analyse(lisp *l, value form, scope *s);
OURO_NEW value analyse_body(lisp *l, value forms, scope *s);
/* `name` may be l->no. */
OURO_NEW value analyse_lambda(lisp *l, value name, value params, value forms, scope *s,
                              variable *self);
OURO_NEW node *node_new(lisp *l, node_kind k, OURO_STOLEN value datum, size_t items);
/* node->items[i] = item; false where it is NULL. */
static inline bool node_set(node *n, size_t i, OURO_STOLEN value item) {
  return (n->items[i] = item) != NULL;
}
variable *scope_add(lisp *l, scope *s, value name);
OURO_BORROWED variable *scope_find(scope *s, value id);
OURO_NEW value reference(lisp *l, value id, scope *s);
/* The macro or special form that the form's head names, NULL: none. */
OURO_BORROWED value syntax_of(lisp *l, value form, scope *s);
/* Expands macros at the head of the form until there is none. */
OURO_NEW value expand_head(lisp *l, value form, scope *s);
bool specials_make(lisp *l);
value special_begin(lisp *l, value form, scope *s);
value special_define(lisp *l, value form, scope *s);

/* Instructions for a tree of no parameters. */
OURO_NEW code *emit_code(lisp *l, value tree);

enum op {
  OP_CONST,
  OP_LOCAL,
  OP_LOCAL_BOX,
  OP_CAPTURED,
  OP_CAPTURED_BOX,
  OP_SELF,
  OP_GLOBAL,
  OP_SET_LOCAL,
  OP_SET_LOCAL_BOX,
  OP_SET_CAPTURED_BOX,
  OP_SET_GLOBAL,
  OP_DEFINE,
  OP_POP,
  OP_SLIDE,
  OP_JUMP,
  OP_JUMP_FALSE,
  OP_JUMP_OR,
  OP_NEW_BOX,
  OP_BOX_LOCAL,
  OP_CLOSURE,
  OP_CALL,
  OP_TAIL_CALL,
  OP_PRIMITIVE,
  OP_RETURN
};

OURO_NEW value vm_run(lisp *l, code *program);
void vm_roots(void *ctx, ouro_visit_fn visit, void *arg);
void escape_end(lisp *l); /* of the innermost one */
OURO_NEW value builtin_call(lisp *l, const builtin *b, value *args, size_t n);

/* --- The whole (lisp.c) ----------------------------------------------------------------------- */

/* An interpreter in the heap, with its prelude. NULL: out of memory. */
lisp *lisp_new(ouro_heap *heap, FILE *out);
/* Drops all it holds. */
void lisp_free(lisp *l);
/* Evaluates all forms of the text. The last one's value, or NULL: the error is in l->error. `r` may
 * be looked at for `incomplete`. */
OURO_NEW value lisp_eval(reader *r);
bool lisp_run(lisp *l, const char *name, const char *text, size_t length);
bool lisp_load(lisp *l, const char *path);

extern const builtin_spec builtins_numbers[], builtins_lists[], builtins_text[], builtins_system[],
    builtins_vectors[];
extern const char lisp_prelude[];

/* For builtins: the argument is of the kind, or an error. */
bool need(call *c, size_t i, kind k);
bool need_index(call *c, size_t i, size_t limit, size_t *out);
bool need_string(call *c, size_t i);
bool need_symbol(call *c, size_t i);

#endif
