/* SPDX-License-Identifier: MIT */
/* Strings, their encoding, and interning. */
#include "test.h"

#include "object/str.h"
#include "object/utf8.h"
#include "support/probes.h"

TEST(text_is_copied_and_ends_with_zero) {
  ouro_heap *h = quiet_heap("str");
  char source[] = "h\xC3\xA9llo";
  ouro_str *str = ouro_str_new(h, source, 6);
  source[0] = 'x';
  CHECK(ouro_is_str(str));
  CHECK_STR(ouro_str_bytes(str), "h\xC3\xA9llo");
  CHECK_EQ(ouro_str_length(str), 6u);
  CHECK_EQ(ouro_str_count(str), 5u);
  CHECK(!ouro_is_tracked(str));
  ouro_str *empty = ouro_str_new(h, NULL, 0), *zero = ouro_str_new(h, "a\0b", 3);
  CHECK_STR(ouro_str_bytes(empty), "");
  CHECK_EQ(ouro_str_length(zero), 3u);
  CHECK_EQ(ouro_str_bytes(zero)[2], 'b');
  ouro_list *list = ouro_list_new(h);
  CHECK(!ouro_is_str(list));
  ouro_unref(str);
  ouro_unref(empty);
  ouro_unref(zero);
  CHECK_EQ(objects_of(h, "str"), 0u);
  CHECK(objects_ok(h));
}

TEST(format) {
  ouro_heap *h = quiet_heap("str");
  ouro_str *str = ouro_str_format(h, "%d %s %5.2f", 7, "t\xC3\xA4xt", 1.5);
  CHECK_STR(ouro_str_bytes(str), "7 t\xC3\xA4xt  1.50");
  CHECK_EQ(ouro_str_length(str), strlen(ouro_str_bytes(str)));
  CHECK(!ouro_str_format(h, "%s", "\xC3"));
  CHECK_STR(ouro_heap_error(h), "the bytes are no UTF-8");
  char big[3000];
  memset(big, 'b', sizeof big - 1);
  big[sizeof big - 1] = 0;
  CHECK_EQ(ouro_str_length(ouro_str_format(h, "%s%s", big, big)), 5998u);
  CHECK_EQ(objects_of(h, "str"), 2u);
}

static void change_text(void *text) { strcpy(text, "longer than before"); }

/* Making the string collects, and a finalizer changes what an argument points to. */
TEST(a_text_that_changes_while_it_is_formatted) {
  ouro_heap *h = quiet_heap("str");
  char text[40] = "short";
  leave_garbage(h, change_text, text);
  ouro_unref(ouro_str_text(h, "the type exists"));
  refuse_growth(h);
  CHECK(!ouro_str_format(h, "%2000d%s", 1, text));
  CHECK(PROBES_DIED(1));
  CHECK_STR(ouro_heap_error(h), "a text changed while it was formatted");
  CHECK_EQ(objects_of(h, "str"), 0u);
}

TEST(concat) {
  ouro_heap *h = quiet_heap("str");
  ouro_str *a = ouro_str_text(h, "ab\xE2\x82\xAC"), *b = ouro_str_text(h, "cd");
  ouro_str *ab = ouro_str_concat(a, b), *aa = ouro_str_concat(a, a);
  CHECK_STR(ouro_str_bytes(ab), "ab\xE2\x82\xAC"
                                "cd");
  CHECK_EQ(ouro_str_count(ab), 5u);
  CHECK_EQ(ouro_str_length(aa), 10u);
  CHECK_EQ(ouro_count(a), 1u);
  ouro_str *empty = ouro_str_concat(ouro_str_text(h, ""), ouro_str_text(h, ""));
  CHECK_EQ(ouro_str_length(empty), 0u);
}

static int sign(int x) { return (x > 0) - (x < 0); }

TEST(compare_orders_by_code_points) {
  ouro_heap *h = quiet_heap("str");
  static const char *const sorted[] = {
      "", "a", "ab", "b", "\xC3\xA9", "\xE2\x82\xAC", "\xEF\xBF\xBD", "\xF0\x9F\x98\x80"};
  for (int i = 0; i < 8; i++)
    for (int k = 0; k < 8; k++) {
      ouro_str *a = ouro_str_text(h, sorted[i]), *b = ouro_str_text(h, sorted[k]);
      CHECK_EQ(sign(ouro_str_compare(a, b)), sign(i - k));
      CHECK_EQ(ouro_equal(a, b), i == k);
      CHECK_EQ(ouro_hash(a) == ouro_hash(b), i == k);
      ouro_unref(a);
      ouro_unref(b);
    }
}

TEST(the_hash_is_kept) {
  ouro_heap *h = quiet_heap("str");
  ouro_str *str = ouro_str_text(h, "some text");
  CHECK_EQ(str->hash, 0u);
  uint64_t hash = ouro_hash(str);
  CHECK_EQ(str->hash, hash);
  CHECK_NE(hash, 0u);
  ouro_heap *other = quiet_heap("other");
  CHECK_NE(ouro_hash(ouro_str_text(other, "some text")), hash); /* another secret */
}

/* --- UTF-8 --- */

/* Writes a code point, without asking whether it may be one. */
static size_t encode(uint32_t c, unsigned bytes, char *out) {
  static const uint8_t mark[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
  for (unsigned i = bytes; i-- > 1; c >>= 6) out[i] = (char)(0x80 | (c & 0x3F));
  out[0] = (char)(mark[bytes] | c);
  return bytes;
}

static unsigned shortest(uint32_t c) { return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4; }

/* All that can be written in up to 4 bytes, in every length: valid where the length is the shortest
 * and the code point exists. */
TEST(every_code_point) {
  static const uint32_t end[] = {0, 0x80, 0x800, 0x10000, 0x200000};
  char out[4];
  for (unsigned bytes = 1; bytes <= 4; bytes++)
    for (uint32_t c = 0; c < end[bytes]; c++) {
      bool exists = c < 0xD800 || (c > 0xDFFF && c <= 0x10FFFF);
      size_t n = encode(c, bytes, out);
      if (utf8_is_valid(out, n) != (exists && bytes == shortest(c)))
        TEST_FAIL("U+%04" PRIX32 " in %u bytes", c, bytes);
    }
}

TEST(broken_utf8) {
  static const char *const broken[] = {"\x80",
                                       "\xBF",
                                       "\xC3",
                                       "\xC3\x28",
                                       "\xE2\x82",
                                       "\xE2\x28\xA1",
                                       "\xE2\x82\x28",
                                       "\xF0\x9F",
                                       "\xF0\x9F\x98",
                                       "\xF0\x28\x8C\xBC",
                                       "\xFE",
                                       "\xFF",
                                       "\xC0\x80",
                                       "\xF5\x80\x80\x80",
                                       "\xF8\x88\x80\x80\x80",
                                       "\xE2\x82\xAC\xAC"};
  char text[64];
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
    for (size_t before = 0; before < 20; before++) { /* at every place of the words of 8 bytes */
      size_t n = strlen(broken[i]);
      memset(text, 'a', sizeof text);
      memcpy(text + before, broken[i], n);
      CHECK(!utf8_is_valid(text, before + n));
      CHECK(!utf8_is_valid(text, before + n + 9));
      CHECK(utf8_is_valid(text, before));
    }
  ouro_heap *h = quiet_heap("str");
  CHECK(!ouro_str_new(h, "\xC3", 1));
  CHECK_STR(ouro_heap_error(h), "the bytes are no UTF-8");
  CHECK(!ouro_str_text(h, "ab\xFF"));
  CHECK(!ouro_str_intern(h, "\xFF", 1));
}

/* --- Interning --- */

static ouro_str *intern(ouro_heap *heap, const char *text) {
  return ouro_str_intern(heap, text, strlen(text));
}

TEST(equal_interned_strings_are_one) {
  ouro_heap *h = quiet_heap("str");
  ouro_str *a = intern(h, "symbol"), *b = intern(h, "symbol"), *c = intern(h, "other");
  ouro_str *plain = ouro_str_text(h, "symbol");
  CHECK_EQ((void *)a, (void *)b);
  CHECK_EQ(ouro_count(a), 2u);
  CHECK_NE((void *)a, (void *)c);
  CHECK_NE((void *)a, (void *)plain);
  CHECK(ouro_str_is_interned(a));
  CHECK(!ouro_str_is_interned(plain));
  CHECK_EQ(ouro_equal(a, plain), 1);
  CHECK_EQ(ouro_hash(a), ouro_hash(plain));
  CHECK_EQ((void *)intern(h, ""), (void *)intern(h, ""));
}

TEST(the_table_does_not_keep_strings_alive) {
  ouro_heap *h = quiet_heap("str");
  for (int round = 0; round < 3; round++) {
    ouro_str *kept[500];
    for (int i = 0; i < 500; i++) {
      char text[20];
      sprintf(text, "symbol %d", i);
      kept[i] = intern(h, text);
      CHECK_EQ(ouro_count(kept[i]), 1u);
    }
    CHECK_EQ(objects_of(h, "str"), 500u);
    for (int i = 0; i < 500; i++) ouro_unref(kept[i * 7 % 500]);
    CHECK_EQ(objects_of(h, "str"), 0u);
  }
  CHECK(objects_ok(h));
}

static void intern_again(ouro_weak *weak, ouro_object *closure) {
  ouro_heap *h = ouro_heap_of(weak);
  ouro_str *again = intern(h, "dies");
  CHECK_EQ(ouro_count(again), 1u);
  CHECK(ouro_list_append_new((ouro_list *)(void *)closure, again));
}

/* The callback of a weak reference runs while the string is still in the table. */
TEST(a_dying_string_is_not_found) {
  ouro_heap *h = quiet_heap("str");
  ouro_list *list = ouro_list_new(h);
  ouro_str *dies = intern(h, "dies");
  ouro_weak *weak = ouro_weak_new(dies, intern_again, list);
  CHECK(weak);
  ouro_unref(dies);
  CHECK_EQ(ouro_list_length(list), 1u);
  ouro_str *again = intern(h, "dies");
  CHECK_EQ((void *)again, (void *)ouro_list_get(list, 0));
  ouro_unref(again);
  ouro_list_clear(list);
  CHECK_EQ(objects_of(h, "str"), 0u);
  CHECK(objects_ok(h));
}

typedef struct rival {
  const char *text;
  void *room; /* dropped first, so that there is memory for the text */
  ouro_str *made;
} rival;

static void intern_first(void *ctx) {
  rival *r = ctx;
  ouro_heap *h = ouro_heap_of(r->room);
  ouro_unref(r->room);
  r->made = intern(h, r->text);
  CHECK(r->made);
}

/* Memory for the string is refused; the collection that follows interns the same text. */
TEST(a_finalizer_interns_the_text_while_the_string_is_made) {
  ouro_heap *h = quiet_heap("str");
  char text[1001] = "";
  memset(text, 't', 1000);
  rival r = {.text = text, .room = ouro_bytes_new(h, NULL, 5000)};
  CHECK(intern(h, "the table exists"));
  leave_garbage(h, intern_first, &r);
  refuse_growth(h);
  ouro_str *str = intern(h, text);
  CHECK(PROBES_DIED(1));
  CHECK_EQ((void *)str, (void *)r.made);
  CHECK_EQ(ouro_count(str), 2u);
  CHECK_EQ(objects_of(h, "str"), 2u);
}

/* The same while the table grows: it is full with 21 entries, and its next block is a large one. */
TEST(a_finalizer_interns_the_text_while_the_table_grows) {
  ouro_heap *h = quiet_heap("str");
  rival r = {.text = "the text"};
  for (int i = 0; i < 21; i++) {
    char text[20];
    sprintf(text, "symbol %d", i);
    r.room = intern(h, text);
  }
  leave_garbage(h, intern_first, &r);
  refuse_growth(h);
  ouro_str *str = intern(h, "the text");
  CHECK(PROBES_DIED(1));
  CHECK_EQ((void *)str, (void *)r.made);
  CHECK_EQ(ouro_count(str), 2u);
  CHECK_EQ(objects_of(h, "str"), 21u);
  CHECK(objects_ok(h));
}

TEST(an_interned_string_may_be_immortal) {
  ouro_heap *h = quiet_heap("str");
  ouro_str *nil = intern(h, "nil");
  ouro_immortalize(nil);
  for (int i = 0; i < 5; i++) ouro_unref(nil);
  CHECK_EQ((void *)intern(h, "nil"), (void *)nil);
}

TEST(a_refusal_is_null) {
  ouro_heap *h = quiet_heap("str");
  for (uint64_t n = 1;; n++) {
    ouro_heap_fail(h, n, 1);
    ouro_str *a = ouro_str_text(h, "text"), *b = intern(h, "interned");
    ouro_str *c = ouro_str_format(h, "%d", 1000000);
    ouro_str *d = a ? ouro_str_concat(a, a) : NULL;
    ouro_heap_fail(h, 0, 0);
    bool all = a && b && c && d;
    ouro_unref(a), ouro_unref(b), ouro_unref(c), ouro_unref(d);
    CHECK_EQ(objects_of(h, "str"), 0u);
    CHECK(objects_ok(h));
    if (all) break;
    CHECK_LT(n, 100u);
  }
}
