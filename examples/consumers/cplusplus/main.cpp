// SPDX-License-Identifier: MIT
// The same from C++: the headers can be included, and a type of one's own holds a reference.
#include <cstddef>
#include <cstdio>
#include <ouro/ouro.h>

namespace {

struct node {
  ouro_object object;
  node *next;
};

ouro_type *node_type(ouro_heap *heap) {
  static const uint16_t refs[] = {offsetof(node, next), 0};
  ouro_type_spec spec = {};
  spec.name = "node";
  spec.size = sizeof(node);
  spec.refs = refs;
  return ouro_type_new(heap, &spec);
}

// A reference that is dropped at the end of its block.
template <class T> class reference {
public:
  explicit reference(T *stolen) : object_(stolen) {}
  reference(const reference &other) : object_(static_cast<T *>(ouro_ref(other.object_))) {}
  reference &operator=(const reference &) = delete;
  ~reference() { ouro_unref(object_); }
  T *operator->() const { return object_; }
  T *get() const { return object_; }

private:
  T *object_;
};

bool make_ring(ouro_type *type) {
  reference<node> first(OURO_MAKE(node, type)), second(OURO_MAKE(node, type));
  if (!first.get() || !second.get()) return false;
  ouro_assign(&first->next, second.get());
  ouro_assign(&second->next, first.get());
  return true;
}

} // namespace

int main() {
  ouro_heap *heap = ouro_heap_new(nullptr);
  ouro_type *type = heap ? node_type(heap) : nullptr;
  if (!type || !make_ring(type) || ouro_collect(heap, 2) != 2) return 1;
  ouro_list *list = ouro_list_new(heap);
  if (!list || !ouro_list_append(list, list)) return 1;
  ouro_unref(list);
  std::printf("ouro %s: %d unreachable object\n", OURO_VERSION, int(ouro_collect(heap, 2)));
  ouro_heap_destroy(heap);
  return 0;
}
