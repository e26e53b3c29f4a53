#include "db/demo_program.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace hearth::demo {
namespace {

constexpr int64_t kCpuPeriodNs = 10'000'000;  // 100 Hz

#define HTTP "main.main;net/http.(*Server).Serve;net/http.(*conn).serve;"
const std::vector<Service> kServices = {
    {"checkout",
     1.2,
     {{HTTP "acme.handle;acme.Encode;encoding/json.Marshal;encoding/json.(*encodeState).marshal",
       14},
      {HTTP "acme.handle;acme.Encode;encoding/json.Marshal;reflect.Value.Field", 6},
      {HTTP "acme.handle;acme.Encode;compress/flate.(*compressor).deflate", 5},
      {HTTP "acme.handle;acme.priceCart;acme.walk;acme.walk;acme.walk;acme.discount", 7},
      {HTTP "acme.handle;acme.priceCart;acme.walk;acme.discount", 5},
      {HTTP "acme.handle;acme.priceCart;acme/tax.Lookup;runtime.mapaccess2_faststr", 6},
      {HTTP "acme.handle;acme/store.(*Client).Get;database/"
            "sql.(*DB).QueryContext;net.(*conn).Read;syscall.Syscall",
       9},
      {HTTP "acme.handle;acme/store.(*Client).Put;database/"
            "sql.(*Tx).Commit;net.(*conn).Write;syscall.Syscall",
       6},
      {HTTP "net/http.(*conn).readRequest;net/textproto.(*Reader).ReadMIMEHeader", 4},
      {HTTP "acme.handle;log/slog.(*Logger).Info;fmt.Fprintf", 3},
      {"runtime.gcBgMarkWorker;runtime.gcDrain;runtime.scanobject", 9},
      {"runtime.mstart;runtime.schedule;runtime.findRunnable", 4},
      {"main.main;acme.flushLoop;acme/metrics.(*Registry).Push;encoding/json.Marshal", 3}}},
    {"search",
     2.1,
     {{HTTP "search.handleQuery;search/index.(*Reader).Search;search/index.intersect;search/"
            "index.(*Postings).Next",
       24},
      {HTTP "search.handleQuery;search/index.(*Reader).Search;search/score.BM25;math.Log", 11},
      {HTTP "search.handleQuery;search/"
            "index.(*Reader).Search;sort.Sort;sort.pdqsort;search.byScore.Less",
       8},
      {HTTP "search.handleQuery;search/"
            "parse.Query;regexp.(*Regexp).FindAllString;regexp.(*machine).step",
       7},
      {HTTP "search.handleQuery;search.render;html/template.(*Template).Execute;text/"
            "template.(*state).walk",
       9},
      {HTTP "search.handleQuery;search/cache.(*LRU).Get;sync.(*Mutex).Lock", 4},
      {"main.main;search/index.(*Writer).mergeLoop;search/index.mergeSegments;search/"
       "codec.encodeBlock",
       8},
      {"main.main;search/index.(*Writer).mergeLoop;search/index.mergeSegments;syscall.Syscall", 3},
      {"runtime.gcBgMarkWorker;runtime.gcDrain;runtime.scanobject", 7},
      {"runtime.mstart;runtime.schedule;runtime.findRunnable", 3}}},
    {"worker",
     0.7,
     {{"main.main;worker.run;worker.thumbnail;image/jpeg.Decode;image/"
       "jpeg.(*decoder).processSOS;image/jpeg.idct",
       18},
      {"main.main;worker.run;worker.thumbnail;golang.org/x/image/draw.(*Kernel).Scale", 16},
      {"main.main;worker.run;worker.thumbnail;image/jpeg.Encode;image/"
       "jpeg.(*encoder).writeBlock;image/jpeg.fdct",
       12},
      {"main.main;worker.run;worker.upload;crypto/tls.(*Conn).Write;crypto/aes.gcmAesEnc", 9},
      {"main.main;worker.run;worker.upload;bytes.(*Buffer).ReadFrom;runtime.memmove", 5},
      {"main.main;worker.run;worker.fetchJob;encoding/json.Unmarshal;encoding/"
       "json.(*decodeState).object",
       5},
      {"main.main;worker.run;worker.checksum;crypto/sha256.block", 8},
      {"runtime.gcBgMarkWorker;runtime.gcDrain;runtime.scanobject", 5}}},
};
#undef HTTP

std::vector<std::string_view> split(std::string_view frames) {
  std::vector<std::string_view> out;
  while (true) {
    const size_t at = frames.find(';');
    out.push_back(frames.substr(0, at));
    if (at == std::string_view::npos) return out;
    frames.remove_prefix(at + 1);
  }
}

double uniform(Random& random) {
  return static_cast<double>(random.next_u64() >> 11U) * 0x1p-53;
}

/// A count around `mean`: normal approximation of a Poisson number (sum of uniforms), never
/// negative.
int64_t draw(double mean, Random& random) {
  double z = -6;
  for (int i = 0; i < 12; ++i) z += uniform(random);
  return std::max<int64_t>(0, std::llround(mean + std::sqrt(mean) * z));
}

std::string file_of(std::string_view function) {
  const size_t slash = function.rfind('/');
  const size_t dot = function.find('.', slash == std::string_view::npos ? 0 : slash);
  const std::string package(function.substr(0, dot));
  const std::string base = package.substr(package.rfind('/') + 1);
  return "/src/" + package + "/" + base + ".go";
}

}  // namespace

const std::vector<Service>& services() {
  return kServices;
}

std::string_view metric_name(Program::Kind kind) {
  constexpr std::string_view kNames[] = {"process_cpu", "memory", "goroutines", "mutex"};
  return kNames[static_cast<size_t>(kind)];
}

uint32_t Program::string_index(std::string_view text) {
  const auto found = std::find(strings_.begin(), strings_.end(), text);
  if (found != strings_.end()) return static_cast<uint32_t>(found - strings_.begin());
  strings_.emplace_back(text);
  return static_cast<uint32_t>(strings_.size() - 1);
}

Program::Program(const Service& service) : cores_(service.cores) {
  strings_.emplace_back();
  for (const char* fixed :
       {"samples", "count", "cpu", "nanoseconds", "alloc_objects", "alloc_space", "inuse_objects",
        "inuse_space", "bytes", "space", "goroutine", "contentions", "delay"}) {
    string_index(fixed);
  }
  // One stack per prefix of at least two frames; an inner frame keeps a tenth of what passes
  // through it as its own.
  std::map<std::vector<std::string_view>, double> stacks;
  for (const Path& path : service.paths) {
    std::vector<std::string_view> frames = split(path.frames);
    stacks[frames] += path.weight;
    for (frames.pop_back(); frames.size() >= 2; frames.pop_back())
      stacks[frames] += path.weight * 0.1;
  }
  std::map<std::string_view, uint32_t> location_of;
  shape_.mappings.start = {0x400000};
  shape_.mappings.limit = {0x1400000};
  shape_.mappings.offset = {0};
  shape_.mappings.file = {string_index("/usr/local/bin/" + std::string(service.name))};
  shape_.mappings.build_id = {0};
  shape_.mappings.flags = {ProfileBatch::kHasFunctions | ProfileBatch::kHasFilenames |
                           ProfileBatch::kHasLineNumbers};
  shape_.locations.line_begin = {0};
  shape_.samples.stack_begin = {0};
  shape_.samples.label_begin = {0};
  for (const auto& [frames, weight] : stacks) {
    bool in_encode = false;
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
      in_encode |= *frame == "acme.Encode";
      const auto [it, added] = location_of.emplace(*frame, shape_.locations.size());
      if (added) {
        const auto index = static_cast<int64_t>(shape_.functions.size());
        shape_.functions.name.push_back(string_index(*frame));
        shape_.functions.system_name.push_back(shape_.functions.name.back());
        shape_.functions.file.push_back(string_index(file_of(*frame)));
        shape_.functions.start_line.push_back(20 + 13 * index);
        shape_.locations.mapping.push_back(0);
        shape_.locations.address.push_back(0);
        shape_.locations.folded.push_back(0);
        shape_.lines.function.push_back(static_cast<uint32_t>(index));
        shape_.lines.line.push_back(27 + 13 * index);
        shape_.lines.column.push_back(0);
        shape_.locations.line_begin.push_back(static_cast<uint32_t>(shape_.lines.function.size()));
      }
      shape_.samples.frames.push_back(it->second);
    }
    shape_.samples.stack_begin.push_back(static_cast<uint32_t>(shape_.samples.frames.size()));
    shape_.samples.label_begin.push_back(0);
    weight_.push_back(weight);
    in_encode_.push_back(in_encode);
  }
}

void Program::add_types(ProfileBatch& batch, Kind kind) const {
  const auto at = [this](std::string_view text) {
    return static_cast<uint32_t>(std::find(strings_.begin(), strings_.end(), text) -
                                 strings_.begin());
  };
  const auto type = [&](std::string_view name, std::string_view unit) {
    return ProfileBatch::ValueType{at(name), at(unit)};
  };
  switch (kind) {
    case Kind::cpu:
      batch.sample_types = {type("samples", "count"), type("cpu", "nanoseconds")};
      batch.period_type = type("cpu", "nanoseconds");
      batch.period = kCpuPeriodNs;
      return;
    case Kind::memory:
      batch.sample_types = {type("alloc_objects", "count"), type("alloc_space", "bytes"),
                            type("inuse_objects", "count"), type("inuse_space", "bytes")};
      batch.period_type = type("space", "bytes");
      batch.period = 512 * 1024;
      return;
    case Kind::goroutines:
      batch.sample_types = {type("goroutine", "count")};
      batch.period_type = type("goroutine", "count");
      batch.period = 1;
      return;
    case Kind::mutex:
      batch.sample_types = {type("contentions", "count"), type("delay", "nanoseconds")};
      batch.period_type = type("contentions", "count");
      batch.period = 1;
      return;
  }
}

void Program::fill_values(ProfileBatch& batch, Kind kind, const Load& load, int64_t duration_ns,
                          Random& random) const {
  double sum = 0;
  for (const double w : weight_) sum += w;
  const double ticks =
      cores_ * load.factor * static_cast<double>(duration_ns) / static_cast<double>(kCpuPeriodNs);
  for (size_t s = 0; s < weight_.size(); ++s) {
    const double share = weight_[s] / sum * (load.slow_encode && in_encode_[s] ? 1.66 : 1);
    const auto push = [&batch](std::initializer_list<int64_t> values) {
      batch.samples.values.insert(batch.samples.values.end(), values);
    };
    if (kind == Kind::cpu) {
      const int64_t n = draw(ticks * share, random);
      push({n, n * kCpuPeriodNs});
    } else if (kind == Kind::memory) {
      const int64_t size = int64_t{64} << (s % 7);
      const int64_t allocated = draw(90'000 * load.factor * share, random);
      const int64_t live = draw(20'000 * share, random);
      push({allocated, allocated * size, live, live * size});
    } else if (kind == Kind::goroutines) {
      push({draw(120 * load.factor * share, random)});
    } else {
      const int64_t n = draw(60 * load.factor * share, random);
      push({n, n * (20'000 + static_cast<int64_t>(random.next_u64() % 80'000))});
    }
  }
}

ProfileBatch Program::profile(Kind kind, const Load& load, int64_t duration_ns,
                              Random& random) const {
  ProfileBatch batch = shape_;
  batch.strings.assign(strings_.begin(), strings_.end());
  batch.duration_ns = duration_ns;
  add_types(batch, kind);
  fill_values(batch, kind, load, duration_ns, random);
  return batch;
}

}  // namespace hearth::demo
