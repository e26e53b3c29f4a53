// Opens a hearth database in this process, writes profiles, and prints their flame graph, their top
// functions and a timeline as text.
//
//   flame DIRECTORY [PROFILE…]     profiles: pprof (.pb.gz) or folded text; without any, a few are
//   invented
#include <hearth/database.h>
#include <hearth/version.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace {

constexpr int64_t kSecond = 1'000'000'000;

int64_t now_ns() {
  return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The value of a result, or the end of the program with what went wrong.
template <class T>
T must(hearth::Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "flame: %s (%s)\n", result.error().message.c_str(),
               hearth::to_string(result.error().code));
  std::exit(1);
}

std::string read_file(const char* path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "flame: cannot read %s\n", path);
    std::exit(1);
  }
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Six profiles of ten seconds, the last of them just over; the cache costs more from one to the
/// next.
void write_invented(hearth::EmbeddedDatabase& db) {
  for (int i = 0; i < 6; ++i) {
    const std::string folded =
        "main;serve;parse 40\nmain;serve;render;layout 25\nmain;serve;render;paint 20\nmain;gc 8\n"
        "main;serve;cache;lookup " +
        std::to_string(5 + 10 * i) + "\n";
    must(db.write(folded, {.labels = {{"service_name", "shop"}},
                           .time_ns = now_ns() - (6 - i) * 10 * kSecond}));
  }
}

void print_flame_graph(const hearth::FlameGraph& graph) {
  constexpr double kWidth = 40;
  const double all = graph.total[0] > 0 ? static_cast<double>(graph.total[0]) : 1;
  for (size_t i = 1; i < graph.size(); ++i) {
    const double share = static_cast<double>(graph.total[i]) / all;
    const std::string bar(static_cast<size_t>(share * kWidth + 0.5), '#');
    std::printf("%6.2f %%  %-40s  %*s%s\n", 100 * share, bar.c_str(),
                static_cast<int>(2 * (graph.depth[i] - 1)), "", graph.name_of(i).c_str());
  }
}

void print_top(const hearth::FunctionTable& table) {
  std::printf("\n%12s %12s  function\n", "self", "total");
  for (size_t i = 0; i < table.functions.size() && i < 5; ++i) {
    const hearth::FunctionValue& f = table.functions[i];
    std::printf("%12lld %12lld  %s\n", static_cast<long long>(f.self),
                static_cast<long long>(f.total), f.name.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s DIRECTORY [PROFILE...]\n", argv[0]);
    return 2;
  }
  const auto db = must(hearth::EmbeddedDatabase::open({.data_dir = argv[1]}));
  if (argc == 2) write_invented(*db);
  for (int i = 2; i < argc; ++i)
    must(db->write(read_file(argv[i]), {.labels = {{"service_name", "shop"}}}));

  const auto types = must(db->profile_types(hearth::Tenant::anonymous(), {}));
  for (const hearth::ProfileType& type : types) {
    hearth::Query query;
    query.type = type;
    query.selector = "{service_name=\"shop\"}";
    const auto graph = must(db->flame_graph(query, 60));
    std::printf("\n%s, %llu profiles\n", type.id().c_str(),
                static_cast<unsigned long long>(graph.coverage.profiles));
    print_flame_graph(graph);
    print_top(must(db->function_table(query)));

    query.range = {now_ns() - 60 * kSecond, now_ns()};
    for (const hearth::Series& series :
         must(db->series({.query = query, .step_ms = 10'000})).series) {
      std::printf("\nlast minute, sums of 10 s:");
      for (const hearth::SeriesPoint& point : series.points) std::printf(" %.0f", point.value);
      std::printf("\n");
    }
  }
  const auto sealed = must(db->seal());
  std::printf("\nsealed %llu profiles with hearth %s; `hearth serve --data %s` serves them\n",
              static_cast<unsigned long long>(sealed), hearth::version(), argv[1]);
  return 0;
}
