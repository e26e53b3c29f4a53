#include <algorithm>
#include <optional>

#include "api/flame_graph.h"
#include "api/page.h"
#include "api/page_tree_codec.h"
#include "query/function_search.h"
#include "query/page_tree.h"

namespace hearth::api {
namespace {

constexpr int64_t kFramesDefault = 100'000;
constexpr int64_t kFramesMax = 1'000'000;
constexpr int64_t kRowsDefault = 10'000;
constexpr int64_t kRowsMax = 100'000;

/// The node at the end of `path`, names from the root; nullopt when there is none.
std::optional<uint32_t> node_at(const query::FunctionTree& tree,
                                const std::vector<std::string>& path) {
  const std::vector<uint32_t> ends = subtree_ends(tree);
  uint32_t node = 0;
  for (const std::string& name : path) {
    uint32_t child = node + 1;
    while (child < ends[node] && tree.names[tree.name[child]] != name) child = ends[child];
    if (child >= ends[node]) return std::nullopt;
    node = child;
  }
  return node;
}

struct Detail {
  query::DetailOptions options;
  query::ProfileQuery profiles;
};
Result<Detail> detail_of(PageParams& params) {
  Detail out;
  HEARTH_ASSIGN_OR_RETURN(out.profiles, params.profiles());
  HEARTH_ASSIGN_OR_RETURN(out.options.min, params.optional_integer("min", 0, INT64_MAX));
  HEARTH_ASSIGN_OR_RETURN(const int64_t cap, params.integer("cap", kFramesDefault, 1, kFramesMax));
  out.options.cap = static_cast<uint64_t>(cap);
  return out;
}

/// The part of the tree that was asked for, top down or bottom up; nullopt when the path leads
/// nowhere.
Result<std::optional<query::CallTree>> asked_part(PageParams& params,
                                                  const query::FunctionTree& tree,
                                                  const query::DetailOptions& options) {
  const std::vector<std::string> path = params.list("path");
  const std::string order = params.text("o");
  if (order == "bu") return query::inverted(tree, path, options.min);
  if (!order.empty() && order != "td")
    return params.bad("o", "read o: got \"" + order + "\"; want td or bu");
  const auto node = node_at(tree, path);
  if (!node) return std::nullopt;
  return query::subtree(tree, *node);
}

net::Response binary(std::string body) {
  net::Response response;
  response.headers.add("Content-Type", std::string(kTreeContentType));
  response.body = std::move(body);
  return response;
}

TreeAnswer answer_of(const query::PageTree& page, const query::Engine::PlacedTreeResult& merged,
                     const Detail& detail, std::string_view cost) {
  TreeAnswer answer;
  answer.page = &page;
  answer.names = merged.tree.names;
  answer.places = merged.places;
  answer.unit = detail.profiles.type.sample.unit;
  answer.cap = detail.options.cap;
  answer.cost = cost;
  return answer;
}

Result<net::Response> tree(const App& app, PageParams& params) {
  const CallTimer timer(app.clock());
  HEARTH_ASSIGN_OR_RETURN(const Detail detail, detail_of(params));
  HEARTH_ASSIGN_OR_RETURN(const auto kept,
                          app.engine.shared_placed_tree(detail.profiles, params.cancel()));
  const query::Engine::PlacedTreeResult& merged = *kept;
  HEARTH_ASSIGN_OR_RETURN(const auto part, asked_part(params, merged.tree, detail.options));
  if (!part) return params.bad("path", "read path: no frame at its end", {}, ErrorCode::not_found);
  const query::PageTree page = query::level_of_detail(*part, detail.options);
  const std::string cost = cost_json(merged.cost, timer.ms());
  std::string body;
  append_tree_envelope(body, answer_of(page, merged, detail, cost));
  return binary(std::move(body));
}

Result<net::Response> sandwich(const App& app, PageParams& params) {
  const CallTimer timer(app.clock());
  const std::string function = params.text("fn");
  if (function.empty()) return params.bad("fn", "read fn: missing; want a function name");
  HEARTH_ASSIGN_OR_RETURN(const Detail detail, detail_of(params));
  HEARTH_ASSIGN_OR_RETURN(const auto kept,
                          app.engine.shared_placed_tree(detail.profiles, params.cancel()));
  const query::Engine::PlacedTreeResult& merged = *kept;
  const auto found = query::sandwich(merged.tree, function, detail.options.min);
  if (!found) return params.bad("fn", "read fn: no frame of that name", {}, ErrorCode::not_found);
  const query::PageTree callers = query::level_of_detail(found->callers, detail.options);
  const query::PageTree callees = query::level_of_detail(found->callees, detail.options);
  const std::string cost = cost_json(merged.cost, timer.ms());
  std::string body;
  for (const query::PageTree* half : {&callers, &callees}) {
    TreeAnswer answer = answer_of(*half, merged, detail, cost);
    answer.tree = half == &callers ? 0 : 1;
    answer.trees = 2;
    answer.fn = TreeAnswer::Function{found->total, found->self, found->paths, found->recursive};
    append_tree_envelope(body, answer);
  }
  return binary(std::move(body));
}

Result<query::FunctionQuery> function_query(PageParams& params) {
  query::FunctionQuery query;
  if (const std::string sort = params.text("sort"); !sort.empty()) {
    auto parsed = query::FunctionSort::parse(sort);
    if (!parsed) return params.bad("sort", parsed.error().message);
    query.sort = *parsed;
  }
  HEARTH_ASSIGN_OR_RETURN(const int64_t limit, params.integer("limit", kRowsDefault, 1, kRowsMax));
  query.limit = static_cast<uint64_t>(limit);
  if (const std::string pattern = params.text("q"); !pattern.empty()) {
    auto parsed = query::NamePattern::parse(pattern);
    if (!parsed) return params.bad("q", parsed.error().message);
    query.pattern = std::move(*parsed);
  }
  return query;
}

void write_function_columns(JsonWriter& json, const query::FunctionTree& tree,
                            const std::vector<query::FunctionRow>& rows) {
  json.key("names").begin_array();
  for (const auto& row : rows) json.value(tree.names[row.name]);
  json.end_array().key("self").begin_array();
  for (const auto& row : rows) json.value(row.self);
  json.end_array().key("totals").begin_array();
  for (const auto& row : rows) json.value(row.total);
  json.end_array();
}

Result<net::Response> functions(const App& app, PageParams& params) {
  const CallTimer timer(app.clock());
  HEARTH_ASSIGN_OR_RETURN(const query::ProfileQuery profiles, params.profiles());
  HEARTH_ASSIGN_OR_RETURN(query::FunctionQuery query, function_query(params));
  HEARTH_ASSIGN_OR_RETURN(const auto kept,
                          app.engine.shared_placed_tree(profiles, params.cancel()));
  const query::Engine::PlacedTreeResult& merged = *kept;
  const auto node = node_at(merged.tree, params.list("path"));
  if (!node) return params.bad("path", "read path: no frame at its end", {}, ErrorCode::not_found);
  query.node = *node;
  const query::FunctionPage page = query::function_page(merged.tree, query);
  JsonWriter json;
  json.begin_object().field("unit", profiles.type.sample.unit).field("total", merged.tree.total[0]);
  json.field("functions", page.functions).field("rows", page.rows_total);
  write_function_columns(json, merged.tree, page.rows);
  json.key("matched");
  if (page.matched) {
    json.begin_object()
        .field("functions", page.matched->functions)
        .field("value", page.matched->value);
    json.field("path_value", page.matched->path_value)
        .field("in_path", page.matched->in_path)
        .end_object();
  } else {
    json.null();
  }
  json.key("cost").raw(cost_json(merged.cost, timer.ms())).end_object();
  return page_json(json);
}

}  // namespace

void add_page_tree_routes(App& app, std::vector<net::Route>& routes) {
  routes.push_back(page_route(app, "tree", tree));
  routes.push_back(page_route(app, "sandwich", sandwich));
  routes.push_back(page_route(app, "functions", functions));
}

}  // namespace hearth::api
