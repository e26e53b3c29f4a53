#include "base/arena.h"
#include "base/hash.h"
#include "query/engine_impl.h"
#include "query/location_code.h"
#include "query/saturate.h"
#include "query/scan.h"
#include "query/tree_builder.h"

namespace hearth::query {
namespace {

// Function nodes that lie at or below the call site; everything when there is none to ask for.
std::vector<uint8_t> below(const Projection& projection, const symbols::SymbolTables& tables,
                           const std::vector<std::string>& call_site) {
  std::vector<uint8_t> inside(projection.size(), 0);
  std::vector<uint32_t> matched(
      projection.size(),
      kNoNode);  // How many frames of the call site the path to a node has matched.
  matched[0] = 0;
  inside[0] = call_site.empty();
  for (size_t i = 1; i < projection.size(); ++i) {
    const uint32_t up = projection.parent[i];
    const uint32_t string = projection.name_string[projection.name[i]];
    inside[i] = inside[up];
    // A string beyond this snapshot belongs to a later one: no stack of ours has it.
    if (inside[i] || matched[up] == kNoNode || string >= tables.strings.size()) continue;
    if (tables.strings[string] != call_site[matched[up]]) continue;
    matched[i] = matched[up] + 1;
    inside[i] = matched[i] == call_site.size();
  }
  return inside;
}

// Folds trees of locations into one whose labels are the encoded contents of locations: equal
// locations of different datasets become one, and their order does not depend on ids.
class LocationMerge {
 public:
  explicit LocationMerge(Engine::Impl& impl) : impl_(&impl), builder_(*impl.options.memory) {}

  Status add(const DatasetSums& sums, const std::vector<std::string>& call_site) {
    const symbols::SymbolTables& tables = sums.symbols.tables();
    const Projection& projection = sums.symbols.projection();
    const std::vector<uint8_t> inside = below(projection, tables, call_site);
    HEARTH_ASSIGN_OR_RETURN(auto self, impl_->scratch.borrow(tables.nodes()));
    const std::span<const int64_t> by_key = sums.by_key.values();
    for (size_t key = 0; key < by_key.size(); ++key) {
      const uint32_t node = tables.key_node[key];
      if (by_key[key] == 0 || !inside[projection.function_node[node]]) continue;
      self.values()[node] = add_saturating(self.values()[node], by_key[key]);
    }
    std::vector<uint32_t> label(tables.locations(), 0);
    const auto label_of = [&](size_t node) {
      const uint32_t location = tables.node_location[node];
      if (label[location] == 0) {
        const std::string code = encode_location(tables, location);
        label[location] = builder_.label(texts_.copy(code), hash64(code, process_hash_seed()));
      }
      return label[location];
    };
    HEARTH_RETURN_IF_ERROR(builder_.fold(tables.node_parent, self.values(), label_of));
    if (text_charge_.bytes() != 0) return text_charge_.resize(texts_.bytes_reserved());
    HEARTH_ASSIGN_OR_RETURN(text_charge_, impl_->options.memory->charge(texts_.bytes_reserved(),
                                                                        "locations of a merge"));
    return {};
  }
  FunctionTree finish() { return builder_.finish(); }

 private:
  Engine::Impl* impl_;
  Arena texts_;
  MemoryCharge text_charge_;
  TreeBuilder builder_;
};

int64_t period_of(const std::string& name) {
  if (name == "process_cpu") return 1'000'000'000;
  return name == "memory" ? 524'288 : 1;
}

// The header of a merged profile, as Pyroscope fills it.
void describe(BatchBuilder& out, const ProfileQuery& query) {
  ProfileBatch& batch = out.batch();
  batch.sample_types.push_back(
      {out.string(query.type.sample.type), out.string(query.type.sample.unit)});
  batch.default_sample_type = batch.sample_types[0].type;
  batch.period_type = {out.string(query.type.period.type), out.string(query.type.period.unit)};
  batch.period = period_of(query.type.name);
  batch.time_ns = query.range.end_ns;
}

// One sample per node with a value; its stack is the path to the root. Samples without frames come
// first, if there are any.
void add_samples(BatchBuilder& out, const FunctionTree& tree) {
  ProfileBatch::Samples& samples = out.batch().samples;
  const auto finish_sample = [&samples](int64_t value) {
    samples.stack_begin.push_back(static_cast<uint32_t>(samples.frames.size()));
    samples.label_begin.push_back(0);
    samples.values.push_back(value);
  };
  samples.stack_begin.assign(1, 0);
  samples.label_begin.assign(1, 0);
  if (tree.without_stack != 0) finish_sample(tree.without_stack);
  std::vector<uint32_t> location(tree.names.size(), kNoNode);
  for (uint32_t i = 1; i < tree.size(); ++i) {
    if (location[tree.name[i]] == kNoNode)
      location[tree.name[i]] = out.location(tree.names[tree.name[i]]);
    if (tree.self[i] == 0) continue;
    for (uint32_t at = i; at != 0; at = tree.parent[at])
      samples.frames.push_back(location[tree.name[at]]);
    finish_sample(tree.self[i]);
  }
}

}  // namespace

Result<Engine::MergedProfile> Engine::merge_profile(const ProfileQuery& query,
                                                    const CancelToken& token) {
  MergedProfile result;
  LocationMerge merge(*impl_);
  HEARTH_RETURN_IF_ERROR(
      scan(*impl_->options.store, query.tenant, query.selector, query.range, token, &result.cost,
           [&](const std::shared_ptr<const storage::Dataset>& dataset) -> Status {
             HEARTH_ASSIGN_OR_RETURN(const auto sums,
                                     sum_dataset(*impl_, *dataset, query, token, &result.cost));
             return sums ? merge.add(*sums, query.call_site) : Status();
           }));
  HEARTH_RETURN_IF_ERROR(token.check());
  const FunctionTree tree = merge.finish();
  if (tree.size() == 1 && tree.without_stack == 0) return result;
  BatchBuilder out(result.batch);
  describe(out, query);
  add_samples(out, tree);
  return result;
}

}  // namespace hearth::query
