/* SPDX-License-Identifier: MIT */
/* Values of a snapshot as Python writes them: nothing that a terminal obeys, whatever is in it. */
#include "test.h"

#include "snapshot/literal.h"

typedef struct written {
  snapshot_content_form form;
  const char *text;
  size_t length;
  bool cut;
  const char *want;
} written;

#define TEXT(text) text, sizeof text - 1

static const written table[] = {
    {SNAPSHOT_CONTENT_STR, TEXT(""), false, "''"},
    {SNAPSHOT_CONTENT_STR, TEXT("user:1"), false, "'user:1'"},
    {SNAPSHOT_CONTENT_STR, TEXT("user:1"), true, "'user:1'..."},
    {SNAPSHOT_CONTENT_STR, TEXT("it's"), false, "\"it's\""},
    {SNAPSHOT_CONTENT_STR, TEXT("it's \"so\""), false, "'it\\'s \"so\"'"},
    {SNAPSHOT_CONTENT_STR, TEXT("a\\b\n\r\t\0"), false, "'a\\\\b\\n\\r\\t\\x00'"},
    {SNAPSHOT_CONTENT_STR, TEXT("\x1b[2J\x7f"), false, "'\\x1b[2J\\x7f'"},
    {SNAPSHOT_CONTENT_STR,
     TEXT("\xc2\x9b"
          "31m"),
     false, "'\\x9b31m'"},
    {SNAPSHOT_CONTENT_STR,
     TEXT("\xe2\x80\xae"
          "exe"),
     false, "'\\u202eexe'"},
    {SNAPSHOT_CONTENT_STR, TEXT("\xf3\xa0\x80\x81"), false, "'\\U000e0001'"},
    {SNAPSHOT_CONTENT_STR, TEXT("pr\xc3\xa9t \xf0\x9f\x90\x8d"), false,
     "'pr\xc3\xa9t \xf0\x9f\x90\x8d'"},
    {SNAPSHOT_CONTENT_STR, TEXT("\xff\xc3"), false, "'?\?'"},
    {SNAPSHOT_CONTENT_BYTES, TEXT("a\\x00\\'"), false, "b'a\\x00\\''"},
    {SNAPSHOT_CONTENT_BYTES, TEXT("a\x1b\xc3\xa9"), true, "b'a?\?\?'..."},
    {SNAPSHOT_CONTENT_INT, TEXT("-17"), false, "-17"},
    {SNAPSHOT_CONTENT_FLOAT, TEXT("0.1"), false, "0.1"},
    {SNAPSHOT_CONTENT_WORD, TEXT("0x1f"), true, "0x1f..."},
    {SNAPSHOT_CONTENT_WORD, TEXT("No\nne"), false, "No?ne"},
};

TEST(values_are_written_as_python_writes_them) {
  char out[100];
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    const written *w = &table[i];
    const snapshot_content content = {w->form, w->cut, {w->text, (uint32_t)w->length}};
    CHECK_STR(literal_write(&content, out, sizeof out), w->want);
  }
}

/* Each room from the least on: no byte beyond it, a whole number of characters and escapes, and
 * "..." unless all is there. */
TEST(what_has_no_room_is_told) {
  static const char text[] = "a\x1b'\"\xc3\xa9\xe2\x82\xac\xf3\xa0\x80\x81 and so on, and so on";
  const snapshot_content content = {SNAPSHOT_CONTENT_STR, false, {text, sizeof text - 1}};
  char whole[200], out[200];
  size_t all = strlen(literal_write(&content, whole, sizeof whole));
  for (size_t room = 16; room < sizeof out; room++) {
    memset(out, '#', sizeof out);
    size_t length = strlen(literal_write(&content, out, room));
    CHECK_LT(length, room);
    CHECK_EQ(out[room], '#');
    if (room > all + 3) CHECK_STR(out, whole);
    else {
      CHECK_STR(out + length - 4, "'...");
      CHECK(memcmp(out, whole, length - 4) == 0);
      CHECK(((unsigned char)whole[length - 4] & 0xC0) != 0x80);
    }
  }
}

/* Any bytes, of any form: printable, and never a broken character. */
TEST(nothing_that_a_terminal_obeys_gets_through) {
  char text[200], out[320];
  for (int turn = 0; turn < 20000; turn++) {
    uint32_t length = (uint32_t)(test_random() % sizeof text), point = 0;
    for (uint32_t i = 0; i < length; i++)
      text[i] = (char)(test_random() % 4 ? test_random() : 0xE0 + test_random() % 24);
    const snapshot_content content = {
        (snapshot_content_form)(1 + test_random() % 5), test_random() % 2, {text, length}};
    literal_write(&content, out, 16 + test_random() % (sizeof out - 16));
    for (size_t at = 0; out[at] != '\0';) {
      size_t bytes = literal_character((const unsigned char *)out + at, strlen(out + at), &point);
      CHECK(bytes > 0 && !literal_obeyed(point));
      at += bytes;
    }
  }
}
