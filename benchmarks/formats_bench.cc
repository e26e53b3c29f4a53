#include <profile.pb.h>
#include <zlib.h>

#include <string>

#include "base/check.h"
#include "base/gzip_codec.h"
#include "formats/pprof_decoder.h"
#include "harness.h"
#include "stream.h"

namespace hearth::bench {
namespace {

constexpr size_t kProfiles = 100;

// Inflates with zlib into `out`, which is large enough.
void zlib_gunzip(const std::string& body, std::string& out) {
  z_stream z{};
  HEARTH_CHECK(inflateInit2(&z, 16 + MAX_WBITS) == Z_OK, "inflateInit2");
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  z.avail_in = static_cast<uInt>(body.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  HEARTH_CHECK(inflate(&z, Z_FINISH) == Z_STREAM_END, "inflate");
  inflateEnd(&z);
}

void run_gunzip(Context& context) {
  for (const Stream& stream : streams(context, kProfiles)) {
    std::string out;
    std::string zlib_out(32U << 20U, '\0');
    const auto ours = [&] {
      for (const std::string& body : stream.gzip)
        HEARTH_CHECK(gunzip(body, 256U << 20U, out).has_value(), "gunzip");
    };
    const auto zlib = [&] {
      for (const std::string& body : stream.gzip) zlib_gunzip(body, zlib_out);
    };
    context.compare("gunzip", {{"stream", stream.name}}, {{"libdeflate", ours}, {"zlib", zlib}},
                    {Metric::rate("MB/s in", stream.gzip_bytes() / 1e6),
                     Metric::rate("MB/s out", stream.raw_bytes() / 1e6),
                     Metric::cost("us/profile", static_cast<double>(stream.size()), 1e6)});
  }
}

void run_parse(Context& context) {
  for (const Stream& stream : streams(context, kProfiles)) {
    ProfileBatch batch;
    google::v1::Profile message;
    const auto ours = [&] {
      for (const std::string& body : stream.raw)
        HEARTH_CHECK(formats::decode_pprof(body, {}, batch).has_value(), "decode_pprof");
    };
    const auto protobuf = [&] {
      for (const std::string& body : stream.raw)
        HEARTH_CHECK(message.ParseFromString(body), "ParseFromString");
    };
    context.compare("parse", {{"stream", stream.name}},
                    {{"hearth", ours}, {"protobuf reused", protobuf}},
                    {Metric::rate("MB/s", stream.raw_bytes() / 1e6),
                     Metric::cost("ns/sample", static_cast<double>(stream.samples), 1e9),
                     Metric::cost("us/profile", static_cast<double>(stream.size()), 1e6)});
    context.report("parse/memory", {{"stream", stream.name}}, "batch bytes per input byte",
                   {static_cast<double>(batch.memory_bytes()) /
                    static_cast<double>(stream.raw.back().size())});
  }
}

const Registration kGunzip("gunzip", run_gunzip);
const Registration kParse("parse", run_parse);

}  // namespace
}  // namespace hearth::bench
