#include <algorithm>

#include "api/flame_diff.h"
#include "api/flame_graph.h"
#include "api/go_pgo.h"
#include "api/merged_profile.h"
#include "api/querier.h"
#include "api/query_params.h"
#include "model/trace_ids.h"

namespace hearth::api {
namespace {

using querier::v1::SelectMergeStacktracesRequest;
using query::FunctionTree;

std::optional<int64_t> max_nodes_of(const auto& request) {
  return request.has_max_nodes() ? std::optional(request.max_nodes()) : std::nullopt;
}

template <class Request>
Selection selection_of(const Request& request) {
  return {request.profile_typeid(), request.label_selector(), request.start(), request.end()};
}

const types::v1::GoPGO* go_pgo_of(const types::v1::StackTraceSelector& selector) {
  return selector.has_go_pgo() ? &selector.go_pgo() : nullptr;
}

std::vector<std::string> call_site_of(const types::v1::StackTraceSelector& selector) {
  std::vector<std::string> names;
  for (const auto& location : selector.call_site()) names.push_back(location.name());
  return names;
}

/// The ids of a selector, ascending.
template <class Ids, class Parse>
auto parsed_ids(const Ids& texts, Parse parse, std::string_view what, size_t digits)
    -> Result<std::vector<typename decltype(parse(""))::value_type>> {
  std::vector<typename decltype(parse(""))::value_type> ids;
  for (const std::string& text : texts) {
    const auto id = parse(text);
    if (!id) {
      return fail(ErrorCode::invalid_argument, std::string(what) + " \"" + text + "\": want " +
                                                   std::to_string(digits) + " hexadecimal digits");
    }
    ids.push_back(*id);
  }
  std::ranges::sort(ids);
  return ids;
}

bool is_uuid(std::string_view id) {
  if (id.size() != 36) return false;
  std::string digits;
  for (size_t i = 0; i < id.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (id[i] == '-')) return false;
    if (!dash) digits += id[i];
  }
  return is_hex_id(digits, 32);
}

/// What a request selects beside series and times.
struct IdSelection {
  storage::SideSelector side;
  /// Single profiles cannot be selected yet, so nothing matches.
  bool nothing_matches = false;
};

Result<IdSelection> selected_ids(const auto& spans, const auto& traces, const auto& profiles) {
  if (!spans.empty() && !traces.empty()) {
    return fail(ErrorCode::invalid_argument,
                "span_selector and trace_id_selector cannot be combined");
  }
  IdSelection ids;
  HEARTH_ASSIGN_OR_RETURN(ids.side.spans, parsed_ids(spans, parse_span_id, "span id", 16));
  HEARTH_ASSIGN_OR_RETURN(ids.side.traces, parsed_ids(traces, parse_trace_id, "trace id", 32));
  const auto bad = std::ranges::find_if_not(profiles, is_uuid);
  if (bad != profiles.end())
    return fail(ErrorCode::invalid_argument, "profile id \"" + *bad + "\": want a UUID");
  ids.nothing_matches = !profiles.empty();
  return ids;
}

Result<FunctionTree> merged_tree(const Call& call, const query::ProfileQuery& profiles,
                                 bool nothing_matches) {
  if (nothing_matches) return query::empty_function_tree();
  HEARTH_ASSIGN_OR_RETURN(auto result, call.app->engine.merge_tree(profiles, call.cancel));
  return std::move(result.tree);
}

/// `{"flamegraph": …}` in the caller's codec. JSON is written directly: it is the largest answer
/// there is.
Result<std::string> encode_flame_graph(const Call& call, const FlameGraph& graph) {
  if (call.codec == Codec::json) {
    std::string out = "{\"flamegraph\":";
    append_proto_json(out, graph);
    out += '}';
    return out;
  }
  querier::v1::SelectMergeStacktracesResponse response;
  to_proto(graph, *response.mutable_flamegraph());
  return encode_message(response, call.codec);
}

Result<std::string> encode_tree(const Call& call, const FunctionTree& tree) {
  querier::v1::SelectMergeStacktracesResponse response;
  response.set_tree(tree_bytes(tree));
  return encode_message(response, call.codec);
}

struct PprofRequest {
  int64_t end_ms = 0;
  std::optional<int64_t> max_nodes;
  const types::v1::GoPGO* pgo = nullptr;
  bool nothing_matches = false;
};

/// pprof bytes of everything that matches; none when nothing does.
Result<std::string> merged_pprof(const Call& call, const query::ProfileQuery& profiles,
                                 const PprofRequest& request) {
  if (request.nothing_matches) return std::string();
  HEARTH_ASSIGN_OR_RETURN(auto merged, call.app->engine.merge_profile(profiles, call.cancel));
  const types::v1::GoPGO* pgo = request.pgo;
  if (pgo != nullptr)
    shape_for_go_pgo(merged.batch, merged.stacks, pgo->keep_locations(), pgo->aggregate_callees());
  cut_merged_profile(merged.batch, merged.stacks, request.max_nodes.value_or(0));
  return encode_merged_profile(merged.batch, merged.stacks, profiles.type,
                               ms_to_ns(request.end_ms));
}

Result<std::string> encode_pprof_answer(const Call& call, const std::string& pprof) {
  querier::v1::SelectMergeStacktracesResponse response;
  if (!response.mutable_pprof()->mutable_profile()->ParseFromString(pprof)) {
    return fail(ErrorCode::internal, "merged profile does not parse");
  }
  return encode_message(response, call.codec);
}

struct MergeRequest {
  Selection selection;
  std::optional<int64_t> max_nodes;
  int format = 0;
  std::vector<std::string> call_site;
  const types::v1::GoPGO* pgo = nullptr;
  IdSelection ids;
};

Result<std::string> merge_stacktraces(const Call& call, const MergeRequest& request) {
  HEARTH_ASSIGN_OR_RETURN(auto profiles, profile_query(call, request.selection));
  if (!profiles) return encode_message(querier::v1::SelectMergeStacktracesResponse(), call.codec);
  HEARTH_ASSIGN_OR_RETURN(const int64_t budget,
                          node_budget(call.app->pipeline.limits(call.tenant()), request.max_nodes));
  profiles->call_site = request.call_site;
  profiles->side = request.ids.side;
  if (request.format == querier::v1::PROFILE_FORMAT_PPROF) {
    HEARTH_ASSIGN_OR_RETURN(const std::string pprof,
                            merged_pprof(call, *profiles,
                                         {.end_ms = request.selection.end_ms,
                                          .max_nodes = request.max_nodes,
                                          .pgo = request.pgo,
                                          .nothing_matches = request.ids.nothing_matches}));
    return encode_pprof_answer(call, pprof);
  }
  HEARTH_ASSIGN_OR_RETURN(const FunctionTree tree,
                          merged_tree(call, *profiles, request.ids.nothing_matches));
  // The one cut of an exact tree: `other` is the least that so many nodes allow.
  const int64_t threshold = tree.threshold(budget);
  if (request.format == querier::v1::PROFILE_FORMAT_DOT) {
    if (tree.size() <= 1)
      return encode_message(querier::v1::SelectMergeStacktracesResponse(), call.codec);
    return fail(ErrorCode::unimplemented, "profile format DOT is not supported by this version");
  }
  if (request.format == querier::v1::PROFILE_FORMAT_TREE)
    return encode_tree(call, tree.cut(threshold));
  return encode_flame_graph(call, flame_graph(tree, threshold));
}

Result<std::string> select_merge_stacktraces(const Call& call) {
  SelectMergeStacktracesRequest request;
  HEARTH_RETURN_IF_ERROR(decode_message(call.body, call.codec, request));
  HEARTH_ASSIGN_OR_RETURN(IdSelection ids,
                          selected_ids(request.span_selector(), request.trace_id_selector(),
                                       request.profile_id_selector()));
  return merge_stacktraces(call, {.selection = selection_of(request),
                                  .max_nodes = max_nodes_of(request),
                                  .format = request.format(),
                                  .call_site = call_site_of(request.stack_trace_selector()),
                                  .pgo = go_pgo_of(request.stack_trace_selector()),
                                  .ids = std::move(ids)});
}

// Traces to profiles: other formats than a tree read as a flame graph.
Result<std::string> select_merge_span_profile(const Call& call) {
  querier::v1::SelectMergeSpanProfileRequest request;
  HEARTH_RETURN_IF_ERROR(decode_message(call.body, call.codec, request));
  const google::protobuf::RepeatedPtrField<std::string> none;
  HEARTH_ASSIGN_OR_RETURN(IdSelection ids, selected_ids(request.span_selector(), none, none));
  const bool tree = request.format() == querier::v1::PROFILE_FORMAT_TREE;
  return merge_stacktraces(call, {.selection = selection_of(request),
                                  .max_nodes = max_nodes_of(request),
                                  .format = tree ? querier::v1::PROFILE_FORMAT_TREE
                                                 : querier::v1::PROFILE_FORMAT_FLAMEGRAPH,
                                  .call_site = {},
                                  .pgo = nullptr,
                                  .ids = std::move(ids)});
}

Result<std::string> select_merge_profile(const Call& call) {
  querier::v1::SelectMergeProfileRequest request;
  HEARTH_RETURN_IF_ERROR(decode_message(call.body, call.codec, request));
  HEARTH_ASSIGN_OR_RETURN(auto profiles, profile_query(call, selection_of(request)));
  std::string pprof;
  if (profiles) {
    const google::protobuf::RepeatedPtrField<std::string> no_spans;
    HEARTH_ASSIGN_OR_RETURN(IdSelection ids, selected_ids(no_spans, request.trace_id_selector(),
                                                          request.profile_id_selector()));
    profiles->side = std::move(ids.side);
    profiles->call_site = call_site_of(request.stack_trace_selector());
    HEARTH_ASSIGN_OR_RETURN(pprof, merged_pprof(call, *profiles,
                                                {.end_ms = request.end(),
                                                 .max_nodes = max_nodes_of(request),
                                                 .pgo = go_pgo_of(request.stack_trace_selector()),
                                                 .nothing_matches = ids.nothing_matches}));
  }
  if (call.codec == Codec::proto) return pprof;
  google::v1::Profile message;
  if (!message.ParseFromString(pprof))
    return fail(ErrorCode::internal, "merged profile does not parse");
  return encode_message(message, call.codec);
}

Result<FunctionTree> diff_side(const Call& call, const SelectMergeStacktracesRequest& side) {
  HEARTH_ASSIGN_OR_RETURN(auto profiles, profile_query(call, selection_of(side)));
  if (!profiles) return query::empty_function_tree();
  profiles->call_site = call_site_of(side.stack_trace_selector());
  return merged_tree(call, *profiles, false);
}

Result<querier::v1::DiffResponse> diff(const Call& call, const querier::v1::DiffRequest& request) {
  const int64_t asked = std::max(request.left().max_nodes(), request.right().max_nodes());
  HEARTH_ASSIGN_OR_RETURN(const int64_t budget,
                          node_budget(call.app->pipeline.limits(call.tenant()), asked));
  HEARTH_ASSIGN_OR_RETURN(const FunctionTree left, diff_side(call, request.left()));
  HEARTH_ASSIGN_OR_RETURN(const FunctionTree right, diff_side(call, request.right()));
  querier::v1::DiffResponse response;
  to_proto(flame_diff(left, right, budget), *response.mutable_flamegraph());
  return response;
}

}  // namespace

Result<std::optional<query::ProfileQuery>> profile_query(const Call& call,
                                                         const Selection& selection) {
  const auto limits = call.app->pipeline.limits(call.tenant());
  HEARTH_ASSIGN_OR_RETURN(const auto range, query_range(limits, call.app->clock().wall_ns(),
                                                        selection.start_ms, selection.end_ms));
  if (!range) return std::nullopt;
  query::ProfileQuery profiles;
  HEARTH_ASSIGN_OR_RETURN(profiles.type, ProfileType::parse(selection.type));
  HEARTH_ASSIGN_OR_RETURN(profiles.selector, Selector::parse(selection.selector));
  if (call.tenants.size() > 1) {
    return fail(ErrorCode::unimplemented,
                "profiles of several tenants are not merged by this version");
  }
  profiles.tenant = call.tenant();
  profiles.range = *range;
  return profiles;
}

void add_merge_routes(App& app, std::vector<net::Route>& routes) {
  const auto add = [&](std::string_view method, Result<std::string> (*serve)(const Call&)) {
    routes.push_back(connect_route(app, {.path = querier_path(method),
                                         .pool = net::Pool::query,
                                         .tenants = TenantRule::any_number,
                                         .acknowledges = false,
                                         .serve = serve}));
  };
  add("SelectMergeStacktraces", select_merge_stacktraces);
  add("SelectMergeSpanProfile", select_merge_span_profile);
  add("SelectMergeProfile", select_merge_profile);
  routes.push_back(unary_route<querier::v1::DiffRequest, querier::v1::DiffResponse>(
      app, querier_path("Diff"), TenantRule::any_number, diff));
}

}  // namespace hearth::api
