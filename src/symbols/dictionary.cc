#include "symbols/dictionary.h"

#include "base/check.h"
#include "symbols/batch_mapper.h"
#include "symbols/delta_replay.h"
#include "symbols/lost_symbols.h"
#include "symbols/symbol_columns.h"
#include "symbols/symbol_delta.h"
#include "symbols/symbol_index.h"

namespace hearth::symbols {

struct Dictionary::Impl {
  Impl(Id128 dictionary_id, uint64_t seed)
      : id(dictionary_id), index(std::make_unique<SymbolIndex>(columns, seed)) {}

  const Id128 id;
  SymbolColumns columns;
  std::unique_ptr<SymbolIndex> index;  ///< Until end_mapping().
  LostSymbols lost;
  TableSizes delta_end;  ///< Sizes of the tables that deltas written or applied so far cover.
};

MapScratch::MapScratch() : buffers(std::make_unique<MapBuffers>()) {}
MapScratch::~MapScratch() = default;

Dictionary::Dictionary(Id128 id, uint64_t seed) : impl_(std::make_unique<Impl>(id, seed)) {}
Dictionary::~Dictionary() = default;

void Dictionary::map(const ProfileBatch& batch, std::vector<uint32_t>& keys) {
  MapScratch scratch;
  map(batch, keys, scratch);
}

void Dictionary::map(const ProfileBatch& batch, std::vector<uint32_t>& keys, MapScratch& scratch) {
  HEARTH_CHECK(impl_->index != nullptr, "a dictionary maps after its end");
  try {
    BatchMapper(impl_->columns, *impl_->index, batch, *scratch.buffers).map(keys);
  } catch (...) {
    // Out of memory. Entries are found only once they are complete, so what is left over is right.
    impl_->columns.drop_incomplete();
    throw;
  }
}

void Dictionary::end_mapping() noexcept {
  impl_->index.reset();
}

std::string Dictionary::pending_delta() const {
  const TableSizes now = impl_->columns.sizes();
  if (now == impl_->delta_end) return {};
  return encode_delta(impl_->columns.snapshot(), impl_->delta_end, now);
}

void Dictionary::delta_written() noexcept {
  impl_->delta_end = impl_->columns.sizes();
}

std::string Dictionary::take_delta() {
  std::string delta = pending_delta();
  delta_written();
  return delta;
}

Status Dictionary::apply_delta(std::string_view delta) {
  HEARTH_ASSIGN_OR_RETURN(const SymbolDelta decoded, decode_delta(delta));
  HEARTH_RETURN_IF_ERROR(replay_delta(decoded, impl_->columns, impl_->index.get(), impl_->lost));
  impl_->delta_end = impl_->columns.sizes();
  return {};
}

uint64_t Dictionary::lost() const {
  return impl_->lost.count;
}

bool Dictionary::is_known(uint32_t key) const {
  return key < keys() && !impl_->lost.keys.has(key);
}

std::shared_ptr<const SymbolTables> Dictionary::tables() const {
  return std::make_shared<const SymbolTables>(impl_->columns.snapshot());
}

Id128 Dictionary::id() const {
  return impl_->id;
}
size_t Dictionary::nodes() const {
  return impl_->columns.sizes().nodes;
}
size_t Dictionary::keys() const {
  return impl_->columns.sizes().keys;
}

size_t Dictionary::memory_bytes() const {
  return sizeof(Impl) + impl_->columns.memory_bytes() +
         (impl_->index ? impl_->index->memory_bytes() : 0) + impl_->lost.memory_bytes();
}

}  // namespace hearth::symbols
