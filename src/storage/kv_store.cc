#include "storage/kv_store.h"

#include "base/check.h"

namespace hearth::storage {

void KvBatch::add(Op op, KvFamily family, std::string_view key, std::string_view value) {
  HEARTH_CHECK(key.size() <= UINT32_MAX && value.size() <= UINT32_MAX, "key-value pair over 4 GiB");
  ops_.push_back(static_cast<char>(op));
  ops_.push_back(static_cast<char>(family));
  put_le(ops_, static_cast<uint32_t>(key.size()));
  put_le(ops_, static_cast<uint32_t>(value.size()));
  ops_.append(key);
  ops_.append(value);
}

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace hearth::storage
