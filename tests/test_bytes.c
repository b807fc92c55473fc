/* SPDX-License-Identifier: MIT */
/* Byte strings, and the hash of bytes. */
#include "test.h"

#include "object/bytes.h"
#include "object/hash.h"
#include "support/probes.h"

TEST(bytes_are_copied) {
  ouro_heap *h = quiet_heap("bytes");
  char source[] = "a\0b\xFF";
  ouro_bytes *b = ouro_bytes_new(h, source, 5);
  source[0] = 'x';
  CHECK(ouro_is_bytes(b));
  CHECK_EQ(b->length, 5u);
  CHECK(!memcmp(b->bytes, "a\0b\xFF", 5));
  CHECK(!ouro_is_tracked(b));
  ouro_list *list = ouro_list_new(h);
  CHECK(!ouro_is_bytes(list));
  ouro_unref(b);
  CHECK_EQ(objects_of(h, "bytes"), 0u);
}

TEST(null_makes_zeros) {
  ouro_heap *h = quiet_heap("bytes");
  for (size_t n = 0; n < 5000; n += 1 + n / 2) {
    ouro_bytes *b = ouro_bytes_new(h, NULL, n);
    for (size_t i = 0; i < n; i++) CHECK_EQ(b->bytes[i], 0);
    memset(b->bytes, 0xA5, n);
    ouro_unref(b);
  }
  CHECK(objects_ok(h));
}

TEST(equality_and_hash) {
  ouro_heap *h = quiet_heap("bytes");
  ouro_bytes *a = ouro_bytes_new(h, "abc", 3), *b = ouro_bytes_new(h, "abc", 3);
  ouro_bytes *c = ouro_bytes_new(h, "abd", 3), *d = ouro_bytes_new(h, "ab", 2);
  ouro_str *text = ouro_str_text(h, "abc");
  CHECK_EQ(ouro_equal(a, b), 1);
  CHECK_EQ(ouro_hash(a), ouro_hash(b));
  CHECK_EQ(ouro_equal(a, c), 0);
  CHECK_EQ(ouro_equal(a, d), 0);
  CHECK_NE(ouro_hash(a), ouro_hash(c));
  CHECK_NE(ouro_hash(a), ouro_hash(d));
  CHECK_EQ(ouro_equal(a, text), 0);
  CHECK_EQ(ouro_equal(text, a), 0);
}

TEST(each_heap_hashes_in_its_own_way) {
  ouro_heap *h = quiet_heap("one"), *other = quiet_heap("two");
  CHECK_NE(ouro_hash(ouro_bytes_new(h, "abc", 3)), ouro_hash(ouro_bytes_new(other, "abc", 3)));
}

/* With key 0 these are what CPython says: PYTHONHASHSEED=0 python3.11 -c 'print(hash(b"..."))'. */
TEST(siphash_1_3) {
  static const struct {
    const char *bytes;
    uint64_t hash;
  } known[] = {
      {"a", 0x407448D2B89B1813u},
      {"ab", 0x555508CBC6ADD439u},
      {"abcdefg", 0x6DB12AAE9070F506u},
      {"abcdefgh", 0x3F7B849C0B8E35EAu},
      {"abcdefghi", 0xF89B34A3D11EB6E5u},
      {"the quick brown fox jumps over the lazy dog", 0x80A65583F613DA2Du},
  };
  const hash_secret zero = {0, 0};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    CHECK_EQ(hash_bytes(&zero, known[i].bytes, strlen(known[i].bytes)), known[i].hash);
}

TEST(every_bit_of_key_and_message_counts) {
  uint8_t message[40] = {0};
  hash_secret secret = {1, 2};
  uint64_t before = hash_bytes(&secret, message, 40);
  for (int bit = 0; bit < 320; bit++) {
    message[bit / 8] ^= (uint8_t)(1 << bit % 8);
    CHECK_NE(hash_bytes(&secret, message, 40), before);
    message[bit / 8] = 0;
  }
  for (int bit = 0; bit < 64; bit++) {
    hash_secret k0 = {1ull ^ 1ull << bit, 2}, k1 = {1, 2ull ^ 1ull << bit};
    CHECK_NE(hash_bytes(&k0, message, 40), before);
    CHECK_NE(hash_bytes(&k1, message, 40), before);
  }
  for (size_t n = 0; n < 40; n++) CHECK_NE(hash_bytes(&secret, message, n), before);
}

TEST(a_refusal_is_null) {
  ouro_heap *h = quiet_heap("bytes");
  for (uint64_t n = 1;; n++) {
    ouro_heap_fail(h, n, 1);
    ouro_bytes *b = ouro_bytes_new(h, "abc", 3);
    ouro_heap_fail(h, 0, 0);
    if (b) break;
    CHECK_LT(n, 100u);
  }
  CHECK(!ouro_bytes_new(h, NULL, SIZE_MAX / 2));
  CHECK(!ouro_bytes_new(h, NULL, SIZE_MAX - 8));
  CHECK(objects_ok(h));
}
