/* SPDX-License-Identifier: MIT */
/* A file that says what lives and who holds it, while the program goes on: for `ouro dom FILE`. */
#include <ouro/ouro.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* An inbox that grows: each letter is a record with its text. */
static bool receive(ouro_list *inbox, ouro_type *letter, int number) {
  ouro_heap *heap = ouro_heap_of(inbox);
  ouro_str *text = ouro_str_format(heap, "letter number %d", number);
  ouro_record *record = text ? ouro_record_new(letter) : NULL;
  if (record) ouro_record_set(record, 0, text);
  ouro_unref(text);
  return record && ouro_list_append_new(inbox, record);
}

/* The child writes what was alive at the call; nobody waits for it but whoever wants the file. */
static int write_snapshot(ouro_heap *heap, const char *path) {
  int64_t child = ouro_snapshot(heap, path, 0);
  int status = 1;
  if (child < 0 || waitpid((pid_t)child, &status, 0) != child) return 1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static bool run(ouro_heap *heap, const char *path) {
  static const char *const fields[] = {"text"};
  ouro_type *letter = ouro_record_type(heap, "letter", 1, fields, NULL);
  ouro_dict *app = ouro_dict_new(heap);
  ouro_list *inbox = ouro_list_new(heap);
  if (!letter || !app || !inbox || !ouro_dict_put_text(app, "inbox", inbox)) return false;
  for (int i = 0; i < 1000; i++)
    if (!receive(inbox, letter, i)) return false;
  int error = write_snapshot(heap, path);
  if (error == 0) printf("who keeps what: ouro dom FILE\nwho holds it:   ouro path FILE letter\n");
  return error == 0;
}

/* SNAPSHOT=letters.snap keeps the file there. */
int main(void) {
  char scratch[] = "/tmp/ouro-example-XXXXXX";
  const char *path = getenv("SNAPSHOT");
  int file = path ? -1 : mkstemp(scratch);
  ouro_heap *heap = ouro_heap_new(NULL);
  bool right = heap && run(heap, path ? path : scratch);
  ouro_heap_destroy(heap);
  if (file >= 0) close(file), unlink(scratch);
  return !right;
}
