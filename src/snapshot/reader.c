/* SPDX-License-Identifier: MIT */
/*
 * The file is mapped and read twice: the first time to check it and to count, the second time to
 * fill tables that are exactly as large as needed, in one mapping behind the struct.
 */
#include "reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crc32.h"
#include "../os/os.h"

typedef struct fact {
  snapshot_text key, value;
} fact;

/* Entries by address: a slot has the low bits of its hash above the entry's place, 0: free. The
 * place is a block's number and the offset in its payload, which begins with the block's base. */
typedef struct text_table {
  uint64_t *slots, count;
} text_table;

struct snapshot {
  const uint8_t *file;
  size_t size;
  bool complete;
  snapshot_totals totals;
  size_t fact_count, block_count, text_block_count, content_count;

  /* The tables. */
  uint64_t *blocks;      /* of objects: where their heads are */
  uint64_t *text_blocks; /* of texts and contents: where their payloads are */
  fact *facts;
  snapshot_type *types;
  snapshot_text *names;
  snapshot_root *roots;
  text_table texts, contents;
  uint64_t text_seed;
  size_t memory; /* bytes of this struct and its tables */
};

#define TEXT_PLACE_BITS 48
#define TEXT_OFFSET_BITS 20
#define TEXT_BLOCKS_MOST ((uint64_t)1 << (TEXT_PLACE_BITS - TEXT_OFFSET_BITS))
OURO_STATIC_ASSERT(SNAPSHOT_BLOCK_MAX <= 1u << TEXT_OFFSET_BITS, "an entry begins before the end");
#define TEXT_PLACE(slot) ((slot) & (((uint64_t)1 << TEXT_PLACE_BITS) - 1))
#define TEXTS_MOST ((uint64_t)UINT32_MAX / 2)

/* One reading of the file. */
typedef struct reading {
  snapshot *s;
  bool fill; /* the second one: what is counted is put into the tables too */
  snapshot_totals found, claimed;
  size_t facts, blocks, text_blocks, contents, object_bytes;
  bool ended;

  /* The payload that is read. */
  const uint8_t *payload, *at, *end;
  uint64_t base;      /* of texts and contents, divided */
  const char *damage; /* what is wrong */
} reading;

/* ---- payloads ---- */

static void damage(reading *r, const char *what) {
  if (!r->damage) r->damage = what;
  r->at = r->end;
}

/* Whether a table that was made after the first reading has room for the n-th entry. */
static bool fits(reading *r, uint64_t n, uint64_t entries) {
  if (r->fill && n >= entries) damage(r, "it changed meanwhile");
  return r->fill && n < entries;
}

static uint64_t take_number(reading *r) {
  uint64_t value = 0;
  if (!varint_get(&r->at, r->end, &value)) damage(r, "a number does not end");
  return value;
}

static uint64_t take_below(reading *r, uint64_t limit, const char *what) {
  uint64_t value = take_number(r);
  if (value < limit) return value;
  damage(r, what);
  return 0;
}

static uint64_t take_address(reading *r) {
  return SNAPSHOT_GRAIN * take_below(r, CURSOR_ADDRESS_END, "no address is that large");
}

static snapshot_text take_text(reading *r) {
  uint64_t length = take_number(r);
  if (length > (uint64_t)(r->end - r->at)) {
    damage(r, "a text does not end");
    return (snapshot_text){NULL, 0};
  }
  snapshot_text text = {(const char *)r->at, (uint32_t)length};
  r->at += length;
  return text;
}

static void read_fact(reading *r) {
  snapshot_text key = take_text(r), value = take_text(r);
  size_t n = r->facts++;
  if (fits(r, n, r->s->fact_count)) r->s->facts[n] = (fact){key, value};
}

static void read_type(reading *r) {
  snapshot_type type;
  uint64_t id = take_number(r);
  type.kind = (snapshot_type_kind)take_below(r, SNAPSHOT_TYPE_KINDS, "no such kind of type");
  type.flags = (uint32_t)take_below(r, (uint64_t)UINT32_MAX + 1, "no such flags of a type");
  type.address = take_address(r);
  type.size = take_number(r);
  type.name = take_text(r);
  r->found.types++;
  if (!r->fill) return;
  if (id >= r->s->totals.types || r->s->types[id].name.text) damage(r, "types are misnumbered");
  else r->s->types[id] = type;
}

static void read_name(reading *r) {
  uint64_t id = take_number(r);
  snapshot_text name = take_text(r);
  r->found.names++;
  if (!r->fill) return;
  if (id >= r->s->totals.names || r->s->names[id].text) damage(r, "names are misnumbered");
  else r->s->names[id] = name;
}

static void read_root(reading *r) {
  snapshot_root root;
  root.kind = (snapshot_root_kind)take_below(r, SNAPSHOT_ROOT_KINDS, "no such kind of root");
  root.target = take_address(r);
  root.text = take_text(r);
  uint64_t n = r->found.roots++;
  if (fits(r, n, r->s->totals.roots)) r->s->roots[n] = root;
}

static void read_end(reading *r) {
  snapshot_totals *t = &r->claimed;
  uint64_t *totals[] = {&t->objects, &t->edges, &t->types, &t->names, &t->texts, &t->roots};
  for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) *totals[i] = take_number(r);
  if (r->at != r->end) damage(r, "the end block is too long");
  r->ended = true;
}

/* ---- the tables of texts and contents, which are laid out alike ---- */

static uint64_t text_hash(const snapshot *s, uint64_t address) {
  uint64_t hash = address / SNAPSHOT_GRAIN * s->text_seed;
  return (hash ^ hash >> 32) * 0x9E3779B97F4A7C15u;
}

static uint64_t text_home(const text_table *table, uint64_t hash) {
  return (hash >> 32) * table->count >> 32;
}

static uint64_t take_from_base(reading *r) {
  uint64_t address = r->base + varint_unfold(take_number(r));
  if (address >= CURSOR_ADDRESS_END) damage(r, "no address is that large");
  return SNAPSHOT_GRAIN * address;
}

/* Reads the entry at a place that was checked once. */
static uint64_t text_at(const snapshot *s, uint64_t place, uint64_t *kind, snapshot_text *text) {
  const uint8_t *payload = s->file + s->text_blocks[place >> TEXT_OFFSET_BITS];
  reading r = {.at = payload, .end = s->file + s->size};
  r.base = take_number(&r);
  r.at = payload + place % (1u << TEXT_OFFSET_BITS);
  uint64_t address = take_from_base(&r);
  *kind = take_number(&r);
  *text = take_text(&r);
  return address;
}

/* The slot of an address's entry, or the free one where it belongs. */
static uint64_t *find_text(const snapshot *s, const text_table *table, uint64_t address,
                           uint64_t hash) {
  uint64_t kind;
  snapshot_text text;
  for (uint64_t i = text_home(table, hash);; i = i + 1 == table->count ? 0 : i + 1) {
    uint64_t slot = table->slots[i];
    if (slot == 0) return &table->slots[i];
    if ((slot ^ hash << TEXT_PLACE_BITS) >> TEXT_PLACE_BITS) continue;
    if (text_at(s, TEXT_PLACE(slot), &kind, &text) == address) return &table->slots[i];
  }
}

/* Of several of one address the first stays. */
static void enter_text(const snapshot *s, const text_table *table, uint64_t address,
                       uint64_t place) {
  uint64_t hash = text_hash(s, address), *slot = find_text(s, table, address, hash);
  if (*slot == 0) *slot = hash << TEXT_PLACE_BITS | place;
}

static void begin_texts(reading *r) {
  size_t n = r->text_blocks++;
  r->base = take_below(r, CURSOR_ADDRESS_END, "no address is that large");
  if (fits(r, n, r->s->text_block_count))
    r->s->text_blocks[n] = (uint64_t)(r->payload - r->s->file);
}

/* Of the entry that is read next. */
static uint64_t text_place(const reading *r) {
  return (r->text_blocks - 1) << TEXT_OFFSET_BITS | (uint64_t)(r->at - r->payload);
}

static void read_text(reading *r) {
  uint64_t place = text_place(r), address = take_from_base(r);
  take_below(r, SNAPSHOT_TEXT_KINDS, "no such kind of text");
  take_text(r);
  if (fits(r, r->found.texts++, r->s->totals.texts)) enter_text(r->s, &r->s->texts, address, place);
}

static void read_content(reading *r) {
  uint64_t place = text_place(r), address = take_from_base(r);
  take_number(r); /* a form, which may be a later writer's */
  take_text(r);
  if (fits(r, r->contents++, r->s->content_count))
    enter_text(r->s, &r->s->contents, address, place);
}

/* Whether there is one; `kind` and `text` are set then. */
static bool look_up(const snapshot *s, const text_table *table, uint64_t address, uint64_t *kind,
                    snapshot_text *text) {
  const uint64_t *slot = find_text(s, table, address, text_hash(s, address));
  if (*slot == 0) return false;
  text_at(s, TEXT_PLACE(*slot), kind, text);
  return true;
}

/* ---- blocks ---- */

static void read_objects(reading *r) {
  size_t n = r->blocks++;
  r->object_bytes += (size_t)(r->end - r->at);
  if (fits(r, n, r->s->block_count))
    r->s->blocks[n] = (uint64_t)(r->at - r->s->file) - sizeof(snapshot_block);
  r->at = r->end;
}

static void read_payload(reading *r, uint32_t kind) {
  static void (*const read[])(reading *) = {
      [SNAPSHOT_FACTS] = read_fact, [SNAPSHOT_TYPES] = read_type,
      [SNAPSHOT_NAMES] = read_name, [SNAPSHOT_OBJECTS] = read_objects,
      [SNAPSHOT_TEXTS] = read_text, [SNAPSHOT_ROOTS] = read_root,
      [SNAPSHOT_END] = read_end,    [SNAPSHOT_CONTENTS] = read_content,
  };
  if (kind == 0 || kind >= SNAPSHOT_BLOCK_KINDS) return; /* of a later writer */
  if ((kind == SNAPSHOT_TEXTS || kind == SNAPSHOT_CONTENTS) && r->at < r->end) begin_texts(r);
  while (r->at < r->end) read[kind](r);
}

static bool all_zero(const uint8_t *at, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    if (at[i]) return false;
  return true;
}

static snapshot_block block_head(const uint8_t *at) {
  return (snapshot_block){varint_fixed32(at), varint_fixed32(at + 4), varint_fixed32(at + 8),
                          varint_fixed32(at + 12)};
}

static size_t block_padding(size_t length) { return (0 - length) % 8; }

/* NULL, or what is wrong with a block that lies in the file. */
static const char *check_block(const crc32_table *table, const uint8_t *at, snapshot_block b) {
  const uint8_t *payload = at + sizeof b;
  uint32_t crc = crc32_of(table, crc32_of(table, 0, at, 8), payload, b.length);
  if (crc != b.crc32) return "a checksum does not match";
  if (b.zero || !all_zero(payload + b.length, block_padding(b.length))) return "a gap is not zero";
  return NULL;
}

/* Reads the block at `place`; the place of the next one, or 0: the file ends within it. */
static size_t read_block(reading *r, const crc32_table *table, size_t place) {
  const snapshot *s = r->s;
  if (r->ended) return damage(r, "something follows the end block"), place;
  if (s->size - place < sizeof(snapshot_block)) return 0;
  snapshot_block b = block_head(s->file + place);
  size_t whole = sizeof b + b.length + block_padding(b.length);
  if (b.length > SNAPSHOT_BLOCK_MAX) return damage(r, "no block is that long"), place;
  if (s->size - place < whole) return 0;
  const char *wrong = r->fill ? NULL : check_block(table, s->file + place, b);
  if (wrong) return damage(r, wrong), place;
  r->payload = r->at = s->file + place + sizeof b;
  r->end = r->at + b.length;
  read_payload(r, b.kind);
  return place + whole;
}

OURO_COLD static bool say(char why[SNAPSHOT_WHY], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool say(char why[SNAPSHOT_WHY], const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(why, SNAPSHOT_WHY, format, arguments);
  va_end(arguments);
  return false;
}

static bool read_blocks(reading *r, const crc32_table *table, char why[SNAPSHOT_WHY]) {
  size_t place = sizeof(snapshot_header), next;
  for (; place < r->s->size && !r->damage; place = next) {
    next = read_block(r, table, place);
    if (r->damage) return say(why, "damaged at byte %zu: %s", place, r->damage);
    if (next == 0) break;
  }
  return true;
}

/* ---- the file as a whole ---- */

static bool check_header(const snapshot *s, char why[SNAPSHOT_WHY]) {
  const size_t magic = sizeof SNAPSHOT_MAGIC - 1;
  if (s->size < sizeof(snapshot_header) || memcmp(s->file, SNAPSHOT_MAGIC, magic) != 0)
    return say(why, "not a snapshot of Ouro");
  uint32_t version = varint_fixed32(s->file + magic);
  if (version > SNAPSHOT_VERSION)
    return say(why, "written by a later Ouro (format %u, this one reads up to %d): use that one",
               version, SNAPSHOT_VERSION);
  if (version == 0 || varint_fixed32(s->file + magic + 4) != 0)
    return say(why, "damaged at byte %zu: no such version", magic);
  return true;
}

/* What the end block says against what was found. An object has three bytes, an edge one, or
 * more. */
static bool check_totals(const reading *r, char why[SNAPSHOT_WHY]) {
  const snapshot_totals *said = &r->claimed, *found = &r->found;
  if (said->types != found->types || said->names != found->names || said->texts != found->texts ||
      said->roots != found->roots || said->objects > r->object_bytes / 3 ||
      said->edges > r->object_bytes)
    return say(why, "damaged: blocks are missing, the end block counts more or less than there is");
  return true;
}

static bool check_count(const reading *r, char why[SNAPSHOT_WHY]) {
  if (r->found.types >= UINT32_MAX || r->found.texts > TEXTS_MOST || r->contents > TEXTS_MOST ||
      r->text_blocks > TEXT_BLOCKS_MOST)
    return say(why, "too many types or texts");
  return true;
}

static void *next_table(uintptr_t *at, size_t count, size_t size) {
  void *table = (void *)*at;
  *at += (count * size + 15) & ~(size_t)15;
  return table;
}

/* Places the tables behind the struct, which is at `from`; how far they reach from there. */
static size_t place_tables(snapshot *s, uintptr_t from) {
  uintptr_t at = from;
  (void)next_table(&at, 1, sizeof *s);
  s->blocks = next_table(&at, s->block_count, sizeof *s->blocks);
  s->text_blocks = next_table(&at, s->text_block_count, sizeof *s->text_blocks);
  s->facts = next_table(&at, s->fact_count, sizeof *s->facts);
  s->types = next_table(&at, s->totals.types, sizeof *s->types);
  s->names = next_table(&at, s->totals.names, sizeof *s->names);
  s->roots = next_table(&at, s->totals.roots, sizeof *s->roots);
  s->texts.slots = next_table(&at, s->texts.count, sizeof *s->texts.slots);
  s->contents.slots = next_table(&at, s->contents.count, sizeof *s->contents.slots);
  return at - from;
}

static snapshot *make_tables(const snapshot *counted) {
  snapshot measured = *counted;
  size_t size = os_whole_pages(place_tables(&measured, 0));
  snapshot *s = os_map(size);
  if (!s) return NULL;
  *s = *counted;
  s->memory = size;
  place_tables(s, (uintptr_t)s);
  return s;
}

/* Objects and edges of a file without an end block. */
static bool count_objects(snapshot *s, char why[SNAPSHOT_WHY]) {
  snapshot_cursor c = {0};
  snapshot_edge edge;
  bool good = true;
  for (size_t block = 0; good && block < s->block_count; block++) {
    if (!cursor_begin(&c, s, block)) return say(why, "out of memory");
    while (cursor_object(&c)) {
      s->totals.objects += !c.object.more;
      while (cursor_edge(&c, &edge)) s->totals.edges++;
    }
    good = !c.damaged;
    if (!good) say(why, "damaged at byte %zu: an object cannot be read", (size_t)s->blocks[block]);
  }
  cursor_finish(&c);
  return good;
}

static bool fill_tables(snapshot *s, char why[SNAPSHOT_WHY]) {
  reading second = {.s = s, .fill = true};
  return read_blocks(&second, NULL, why) && (s->complete || count_objects(s, why));
}

/* Some are always free, so that a search comes to an end. */
static uint64_t text_slots(uint64_t entries) { return entries * 7 / 5 + 2; }

static void set_totals(snapshot *s, const reading *first) {
  s->complete = first->ended;
  s->totals = first->found;
  if (first->ended) s->totals = first->claimed;
  s->fact_count = first->facts;
  s->block_count = first->blocks;
  s->text_block_count = first->text_blocks;
  s->content_count = first->contents;
  s->texts.count = text_slots(first->found.texts);
  s->contents.count = text_slots(first->contents);
  s->text_seed = os_random() | 1;
}

static snapshot *read_snapshot(snapshot *counted, char why[SNAPSHOT_WHY]) {
  crc32_table table;
  reading first = {.s = counted};
  crc32_make(&table);
  if (!check_header(counted, why) || !read_blocks(&first, &table, why)) return NULL;
  if (!check_count(&first, why) || (first.ended && !check_totals(&first, why))) return NULL;
  set_totals(counted, &first);
  snapshot *s = make_tables(counted);
  if (!s) return say(why, "out of memory"), NULL;
  if (fill_tables(s, why)) return s;
  os_release(s, s->memory);
  return NULL;
}

snapshot *snapshot_open(const char *path, char why[SNAPSHOT_WHY]) {
  snapshot counted = {0};
  const void *file = NULL;
  int error = os_map_file(path, &file, &counted.size);
  if (error) return say(why, "cannot be read: %s", strerror(error)), NULL;
  counted.file = file;
  snapshot *s = read_snapshot(&counted, why);
  if (!s) os_unmap_file(file, counted.size);
  return s;
}

void snapshot_close(snapshot *s) {
  if (!s) return;
  os_unmap_file(s->file, s->size);
  os_release(s, s->memory);
}

/* ---- questions ---- */

bool snapshot_complete(const snapshot *s) { return s->complete; }

snapshot_totals snapshot_count(const snapshot *s) { return s->totals; }

uint64_t snapshot_file_bytes(const snapshot *s) { return s->size; }

void snapshot_forget(const snapshot *s) { os_purge((void *)(uintptr_t)s->file, s->size); }

bool snapshot_nth_fact(const snapshot *s, size_t n, snapshot_text *key, snapshot_text *value) {
  if (n >= s->fact_count) return false;
  *key = s->facts[n].key;
  *value = s->facts[n].value;
  return true;
}

snapshot_text snapshot_fact(const snapshot *s, const char *key) {
  size_t length = strlen(key);
  for (size_t i = 0; i < s->fact_count; i++) {
    snapshot_text k = s->facts[i].key;
    if (k.length == length && memcmp(k.text, key, length) == 0) return s->facts[i].value;
  }
  return (snapshot_text){NULL, 0};
}

uint64_t snapshot_number(const snapshot *s, const char *key, uint64_t otherwise) {
  snapshot_text value = snapshot_fact(s, key);
  uint64_t number = 0;
  for (uint32_t i = 0; i < value.length; i++) {
    unsigned digit = (unsigned)(uint8_t)value.text[i] - '0';
    if (digit > 9 || number > (UINT64_MAX - digit) / 10) return otherwise;
    number = number * 10 + digit;
  }
  return value.length ? number : otherwise;
}

snapshot_type snapshot_type_of(const snapshot *s, uint32_t id) {
  return id < s->totals.types ? s->types[id] : (snapshot_type){0};
}

snapshot_text snapshot_name(const snapshot *s, uint64_t id) {
  return id < s->totals.names ? s->names[id] : (snapshot_text){NULL, 0};
}

snapshot_root snapshot_nth_root(const snapshot *s, size_t n) {
  return n < s->totals.roots ? s->roots[n] : (snapshot_root){0};
}

bool snapshot_text_of(const snapshot *s, uint64_t address, snapshot_text_kind *kind,
                      snapshot_text *text) {
  uint64_t number;
  if (!look_up(s, &s->texts, address, &number, text)) return false;
  *kind = (snapshot_text_kind)number;
  return true;
}

bool snapshot_content_of(const snapshot *s, uint64_t address, snapshot_content *content) {
  uint64_t number;
  if (!look_up(s, &s->contents, address, &number, &content->text)) return false;
  uint64_t form = number & ~(uint64_t)SNAPSHOT_CONTENT_CUT;
  bool known = form > 0 && form < SNAPSHOT_CONTENT_FORMS;
  content->form = known ? (snapshot_content_form)form : SNAPSHOT_CONTENT_WORD;
  content->cut = (number & SNAPSHOT_CONTENT_CUT) != 0;
  return true;
}

bool snapshot_holds_contents(const snapshot *s) {
  snapshot_text said = snapshot_fact(s, "values");
  return s->content_count > 0 || (said.length == 3 && memcmp(said.text, "yes", 3) == 0);
}

size_t snapshot_object_blocks(const snapshot *s) { return s->block_count; }

/* ---- cursors ---- */

static bool make_room_for_types(snapshot_cursor *c, uint32_t types) {
  if (types <= c->types_room) return true;
  cursor_finish(c);
  c->last = os_map(os_whole_pages(types * sizeof *c->last));
  if (c->last) c->types_room = types;
  return c->last != NULL;
}

bool cursor_begin(snapshot_cursor *c, const snapshot *s, size_t block) {
  uint32_t types = (uint32_t)s->totals.types, begun = c->begun + 1;
  if (!make_room_for_types(c, types)) return false;
  *c = (snapshot_cursor){.from = s, .last = c->last, .types_room = c->types_room};
  c->types = types;
  c->begun = begun;
  if (block >= s->block_count) return true;
  const uint8_t *head = s->file + s->blocks[block];
  size_t length = block_head(head).length,
         most = s->size - s->blocks[block] - sizeof(snapshot_block);
  c->at = head + sizeof(snapshot_block);
  c->end = c->at + (length < most ? length : most);
  return true;
}

void cursor_finish(snapshot_cursor *c) {
  if (c->last) os_release(c->last, os_whole_pages(c->types_room * sizeof *c->last));
  *c = (snapshot_cursor){0};
}

bool cursor_damage(snapshot_cursor *c) {
  c->damaged = true;
  c->at = c->end;
  c->runs_left = c->edges_left = 0;
  return false;
}
