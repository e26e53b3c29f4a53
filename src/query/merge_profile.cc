#include "base/arena.h"
#include "base/saturate.h"
#include "query/engine_impl.h"
#include "query/location_code.h"
#include "query/scan.h"
#include "query/sorted_tree.h"

namespace hearth::query {
namespace {

// Location nodes whose stacks lead through the call site; everything when there is none to ask for.
std::vector<uint8_t> below(const symbols::SymbolTables& tables,
                           const std::vector<std::string>& call_site) {
  std::vector<uint8_t> inside(tables.nodes(), 0);
  // How many frames of the call site the path to a node has matched; kNoNode: another path.
  std::vector<uint32_t> matched(tables.nodes(), 0);
  for (size_t n = 1; n < tables.nodes(); ++n) {
    const uint32_t location = tables.node_location[n];
    uint32_t at = matched[tables.node_parent[n]];
    for (uint32_t line = tables.line_begin[location + 1];
         line-- > tables.line_begin[location] && at < call_site.size();) {
      const uint32_t name = tables.function_name[tables.line_function[line]];
      at = tables.strings[name] == call_site[at] ? at + 1 : kNoNode;
    }
    matched[n] = at;
    inside[n] = at == call_site.size();
  }
  return inside;
}

// Folds trees of locations into one whose labels are the encoded contents of locations: equal
// locations of different datasets become one, and their order does not depend on ids.
class LocationMerge {
 public:
  explicit LocationMerge(Engine::Impl& impl) : impl_(&impl), merger_(*impl.options.memory) {}

  Status add(const DatasetSums& sums, const std::vector<std::string>& call_site) {
    const symbols::SymbolTables& tables = *sums.tables;
    HEARTH_ASSIGN_OR_RETURN(auto by_node, impl_->scratch.borrow(tables.nodes()));
    add_by_node(tables, sums.by_key.values(), by_node.values());
    if (!call_site.empty()) keep_below(tables, call_site, by_node.values());
    std::vector<uint8_t> touched;
    const size_t count = mark_touched(tables.node_parent, by_node.values(), touched);
    HEARTH_ASSIGN_OR_RETURN(const MemoryCharge charge,
                            impl_->options.memory->charge(tables.nodes() * 3 * sizeof(uint32_t) +
                                                              count * kProjectionBytesPerNode,
                                                          "tree of locations of a dataset"));
    const auto texts = std::make_shared<Arena>();
    const FrameLabels frames = location_frames(tables, touched, *texts);
    HEARTH_ASSIGN_OR_RETURN(SortedTree tree, tree_of(tables, frames, touched, by_node.values()));
    merger_.hold(texts);
    HEARTH_RETURN_IF_ERROR(charge_texts(texts->bytes_reserved()));
    return merger_.add(std::move(tree));
  }
  TreeMerger take() { return std::move(merger_); }

 private:
  static void keep_below(const symbols::SymbolTables& tables,
                         const std::vector<std::string>& call_site, std::span<int64_t> by_node) {
    const std::vector<uint8_t> inside = below(tables, call_site);
    for (size_t n = 0; n < by_node.size(); ++n) {
      if (!inside[n]) by_node[n] = 0;
    }
  }

  // Every location is one frame, labelled with its code. Those without value get none.
  FrameLabels location_frames(const symbols::SymbolTables& tables,
                              const std::vector<uint8_t>& touched, Arena& texts) {
    std::vector<uint32_t> place(tables.locations(), 0);
    std::vector<uint32_t> locations;
    std::vector<std::string_view> codes;
    for (size_t n = 1; n < tables.nodes(); ++n) {
      const uint32_t location = tables.node_location[n];
      if (!touched[n] || place[location] != 0) continue;
      place[location] = 1;
      locations.push_back(location);
      codes.push_back(texts.copy(encode_location(tables, location)));
    }
    const TextOrder order = order_texts(codes);
    FrameLabels frames;
    for (uint32_t l = static_cast<uint32_t>(begin_.size()); l < tables.locations() + 1; ++l)
      begin_.push_back(l);
    frames.begin = begin_;
    frames.label.assign(tables.locations(), 0);
    for (size_t i = 0; i < locations.size(); ++i) frames.label[locations[i]] = order.number[i];
    frames.texts.emplace_back();
    for (const uint32_t i : order.first) frames.texts.push_back(codes[i]);
    return frames;
  }

  Result<SortedTree> tree_of(const symbols::SymbolTables& tables, const FrameLabels& frames,
                             const std::vector<uint8_t>& touched,
                             std::span<const int64_t> by_node) {
    const Projection projection = project(tables, frames, touched);
    HEARTH_ASSIGN_OR_RETURN(auto self, impl_->scratch.borrow(projection.size()));
    for (size_t n = 0; n < by_node.size(); ++n) {
      if (by_node[n] == 0) continue;
      int64_t& sum = self.values()[projection.node[n]];
      sum = add_saturating(sum, by_node[n]);
    }
    return sorted_tree(projection.depth, projection.label, self.values(), frames.texts.size(),
                       [&](uint32_t label) { return frames.texts[label]; });
  }

  Status charge_texts(size_t bytes) {
    if (charge_.bytes() != 0) return charge_.resize(charge_.bytes() + bytes);
    HEARTH_ASSIGN_OR_RETURN(charge_, impl_->options.memory->charge(bytes, "locations of a merge"));
    return {};
  }

  Engine::Impl* impl_;
  MemoryCharge charge_;
  TreeMerger merger_;
  std::vector<uint32_t> begin_;  ///< Each location has one frame, whose index is its own.
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

// The stacks, with the locations that they lead through.
formats::StackTree add_locations(BatchBuilder& out, const FunctionTree& tree) {
  formats::StackTree stacks;
  stacks.depth = tree.depth;
  stacks.value = tree.self;
  stacks.value[0] = tree.without_stack;
  stacks.location.assign(tree.size(), 0);
  std::vector<uint32_t> location(tree.names.size(), kNoNode);
  for (size_t i = 1; i < tree.size(); ++i) {
    uint32_t& its_location = location[tree.name[i]];
    if (its_location == kNoNode) its_location = out.location(tree.names[tree.name[i]]);
    stacks.location[i] = its_location;
  }
  return stacks;
}

// The query with one view.
Result<Engine::MergedProfile> merge_locations(Engine::Impl& impl, const ProfileQuery& query,
                                              const CancelToken& token) {
  Engine::MergedProfile result;
  std::vector<LocationMerge> merges;
  for (size_t w = 0; w <= impl.helpers.count; ++w) merges.emplace_back(impl);
  const auto visit = [&](size_t worker, const std::shared_ptr<const storage::Dataset>& dataset,
                         bool large, Cost* cost) -> Status {
    const SumRequest request{&query, SymbolUse::tables, large};
    HEARTH_ASSIGN_OR_RETURN(const auto sums, sum_dataset(impl, *dataset, request, token, cost));
    return sums ? merges[worker].add(*sums, query.call_site) : Status();
  };
  HEARTH_RETURN_IF_ERROR(scan_in_parallel(*impl.options.store, query, {impl.helpers, false}, token,
                                          &result.cost, visit));
  HEARTH_RETURN_IF_ERROR(token.check());
  std::vector<TreeMerger> mergers;
  for (LocationMerge& merge : merges) mergers.push_back(merge.take());
  HEARTH_ASSIGN_OR_RETURN(const FunctionTree tree, merge_all(std::move(mergers)));
  if (tree.size() == 1 && tree.without_stack == 0) return result;
  BatchBuilder out(result.batch);
  describe(out, query);
  result.batch.samples.stack_begin.assign(1, 0);
  result.batch.samples.label_begin.assign(1, 0);
  result.stacks = add_locations(out, tree);
  return result;
}

}  // namespace

Result<Engine::MergedProfile> Engine::merge_profile(const ProfileQuery& query,
                                                    const CancelToken& token) {
  return with_fresh_views([&] { return merge_locations(*impl_, query, token); });
}

}  // namespace hearth::query
