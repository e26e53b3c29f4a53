#include <streamvbyte.h>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/varint.h"
#include "dataset.h"
#include "harness.h"
#include "storage/dataset_merge.h"
#include "storage/open_segment.h"
#include "storage/segment_file.h"
#include "storage/segment_reader.h"
#include "storage/segment_writer.h"
#include "storage/streamvbyte.h"
#include "stream.h"
#include "support/memory_object.h"

namespace hearth::bench {
namespace {

using storage::DatasetInput;

constexpr uint8_t kFresh = 0;
constexpr uint8_t kHour = 1;

std::string write(const DatasetInput& in, uint8_t level = kFresh, bool rollup = false) {
  std::string bytes;
  storage::SegmentWriter::Options options;
  options.level = level;
  options.rollup = rollup;
  storage::SegmentWriter writer(options, [&](std::string_view part) {
    bytes += part;
    return Status{};
  });
  HEARTH_CHECK(writer.add(in).has_value(), "write a dataset");
  HEARTH_CHECK(writer.finish().has_value(), "finish a segment");
  return bytes;
}

// Bytes per profile of every section as more profiles share a dataset, and of the whole object.
void run_size(Context& context) {
  constexpr size_t kMost = 10'000;
  for (const Stream& stream : streams(context, kMost)) {
    size_t previous = 0;
    for (const size_t n : {size_t{1}, size_t{10}, size_t{100}, size_t{228}, size_t{1000}, kMost}) {
      const size_t count = std::min<size_t>(n, stream.size());
      if (std::exchange(previous, count) == count) continue;
      const std::string bytes = write(make_dataset(stream, count), kHour, /*rollup=*/true);
      const auto directory = storage::read_segment_directory(test::MemoryObject(bytes));
      HEARTH_CHECK(directory.has_value(), "read what was written");
      const auto per_profile = [&](const std::string& section, uint64_t size) {
        context.report(
            "size/curve",
            {{"stream", stream.name}, {"profiles", std::to_string(count)}, {"section", section}},
            "B/profile", {static_cast<double>(size) / static_cast<double>(count)});
      };
      const storage::DatasetEntry& dataset = directory->datasets[0];
      uint64_t rollup = 0;
      for (const auto& s : dataset.sections) {
        per_profile(storage::section_name(s.kind), s.stored);
        if (s.kind == storage::SectionKind::roll) rollup = s.stored;
      }
      per_profile("all but ROLL", dataset.stored_bytes() - rollup);
      per_profile("object", bytes.size());
    }
  }
}

void run_seal(Context& context) {
  for (const Stream& stream : streams(context, 1000)) {
    for (const size_t n : {5U, 20U, 1000U}) {
      const DatasetInput in = make_dataset(stream, n);
      const auto profiles = static_cast<double>(in.profile_series.size());
      context.compare(
          "seal", {{"stream", stream.name}, {"profiles", std::to_string(in.profile_series.size())}},
          {{"hearth", [&] { keep(write(in)); }}},
          {Metric::cost("us/profile", profiles, 1e6),
           Metric::cost("ns/row", static_cast<double>(in.row_key.size()), 1e9)});
    }
  }
}

/// Segments of consecutive profiles, opened.
std::vector<std::unique_ptr<storage::OpenSegment>> make_segments(const Stream& stream,
                                                                 size_t segments, size_t each) {
  std::vector<std::unique_ptr<storage::OpenSegment>> out;
  for (size_t s = 0; s < segments && (s + 1) * each <= stream.size(); ++s) {
    const std::string bytes = write(make_dataset(stream, each, s * each));
    auto segment = storage::OpenSegment::open(std::make_unique<test::MemoryObject>(bytes), "");
    HEARTH_CHECK(segment.has_value(), "open a segment");
    out.push_back(std::move(*segment));
  }
  return out;
}

/// The merge of all, written; the bytes.
std::string merge(const std::vector<std::unique_ptr<storage::OpenSegment>>& segments,
                  bool keep_ids) {
  std::vector<const storage::SegmentDataset*> sources;
  for (const auto& s : segments) sources.push_back(&s->dataset(0));
  storage::DatasetMerge merge;
  storage::DatasetMerge::Options options;
  options.keep_ids = keep_ids;
  HEARTH_CHECK(merge.open(sources, options).has_value(), "open a merge");
  std::string bytes;
  storage::SegmentWriter writer({}, [&](std::string_view part) {
    bytes += part;
    return Status{};
  });
  const storage::DatasetInfo& info = sources[0]->info();
  for (size_t i = 0; i < merge.parts(); ++i) {
    const auto part = merge.part(i);
    HEARTH_CHECK(part.has_value(), "merge a part");
    HEARTH_CHECK(writer.add(info.tenant, info.service, info.family, *part).has_value(), "write");
  }
  HEARTH_CHECK(writer.finish().has_value(), "finish a segment");
  return bytes;
}

// Segments × profiles: fresh ones to an hour (20 × 5, 10 × 20), hours to a day (24 × 360). Beside
// it what a seal of all these profiles costs, and the bytes that come out.
void run_compact(Context& context) {
  struct Shape {
    size_t segments, each;
  };
  for (const Shape shape : {Shape{20, 5}, Shape{10, 20}, Shape{24, 360}}) {
    for (const Stream& stream : streams(context, shape.segments * shape.each)) {
      const auto segments = make_segments(stream, shape.segments, shape.each);
      if (segments.size() < 2) continue;
      const size_t profiles = segments.size() * shape.each;
      const DatasetInput all = make_dataset(stream, profiles);
      uint64_t nodes = 0;
      for (const auto& s : segments) nodes += s->dataset(0).info().nodes;
      const bool day = shape.each == 360;
      const bench::Params params = {{"stream", stream.name},
                                    {"segments", std::to_string(segments.size())},
                                    {"each", std::to_string(shape.each)}};
      const auto n = static_cast<double>(profiles);
      const std::string name =
          "compact/" + std::to_string(shape.segments) + "x" + std::to_string(shape.each);
      context.compare(name, params,
                      {{"hearth", [&] { keep(merge(segments, !day)); }},
                       {"seal of all", [&] { keep(write(all)); }}},
                      {Metric::cost("us/profile", n, 1e6),
                       Metric::cost("ns/row", static_cast<double>(all.row_key.size()), 1e9),
                       Metric::cost("ns/node", static_cast<double>(nodes), 1e9)});
      context.report(name, params, "B/profile",
                     {static_cast<double>(merge(segments, !day).size()) / n});
    }
  }
}

// From stored bytes: symbols decoded; rows of all, half and one of the profiles added up.
void run_read(Context& context) {
  for (const Stream& stream : streams(context, 1000)) {
    const DatasetInput in = make_dataset(stream, 1000);
    const auto reader =
        storage::SegmentReader::open(std::make_unique<test::MemoryObject>(write(in)), "");
    HEARTH_CHECK(reader.has_value(), "open a segment");
    const auto dataset = (*reader)->dataset(0);
    const storage::DatasetInfo& info = dataset->info();
    const bench::Params params = {{"stream", stream.name},
                                  {"profiles", std::to_string(info.profiles)}};
    context.compare("segment/symbols", params, {{"hearth", [&] { keep(dataset->symbols()); }}},
                    {Metric::cost("ns/node", static_cast<double>(info.nodes), 1e9),
                     Metric::cost("ms", 1, 1e3)});
    std::vector<int64_t> by_key(info.keys);
    for (const uint32_t step : {1U, 2U, 100U}) {
      std::vector<uint32_t> chosen;
      uint64_t rows = 0;
      for (uint32_t p = 0; p < info.profiles; p += step) {
        chosen.push_back(p);
        rows += (*dataset->profiles())->rows[p];
      }
      bench::Params with = params;
      with.emplace_back("chosen", "1/" + std::to_string(step));
      context.compare(
          "segment/rows", with,
          {{"hearth",
            [&] {
              const size_t last = info.family.types.size() - 1;
              HEARTH_CHECK(dataset->add_rows(chosen, last, by_key).has_value(), "add rows");
            }}},
          {Metric::cost("ns/row", static_cast<double>(rows), 1e9), Metric::cost("ms", 1, 1e3)});
    }
  }
}

/// Gaps between ids as rows have them: mostly one byte, some two.
std::vector<uint32_t> sample_gaps(size_t n) {
  std::vector<uint32_t> values(n);
  uint64_t state = 1;
  for (uint32_t& v : values) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    v = static_cast<uint32_t>(state >> 33U) >> ((state >> 20U) % 3 == 0 ? 16U : 24U);
  }
  return values;
}

void decode_varints(const std::string& bytes, std::vector<uint32_t>& out) {
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  for (uint32_t& v : out) {
    v = *p & 0x7fU;
    for (unsigned shift = 7; *p++ >= 0x80; shift += 7) v |= (*p & 0x7fU) << shift;
  }
}

void run_codec(Context& context) {
  const std::vector<uint32_t> values = sample_gaps(65'536);
  const size_t n = values.size();
  std::string encoded;
  storage::svb::encode(values, encoded);
  std::string varints;
  for (const uint32_t v : values) put_varint(varints, v);
  const std::string padded = encoded + std::string(16, '\0');
  std::vector<uint32_t> out(n);
  const auto metric = {Metric::cost("ns/value", static_cast<double>(n), 1e9)};
  context.compare("codec/decode",
                  {{"bytes/value",
                    std::to_string(static_cast<double>(encoded.size()) / static_cast<double>(n))}},
                  {{"ssse3", [&] { storage::svb::decode_ssse3(encoded, n, out.data()); }},
                   {"scalar", [&] { storage::svb::decode_scalar(encoded, n, out.data()); }},
                   {"check", [&] { keep(storage::svb::check(encoded, n)); }},
                   {"varint", [&] { decode_varints(varints, out); }},
                   {"libstreamvbyte",
                    [&] {
                      streamvbyte_decode(reinterpret_cast<const uint8_t*>(padded.data()),
                                         out.data(), static_cast<uint32_t>(n));
                    }}},
                  metric);
  std::vector<uint8_t> library(streamvbyte_max_compressedbytes(static_cast<uint32_t>(n)));
  context.compare(
      "codec/encode", {},
      {{"hearth",
        [&] {
          encoded.clear();
          storage::svb::encode(values, encoded);
        }},
       {"libstreamvbyte",
        [&] {
          keep(streamvbyte_encode(values.data(), static_cast<uint32_t>(n), library.data()));
        }}},
      metric);
}

const Registration kCodec("codec", run_codec);
const Registration kSize("size/curve", run_size);
const Registration kCompact("compact", run_compact);
const Registration kSeal("seal", run_seal);
const Registration kRead("segment", run_read);

}  // namespace
}  // namespace hearth::bench
