#include "storage/head_record.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace hearth::storage {
namespace {

constexpr uint8_t kFormat = 1;
constexpr size_t kTypesMax = 1024;

Id128 read_id(ByteReader& in) {
  const std::string_view raw = in.bytes(16);
  if (raw.size() != 16) return {};
  return {load_be<uint64_t>(raw.data()), load_be<uint64_t>(raw.data() + 8)};
}

}  // namespace

std::string encode_family(const Family& family) {
  std::string out;
  put_varint(out, family.types.size());
  for (const SampleType& type : family.types) {
    put_str(out, type.type);
    put_str(out, type.unit);
  }
  put_str(out, family.period.type);
  put_str(out, family.period.unit);
  return out;
}

Result<Family> decode_family(std::string_view bytes) {
  ByteReader in(bytes);
  Family family;
  family.types.resize(in.count(kTypesMax));
  for (SampleType& type : family.types) {
    type.type = in.str();
    type.unit = in.str();
  }
  family.period.type = in.str();
  family.period.unit = in.str();
  if (!in.done()) return fail(ErrorCode::data_loss, "read a family: malformed bytes");
  return family;
}

std::string encode_head_record(const HeadRecordHeader& header, const Rows& rows) {
  std::string out;
  out.reserve(header.family.size() + header.series.size() + 96 + rows.size() * 3);
  out.push_back(static_cast<char>(kFormat));
  put_str(out, header.family);
  put_str(out, header.series);
  put_svarint(out, header.start_ns);
  put_svarint(out, header.duration_ns);
  put_svarint(out, header.period);
  put_be(out, header.id.hi);
  put_be(out, header.id.lo);
  put_varint(out, rows.size());
  put_varint(out, rows.totals.size());
  for (const int64_t total : rows.totals) put_svarint(out, total);
  encode_rows(rows, out);
  return out;
}

Result<std::unique_ptr<HeadRecord>> HeadRecord::parse(std::string value) {
  auto record = std::make_unique<HeadRecord>();
  record->value = std::move(value);
  ByteReader in(record->value);
  if (const uint8_t format = in.u8(); format != kFormat) {
    return fail(ErrorCode::data_loss,
                fmt::format("read a head record: got format {}; want {}", format, kFormat));
  }
  record->family = in.str();
  record->series = in.str();
  record->start_ns = in.svarint();
  record->duration_ns = in.svarint();
  record->period = in.svarint();
  record->id = read_id(in);
  record->rows = static_cast<uint32_t>(in.varint_max(UINT32_MAX));
  record->totals.resize(in.count(kTypesMax));
  for (int64_t& total : record->totals) total = in.svarint();
  record->row_bytes = in.bytes(in.left());
  if (!in.ok()) return fail(ErrorCode::data_loss, "read a head record: too short");
  return record;
}

}  // namespace hearth::storage
