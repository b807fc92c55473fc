/* SPDX-License-Identifier: MIT */
/* What is written is read again: random heaps against a model, and the ends of every range. */
#include "test.h"

#include "snapshot/everything.h"
#include "snapshot/files.h"
#include "support/rss.h"

static char why[SNAPSHOT_WHY];

static bool text_is(snapshot_text text, const char *want) {
  return text.length == strlen(want) && memcmp(text.text, want, text.length) == 0;
}

/* ---- random heaps ---- */

enum { TYPES = 5000, NAMES = 300, OBJECTS = 30000, EDGES_MOST = 40 };

typedef struct model_object {
  writer_object_facts facts;
  int edges;
  snapshot_edge edge[EDGES_MOST];
} model_object;

static uint64_t random_address(void) {
  uint64_t address = test_random() >> test_random() % 60;
  return (address | 1) & ~(uint64_t)(SNAPSHOT_GRAIN - 1);
}

/* Half of them are held often, now and then by one edge after another. */
static uint64_t random_target(void) {
  static uint64_t often[1000], last;
  size_t which = test_random() % 1000;
  if (!often[which]) often[which] = random_address();
  if (test_random() % 8 == 0) return last;
  return last = test_random() % 2 ? often[which >> test_random() % 10] : random_address();
}

static uint64_t random_size(void) { return test_random() >> test_random() % 64; }

/* Objects of few types are alike mostly, so that fields are left out of the file. */
static writer_object_facts random_object(void) {
  bool common = test_random() % 4 != 0;
  uint64_t address = random_address();
  return (writer_object_facts){
      .address = address ? address : SNAPSHOT_GRAIN,
      .type = common ? (uint32_t)(test_random() % 5) : (uint32_t)(test_random() % TYPES),
      .flags = common ? (uint32_t)(test_random() % 2) : (uint32_t)random_size(),
      .size = common ? 48 : random_size(),
      .count = common ? test_random() % 3 : random_size(),
      .digest = test_random() % 3 ? 0 : (uint32_t)test_random(),
  };
}

static void write_random_edge(writer *w, model_object *o, snapshot_label_kind kind,
                              uint64_t *label) {
  snapshot_edge *edge = &o->edge[o->edges++];
  *edge = (snapshot_edge){.target = random_target(), .kind = kind};
  if (kind == SNAPSHOT_INDEX) edge->label = (*label)++;
  if (kind == SNAPSHOT_VALUE) edge->label = *label;
  if (kind == SNAPSHOT_KEY) *label = edge->target;
  if (snapshot_label_named(kind)) {
    edge->label = test_random() % NAMES;
    writer_named_edge(w, (uint32_t)edge->label, edge->target);
  } else writer_edge(w, edge->target);
}

static void write_random_runs(writer *w, model_object *o) {
  uint64_t key = 0;
  while (o->edges < EDGES_MOST && test_random() % 3) {
    snapshot_label_kind kind = (snapshot_label_kind)(test_random() % SNAPSHOT_LABEL_KINDS);
    uint64_t most = kind == SNAPSHOT_VALUE ? 2 : (uint64_t)(EDGES_MOST - o->edges + 1);
    uint64_t edges = test_random() % most, first = random_size();
    writer_run(w, kind, first, edges);
    for (uint64_t i = 0; i < edges; i++)
      write_random_edge(w, o, kind, kind == SNAPSHOT_INDEX ? &first : &key);
  }
}

static void check_object(snapshot_cursor *c, const model_object *want) {
  snapshot_edge edge;
  CHECK_EQ(c->object.address, want->facts.address);
  CHECK_EQ(c->object.type, want->facts.type);
  CHECK_EQ(c->object.flags, want->facts.flags);
  CHECK_EQ(c->object.size, want->facts.size);
  CHECK_EQ(c->object.count, want->facts.count);
  CHECK_EQ(c->object.digest, want->facts.digest);
  for (int i = 0; i < want->edges; i++) {
    if (test_random() % 50 == 0) return; /* the next object is found all the same */
    CHECK(cursor_edge(c, &edge));
    CHECK_EQ(edge.target, want->edge[i].target);
    CHECK_EQ(edge.kind, want->edge[i].kind);
    CHECK_EQ(edge.label, want->edge[i].label);
  }
  CHECK(!cursor_edge(c, &edge));
  CHECK(!cursor_edge(c, &edge));
}

/* Large objects may be continued in the next block; these are not. */
static void check_objects(const snapshot *s, const model_object *objects, size_t count) {
  snapshot_cursor c = {0};
  size_t next = 0;
  for (size_t block = 0; block < snapshot_object_blocks(s); block++) {
    CHECK(cursor_begin(&c, s, block));
    while (cursor_object(&c)) {
      CHECK_LT(next, count);
      CHECK(!c.object.more);
      check_object(&c, &objects[next++]);
    }
    CHECK(!c.damaged);
  }
  CHECK_EQ(next, count);
  cursor_finish(&c);
}

static void write_words(writer *w) {
  char word[20];
  for (uint32_t i = 0; i < TYPES; i++) {
    sprintf(word, "type%u", i);
    CHECK_EQ(writer_type(w, i % SNAPSHOT_TYPE_KINDS, i * 7, (uint64_t)i * 8, i * 9ull, word), i);
    if (i >= NAMES) continue;
    sprintf(word, "name%u", i);
    CHECK_EQ(writer_name(w, word, strlen(word)), i);
  }
}

static void check_words(const snapshot *s) {
  char word[20];
  for (uint32_t i = 0; i < TYPES; i++) {
    snapshot_type type = snapshot_type_of(s, i);
    sprintf(word, "type%u", i);
    CHECK(text_is(type.name, word));
    CHECK_EQ(type.kind, i % SNAPSHOT_TYPE_KINDS);
    CHECK_EQ(type.flags, i * 7);
    CHECK_EQ(type.address, i * 8ull);
    CHECK_EQ(type.size, i * 9ull);
    if (i >= NAMES) continue;
    sprintf(word, "name%u", i);
    CHECK(text_is(snapshot_name(s, i), word));
  }
  CHECK(!snapshot_type_of(s, TYPES).name.text);
  CHECK(!snapshot_name(s, NAMES).text);
  CHECK(!snapshot_name(s, UINT64_MAX).text);
}

TEST(random_heaps_are_read_as_they_were_written) {
  model_object *objects = calloc(OBJECTS, sizeof *objects);
  for (int round = 0; round < 3; round++) {
    writing now = write_unnamed();
    uint64_t edges = 0;
    write_words(now.w);
    for (int i = 0; i < OBJECTS; i++) {
      objects[i] = (model_object){.facts = random_object()};
      writer_object(now.w, &objects[i].facts);
      write_random_runs(now.w, &objects[i]);
      writer_object_end(now.w);
      edges += (uint64_t)objects[i].edges;
    }
    CHECK_EQ(writer_objects(now.w), OBJECTS);
    snapshot *s = read_back(&now, why);
    CHECK_STR(why, "");
    CHECK(snapshot_complete(s));
    CHECK_EQ(snapshot_count(s).objects, OBJECTS);
    CHECK_EQ(snapshot_count(s).edges, edges);
    CHECK_LT(5u, snapshot_object_blocks(s));
    check_objects(s, objects, OBJECTS);
    check_words(s);
    snapshot_close(s);
  }
  free(objects);
}

/* ---- objects larger than a block ---- */

static void write_leaf(writer *w, uint64_t address, uint32_t type) {
  writer_object(w, &(writer_object_facts){.address = address, .type = type, .size = 16});
  writer_object_end(w);
}

/* Reads all records of one object; `each` sees its edges in order. */
static uint64_t read_large(const snapshot *s, uint64_t address, void (*each)(snapshot_edge *)) {
  snapshot_cursor c = {0};
  snapshot_edge edge;
  uint64_t edges = 0, records = 0;
  for (size_t block = 0; block < snapshot_object_blocks(s); block++) {
    CHECK(cursor_begin(&c, s, block));
    while (cursor_object(&c)) {
      if (c.object.address != address) continue;
      CHECK_EQ(c.object.more, records > 0);
      CHECK_EQ(c.object.count, records > 0 ? 0u : 3u);
      records++;
      for (; cursor_edge(&c, &edge); edges++) each(&edge);
    }
    CHECK(!c.damaged);
  }
  cursor_finish(&c);
  CHECK_LT(1u, records);
  return edges;
}

static uint64_t expected;

static void check_item(snapshot_edge *edge) {
  CHECK_EQ(edge->kind, SNAPSHOT_INDEX);
  CHECK_EQ(edge->label, expected + 5);
  CHECK_EQ(edge->target, expected % 1000 * 4096);
  expected++;
}

TEST(a_list_of_ten_million_continues_from_block_to_block) {
  const uint64_t items = 10000000;
  writing now = write_unnamed();
  uint32_t type = writer_type(now.w, SNAPSHOT_LIST, 0, 0, 56, "list");
  write_leaf(now.w, 64, type);
  writer_object(now.w, &(writer_object_facts){.address = 4096, .type = type, .count = 3});
  writer_run(now.w, SNAPSHOT_INDEX, 5, items);
  for (uint64_t i = 0; i < items; i++) writer_edge(now.w, i % 1000 * 4096);
  writer_object_end(now.w);
  write_leaf(now.w, 8192, type);
  snapshot *s = read_back(&now, why);
  CHECK_STR(why, "");
  CHECK_EQ(snapshot_count(s).objects, 3u);
  CHECK_EQ(snapshot_count(s).edges, items);
  CHECK_EQ(read_large(s, 4096, check_item), items);
  snapshot_close(s);
}

static void check_pair(snapshot_edge *edge) {
  uint64_t key = expected / 2 * 64 + 64;
  CHECK_EQ(edge->kind, expected % 2 ? SNAPSHOT_VALUE : SNAPSHOT_KEY);
  CHECK_EQ(edge->target, expected % 2 ? UINT64_MAX - 7 : key);
  CHECK_EQ(edge->label, expected % 2 ? key : 0);
  expected++;
}

/* Targets far away, of ten bytes each: the border of a block falls anywhere between them. */
TEST(a_dict_larger_than_a_block_keeps_each_value_with_its_key) {
  const uint64_t pairs = 300000;
  writing now = write_unnamed();
  uint32_t type = writer_type(now.w, SNAPSHOT_DICT, 0, 0, 64, "dict");
  writer_object(now.w, &(writer_object_facts){.address = 4096, .type = type, .count = 3});
  for (uint64_t i = 0; i < pairs; i++) {
    writer_run(now.w, SNAPSHOT_KEY, 0, 1);
    writer_edge(now.w, i * 64 + 64);
    writer_run(now.w, SNAPSHOT_VALUE, 0, 1);
    writer_edge(now.w, UINT64_MAX - 7);
  }
  writer_object_end(now.w);
  snapshot *s = read_back(&now, why);
  CHECK_STR(why, "");
  CHECK_EQ(read_large(s, 4096, check_pair), 2 * pairs);
  snapshot_close(s);
}

/* As many pairs, then one key alone and a value alone. */
static void write_pairs(writer *w, uint64_t pairs) {
  for (uint64_t i = 0; i <= pairs; i++) {
    writer_run(w, SNAPSHOT_KEY, 0, 1);
    writer_edge(w, 64 * i + 64);
    if (i == pairs) writer_run(w, SNAPSHOT_UNNAMED, 0, 1);
    else writer_run(w, SNAPSHOT_VALUE, 0, 1);
    writer_edge(w, 8 * i + 8);
  }
  writer_run(w, SNAPSHOT_VALUE, 0, 1);
  writer_edge(w, 80);
}

static void check_edge(snapshot_cursor *c, snapshot_label_kind kind, uint64_t label,
                       uint64_t target) {
  snapshot_edge edge;
  CHECK(cursor_edge(c, &edge));
  CHECK_EQ(edge.kind, kind);
  CHECK_EQ(edge.label, label);
  CHECK_EQ(edge.target, target);
}

static void check_pairs(snapshot_cursor *c, uint64_t pairs) {
  snapshot_edge edge;
  for (uint64_t i = 0; i <= pairs; i++) {
    check_edge(c, SNAPSHOT_KEY, 0, 64 * i + 64);
    if (i == pairs) check_edge(c, SNAPSHOT_UNNAMED, 0, 8 * i + 8);
    else check_edge(c, SNAPSHOT_VALUE, 64 * i + 64, 8 * i + 8);
  }
  check_edge(c, SNAPSHOT_VALUE, 64 * pairs + 64, 80);
  CHECK(!cursor_edge(c, &edge));
}

TEST(any_number_of_pairs_comes_back) {
  const uint64_t most = 40;
  writing now = write_unnamed();
  snapshot_cursor c = {0};
  writer_type(now.w, SNAPSHOT_DICT, 0, 0, 64, "dict");
  for (uint64_t pairs = 0; pairs < most; pairs++) {
    writer_object(now.w, &(writer_object_facts){.address = 4096 + 8 * pairs});
    write_pairs(now.w, pairs);
    writer_object_end(now.w);
  }
  snapshot *s = read_back(&now, why);
  CHECK_STR(why, "");
  CHECK(cursor_begin(&c, s, 0));
  for (uint64_t pairs = 0; pairs < most; pairs++) {
    CHECK(cursor_object(&c));
    check_pairs(&c, pairs);
  }
  CHECK(!cursor_object(&c) && !c.damaged);
  cursor_finish(&c);
  snapshot_close(s);
}

static void check_field(snapshot_edge *edge) {
  CHECK_EQ(edge->kind, SNAPSHOT_ATTRIBUTE);
  CHECK_EQ(edge->label, UINT32_MAX - expected);
  CHECK_EQ(edge->target, expected % 2 ? 0x8000000000000000u : 8u);
  expected++;
}

TEST(edges_of_the_longest_encoding_fit) {
  const uint64_t fields = 100000;
  writing now = write_unnamed();
  uint32_t type = writer_type(now.w, SNAPSHOT_INSTANCE, 0, 0, 64, "record");
  writer_object(now.w, &(writer_object_facts){.address = UINT64_MAX - 7,
                                              .type = type,
                                              .flags = UINT32_MAX,
                                              .size = UINT64_MAX,
                                              .count = 3,
                                              .digest = UINT32_MAX});
  writer_run(now.w, SNAPSHOT_ATTRIBUTE, 0, fields);
  for (uint64_t i = 0; i < fields; i++)
    writer_named_edge(now.w, UINT32_MAX - (uint32_t)i, i % 2 ? 0x8000000000000000u : 8);
  writer_object_end(now.w);
  snapshot *s = read_back(&now, why);
  CHECK_STR(why, "");
  CHECK_EQ(read_large(s, UINT64_MAX - 7, check_field), fields);
  snapshot_close(s);
}

/* ---- texts ---- */

static snapshot_text text_of(const snapshot *s, uint64_t address, snapshot_text_kind want) {
  snapshot_text_kind kind = SNAPSHOT_TEXT_KINDS;
  snapshot_text text = {NULL, 0};
  if (snapshot_text_of(s, address, &kind, &text)) CHECK_EQ(kind, want);
  return text;
}

TEST(a_million_texts_are_found_by_address) {
  const uint64_t texts = 1000000;
  char text[24];
  writing now = write_unnamed();
  for (uint64_t i = 0; i < texts; i++) {
    int length = sprintf(text, "%" PRIu64, i);
    writer_text(now.w, 0x7f0000000000 + i * 48, SNAPSHOT_KEY_INT, text, (size_t)length);
  }
  snapshot *s = read_back(&now, why);
  CHECK_STR(why, "");
  CHECK_EQ(snapshot_count(s).texts, texts);
  for (uint64_t i = 0; i < texts; i++) {
    sprintf(text, "%" PRIu64, i);
    CHECK(text_is(text_of(s, 0x7f0000000000 + i * 48, SNAPSHOT_KEY_INT), text));
    CHECK(!text_of(s, 0x7f0000000000 + i * 48 + 8, SNAPSHOT_KEY_INT).text);
  }
  snapshot_close(s);
}

/* However few there are, whoever looks for another one comes to an end. */
TEST(what_has_no_text_is_not_found_among_few) {
  for (uint64_t texts = 0; texts < 6; texts++) {
    writing now = write_unnamed();
    for (uint64_t i = 0; i < texts; i++) writer_text(now.w, 64 + i * 64, SNAPSHOT_TITLE, "t", 1);
    snapshot *s = read_back(&now, why);
    CHECK_STR(why, "");
    for (uint64_t i = 0; i < 1000; i++)
      CHECK_EQ(text_of(s, 64 + i * 64, SNAPSHOT_TITLE).text != NULL, i < texts);
    snapshot_close(s);
  }
}

TEST(of_several_texts_the_first_counts) {
  writing now = write_unnamed();
  writer_text(now.w, 64, SNAPSHOT_TITLE, "first", 5);
  writer_text(now.w, 64, SNAPSHOT_KEY_STR, "second", 6);
  writer_text(now.w, 128, SNAPSHOT_KEY_STR, "", 0);
  snapshot *s = read_back(&now, why);
  CHECK_STR(why, "");
  CHECK_EQ(snapshot_count(s).texts, 3u);
  CHECK(text_is(text_of(s, 64, SNAPSHOT_TITLE), "first"));
  CHECK(text_is(text_of(s, 128, SNAPSHOT_KEY_STR), ""));
  CHECK(text_of(s, 128, SNAPSHOT_KEY_STR).text);
  CHECK(!text_of(s, 0, SNAPSHOT_TITLE).text);
  snapshot_close(s);
}

/* Each length of the text before the character that stands on the border: 1 to 4 bytes of it. */
TEST(long_texts_are_cut_between_characters) {
  const char *const characters[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x8d"};
  char text[WRITER_TEXT_MAX + 64];
  for (size_t bytes = 1; bytes <= 4; bytes++)
    for (size_t before = 0; before < 4; before++) {
      size_t length = before;
      memset(text, 'a', before);
      while (length < WRITER_TEXT_MAX + 9) {
        memcpy(text + length, characters[bytes - 1], bytes);
        length += bytes;
      }
      writing now = write_unnamed();
      writer_text(now.w, 8, SNAPSHOT_KEY_STR, text, length);
      snapshot *s = read_back(&now, why);
      CHECK_STR(why, "");
      snapshot_text cut = text_of(s, 8, SNAPSHOT_KEY_STR);
      CHECK_EQ(cut.length, before + (WRITER_TEXT_MAX - before) / bytes * bytes);
      CHECK(memcmp(cut.text, text, cut.length) == 0);
      snapshot_close(s);
    }
}

TEST(a_text_of_any_bytes_comes_back) {
  char bytes[100];
  for (int i = 0; i < 100; i++) bytes[i] = (char)(i * 37);
  writing now = write_unnamed();
  writer_text(now.w, 8, SNAPSHOT_KEY_STR, bytes, sizeof bytes);
  snapshot *s = read_back(&now, why);
  CHECK_STR(why, "");
  CHECK_EQ(text_of(s, 8, SNAPSHOT_KEY_STR).length, sizeof bytes);
  CHECK(memcmp(text_of(s, 8, SNAPSHOT_KEY_STR).text, bytes, sizeof bytes) == 0);
  snapshot_close(s);
}

/* A text without an end that is a character: nothing can be kept of it. */
TEST(a_long_text_of_continuation_bytes_is_cut_to_nothing) {
  char bytes[WRITER_TEXT_MAX + 2];
  memset(bytes, 0x80, sizeof bytes);
  writing now = write_unnamed();
  writer_text(now.w, 8, SNAPSHOT_KEY_STR, bytes, sizeof bytes);
  snapshot *s = read_back(&now, why);
  CHECK_STR(why, "");
  CHECK_EQ(text_of(s, 8, SNAPSHOT_KEY_STR).length, 0u);
  snapshot_close(s);
}

/* ---- contents ---- */

static snapshot_content content_of(const snapshot *s, uint64_t address) {
  snapshot_content content = {.text = {NULL, 0}};
  if (!snapshot_content_of(s, address, &content)) CHECK(!content.text.text);
  return content;
}

/* Every second object has a text, every third a content: each is found, and only that. */
TEST(contents_are_found_by_address_beside_texts) {
  const uint64_t objects = 300000;
  char text[24];
  writing now = write_unnamed();
  for (uint64_t i = 0; i < objects; i++) {
    int length = sprintf(text, "%" PRIu64, i);
    if (i % 2 == 0) writer_text(now.w, 64 + i * 8, SNAPSHOT_TITLE, text, (size_t)length);
    if (i % 3 == 0)
      writer_content(now.w, 64 + i * 8, SNAPSHOT_CONTENT_INT, text, (size_t)length - 1);
  }
  snapshot *s = read_back(&now, why);
  CHECK_STR(why, "");
  CHECK_EQ(snapshot_count(s).texts, objects / 2);
  CHECK(snapshot_holds_contents(s));
  for (uint64_t i = 0; i < objects; i++) {
    snapshot_content content = content_of(s, 64 + i * 8);
    sprintf(text, "%" PRIu64, i);
    CHECK_EQ(text_of(s, 64 + i * 8, SNAPSHOT_TITLE).text != NULL, i % 2 == 0);
    CHECK_EQ(content.text.text != NULL, i % 3 == 0);
    if (i % 3) continue;
    CHECK_EQ(content.form, SNAPSHOT_CONTENT_INT);
    CHECK_EQ(content.text.length, strlen(text) - 1);
    CHECK(!content.cut && memcmp(content.text.text, text, content.text.length) == 0);
  }
  snapshot_close(s);
}

TEST(long_contents_are_cut_between_characters_and_say_so) {
  char text[WRITER_CONTENT_MAX + 8];
  for (size_t length = WRITER_CONTENT_MAX - 4; length <= sizeof text; length += 2) {
    for (size_t i = 0; i < length; i += 2) memcpy(text + i, "\xc3\xa9", 2);
    writing now = write_unnamed();
    writer_content(now.w, 8, SNAPSHOT_CONTENT_STR, text, length);
    writer_content(now.w, 16, SNAPSHOT_CONTENT_STR, text + 1, length - 1);
    writer_content(now.w, 24, SNAPSHOT_CONTENT_BYTES | SNAPSHOT_CONTENT_CUT, "x", 1);
    snapshot *s = read_back(&now, why);
    CHECK_STR(why, "");
    bool cut = length > WRITER_CONTENT_MAX;
    CHECK_EQ(content_of(s, 8).cut, cut);
    CHECK_EQ(content_of(s, 8).text.length, cut ? WRITER_CONTENT_MAX : length);
    CHECK_EQ(content_of(s, 16).cut, length - 1 > WRITER_CONTENT_MAX);
    CHECK_EQ(content_of(s, 16).text.length,
             length - 1 > WRITER_CONTENT_MAX ? WRITER_CONTENT_MAX - 1 : length - 1);
    CHECK(content_of(s, 24).cut && content_of(s, 24).form == SNAPSHOT_CONTENT_BYTES);
    snapshot_close(s);
  }
}

/* The first of several counts; a form of a later writer is a word; "values" says that there would
 * be some. */
TEST(contents_of_other_kinds) {
  writing now = write_unnamed();
  writer_content(now.w, 8, SNAPSHOT_CONTENT_WORD, "None", 4);
  writer_content(now.w, 8, SNAPSHOT_CONTENT_INT, "1", 1);
  writer_content(now.w, 16, SNAPSHOT_CONTENT_FORMS, "later", 5);
  writer_content(now.w, 24, 1000, "", 0);
  snapshot *s = read_back(&now, why);
  CHECK_STR(why, "");
  CHECK(text_is(content_of(s, 8).text, "None"));
  CHECK_EQ(content_of(s, 16).form, SNAPSHOT_CONTENT_WORD);
  CHECK_EQ(content_of(s, 24).form, SNAPSHOT_CONTENT_WORD);
  CHECK(content_of(s, 24).text.text && content_of(s, 24).cut); /* 1000 has that bit */
  snapshot_close(s);
  for (int said = 0; said < 3; said++) {
    now = write_unnamed();
    if (said) writer_fact(now.w, "values", "%s", said == 1 ? "yes" : "no");
    s = read_back(&now, why);
    CHECK_EQ(snapshot_holds_contents(s), said == 1);
    snapshot_close(s);
  }
}

/* ---- facts, roots, and nothing ---- */

TEST(facts_are_found_by_key_and_in_order) {
  char large[5000];
  snapshot_text key, value;
  memset(large, 'v', sizeof large - 1);
  large[sizeof large - 1] = 0;
  writing now = write_unnamed();
  writer_fact(now.w, "pid", "%d", 4711);
  writer_fact(now.w, "python", "3.11.7");
  writer_fact(now.w, "rss", "18446744073709551615");
  writer_fact(now.w, "too large", "18446744073709551616");
  writer_fact(now.w, "empty", "%s", "");
  writer_fact(now.w, "long", "%s", large);
  snapshot *s = read_back(&now, why);
  CHECK_STR(why, "");
  CHECK(text_is(snapshot_fact(s, "python"), "3.11.7"));
  CHECK(!snapshot_fact(s, "pyth").text);
  CHECK(!snapshot_fact(s, "").text);
  CHECK_EQ(snapshot_number(s, "pid", 1), 4711u);
  CHECK_EQ(snapshot_number(s, "rss", 1), UINT64_MAX);
  CHECK_EQ(snapshot_number(s, "too large", 1), 1u);
  CHECK_EQ(snapshot_number(s, "python", 1), 1u);
  CHECK_EQ(snapshot_number(s, "empty", 1), 1u);
  CHECK_EQ(snapshot_number(s, "none", 1), 1u);
  CHECK_EQ(snapshot_fact(s, "long").length, 1024u);
  CHECK(snapshot_nth_fact(s, 1, &key, &value) && text_is(key, "python"));
  CHECK(!snapshot_nth_fact(s, 6, &key, &value));
  snapshot_close(s);
}

TEST(roots_come_in_order) {
  char text[20];
  writing now = write_unnamed();
  for (int i = 0; i < 20000; i++) {
    sprintf(text, "root %d", i);
    writer_root(now.w, (snapshot_root_kind)(i % SNAPSHOT_ROOT_KINDS), (uint64_t)i * 8,
                i % 3 ? text : NULL);
  }
  snapshot *s = read_back(&now, why);
  CHECK_STR(why, "");
  CHECK_EQ(snapshot_count(s).roots, 20000u);
  for (int i = 0; i < 20000; i++) {
    snapshot_root root = snapshot_nth_root(s, (size_t)i);
    sprintf(text, "root %d", i);
    CHECK_EQ(root.kind, i % SNAPSHOT_ROOT_KINDS);
    CHECK_EQ(root.target, (uint64_t)i * 8);
    CHECK(text_is(root.text, i % 3 ? text : ""));
  }
  CHECK(!snapshot_nth_root(s, 20000).text.text);
  snapshot_close(s);
}

TEST(an_empty_heap_is_a_snapshot) {
  writing now = write_unnamed();
  snapshot *s = read_back(&now, why);
  snapshot_cursor c = {0};
  CHECK_STR(why, "");
  CHECK(snapshot_complete(s));
  CHECK_EQ(snapshot_object_blocks(s), 0u);
  CHECK(cursor_begin(&c, s, 0));
  CHECK(!cursor_object(&c) && !c.damaged);
  cursor_finish(&c);
  snapshot_close(s);
  snapshot_close(NULL);
}

TEST(a_forgotten_file_takes_no_memory_until_it_is_asked) {
  writing now = write_unnamed();
  writer_type(now.w, SNAPSHOT_OTHER, 0, 0, 0, "t");
  for (uint64_t i = 1; i < 500000; i++) write_leaf(now.w, i * 64, 0);
  snapshot *s = read_back(&now, why);
  CHECK_STR(why, "");
  size_t before = rss_between(0, UINTPTR_MAX);
  snapshot_forget(s);
  CHECK_LT(rss_between(0, UINTPTR_MAX) + snapshot_file_bytes(s) / 2, before);
  CHECK_EQ(ask_everything(s).objects, 499999u);
  snapshot_close(s);
}

/* One cursor for many snapshots: what it remembers of types is of the block that it reads. */
TEST(a_cursor_remembers_nothing_from_one_block_to_the_next) {
  snapshot_cursor c = {0};
  for (uint32_t types = 1; types < 3000; types = types * 3 + 1) {
    writing now = write_unnamed();
    for (uint32_t i = 0; i < types; i++) writer_type(now.w, SNAPSHOT_OTHER, 0, 0, 0, "t");
    writer_object(now.w, &(writer_object_facts){.address = 64, .type = 0, .size = 7 * types % 2});
    writer_object_end(now.w);
    snapshot *s = read_back(&now, why);
    for (int again = 0; again < 2; again++) {
      CHECK(cursor_begin(&c, s, 0));
      CHECK(cursor_object(&c));
      CHECK_EQ(c.object.size, 7 * types % 2);
      CHECK(!cursor_object(&c) && !c.damaged);
    }
    snapshot_close(s);
  }
  cursor_finish(&c);
}
