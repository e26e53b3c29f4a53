#include "stream.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "base/gzip_codec.h"
#include "formats/pprof_decoder.h"
#include "formats/pprof_encoder.h"
#include "support/profile_gen.h"

namespace hearth::bench {
namespace {

using test::ProfileGen;
using test::ProfileShape;

ProfileShape shape_of(StreamKind kind) {
  ProfileShape shape;
  if (kind == StreamKind::heap) {
    shape.samples = 4500;
    shape.mean_depth = 25;
    shape.functions = 600;
    shape.types = {{"alloc_objects", "count"},
                   {"alloc_space", "bytes"},
                   {"inuse_objects", "count"},
                   {"inuse_space", "bytes"}};
    shape.period_type = {"space", "bytes"};
    shape.period = 524288;
    shape.labelled_percent = 60;
  }
  return shape;
}

/// Draws profile after profile; see generated_stream().
class Synthesiser {
 public:
  Synthesiser(StreamKind kind, uint64_t seed)
      : gen_(seed, shape_of(kind)), beta_(kind == StreamKind::cpu ? 0.69 : 0.2) {}

  ProfileBatch next() {
    std::set<ProfileGen::Stack> now;
    ++profiles_;
    if (profiles_ == 1) {
      while (now.size() < gen_.shape().samples) now.insert(gen_.draw());
    } else {
      for (const ProfileGen::Stack& stack : before_)
        now.insert(gen_.dice().percent(50) ? stack : from_pool());
      while (now.size() < gen_.shape().samples) now.insert(from_pool());
      renew(now);
    }
    std::vector<ProfileGen::Sample> samples;
    for (const ProfileGen::Stack& stack : now) {
      ++seen_[stack];
      pool_.push_back(stack);
      samples.push_back(gen_.weigh(stack));
    }
    before_.assign(now.begin(), now.end());
    return gen_.batch(samples);
  }

 private:
  const ProfileGen::Stack& from_pool() { return pool_[gen_.dice().below(pool_.size())]; }

  // Replaces stacks that occurred once until there are as many distinct stacks as the curve wants.
  void renew(std::set<ProfileGen::Stack>& now) {
    const double wanted =
        static_cast<double>(gen_.shape().samples) * std::pow(static_cast<double>(profiles_), beta_);
    const double fresh = wanted - static_cast<double>(seen_.size());
    std::vector<ProfileGen::Stack> singletons;
    for (const ProfileGen::Stack& stack : now) {
      if (seen_[stack] <= 1) singletons.push_back(stack);
    }
    for (size_t i = 0; i < singletons.size() && static_cast<double>(i) < fresh; ++i) {
      ProfileGen::Stack stack = gen_.vary(singletons[i]);
      while (seen_.contains(stack) || now.contains(stack)) stack = gen_.vary(stack);
      now.erase(singletons[i]);
      now.insert(std::move(stack));
    }
  }

  ProfileGen gen_;
  double beta_;
  size_t profiles_ = 0;
  std::vector<ProfileGen::Stack> before_;
  std::vector<ProfileGen::Stack>
      pool_;  // One entry per occurrence: drawing from it follows the pooled distribution.
  std::map<ProfileGen::Stack, size_t> seen_;
};

// Adds a body (gzip or not) when it is a pprof.
void add(Stream& stream, std::string body) {
  std::string raw;
  if (is_gzip(body)) {
    if (!gunzip(body, 256U << 20U, raw)) return;
  } else {
    raw = body;
    body = gzip_compress(raw, 6);
  }
  raw.append(kReadSlack, '\0');
  raw.resize(raw.size() - kReadSlack);
  ProfileBatch batch;
  if (!formats::decode_pprof(raw, {}, batch)) return;
  stream.samples += batch.samples.size();
  stream.gzip.push_back(std::move(body));
  stream.raw.push_back(std::move(raw));
}

double total(const std::vector<std::string>& bodies) {
  double bytes = 0;
  for (const std::string& body : bodies) bytes += static_cast<double>(body.size());
  return bytes;
}

std::vector<Stream> corpus_streams(const std::string& directory, size_t profiles) {
  std::map<std::string, std::vector<std::filesystem::path>> by_stream;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    const std::string stem = entry.path().filename().string();
    // Files whose names are numbers alone are one stream a folder.
    const size_t dash = stem.rfind('-');
    const std::string kind = dash == std::string::npos ? "" : "/" + stem.substr(0, dash);
    if (dash == std::string::npos && !stem.ends_with(".gz") && !stem.ends_with(".pprof")) continue;
    by_stream[entry.path().parent_path().filename().string() + kind].push_back(entry.path());
  }
  std::vector<Stream> result;
  for (auto& [name, files] : by_stream) {
    std::sort(files.begin(), files.end());
    Stream stream;
    stream.name = name;
    for (size_t i = 0; i < files.size() && stream.size() < profiles; ++i) {
      std::ifstream in(files[i], std::ios::binary);
      add(stream, std::string(std::istreambuf_iterator<char>(in), {}));
    }
    if (stream.size() > 0) result.push_back(std::move(stream));
  }
  return result;
}

}  // namespace

double Stream::gzip_bytes() const {
  return total(gzip);
}
double Stream::raw_bytes() const {
  return total(raw);
}

Stream generated_stream(StreamKind kind, size_t profiles, uint64_t seed) {
  Synthesiser synthesiser(kind, seed);
  Stream stream;
  stream.name = kind == StreamKind::cpu ? "generated/cpu" : "generated/heap";
  for (size_t i = 0; i < profiles; ++i)
    add(stream, formats::encode_pprof_gzip(synthesiser.next(), 6));
  return stream;
}

std::vector<Stream> streams(const Context& context, size_t profiles) {
  if (!context.options().corpus.empty()) return corpus_streams(context.options().corpus, profiles);
  std::vector<Stream> result;
  result.push_back(generated_stream(StreamKind::cpu, profiles));
  result.push_back(generated_stream(StreamKind::heap, std::min<size_t>(profiles, 40)));
  return result;
}

}  // namespace hearth::bench
