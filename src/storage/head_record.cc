#include "storage/head_record.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "storage/segment_format.h"
#include "storage/side_block.h"

namespace hearth::storage {
namespace {

constexpr uint8_t kFormat = 1;
constexpr uint8_t kFormatWithSide = 2;
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

std::string encode_head_record(const HeadRecordHeader& header, const Rows& rows,
                               const SideTable& side) {
  std::string out;
  out.reserve(header.family.size() + header.series.size() + 96 + rows.size() * 3);
  out.push_back(static_cast<char>(side.empty() ? kFormat : kFormatWithSide));
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
  if (!side.empty()) {
    const auto entries = static_cast<uint32_t>(side.entries.size());
    std::string block;
    encode_side_block({std::span(&entries, 1), side.entries, side.values,
                       std::span(&header.start_ns, 1), rows.types},
                      block);
    put_varint(out, entries);
    put_str(out, block);
  }
  encode_rows(rows, out);
  return out;
}

Status decode_side(const HeadRecord& record, size_t keys, SideTable& out) {
  if (record.side_entries == 0) {
    out = {};
    return {};
  }
  return decode_side_block(
      record.side_bytes,
      {record.side_entries, keys, record.totals.size(), std::span(&record.start_ns, 1)}, out);
}

Result<std::unique_ptr<HeadRecord>> HeadRecord::parse(std::string value) {
  auto record = std::make_unique<HeadRecord>();
  record->value = std::move(value);
  ByteReader in(record->value);
  const uint8_t format = in.u8();
  if (format != kFormat && format != kFormatWithSide) {
    return fail(ErrorCode::data_loss,
                fmt::format("read a head record: got format {}; want {} or {}", format, kFormat,
                            kFormatWithSide));
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
  if (format == kFormatWithSide) {
    record->side_entries = static_cast<uint32_t>(in.varint_max(limit::kSideEntries));
    record->side_bytes = in.str();
  }
  record->row_bytes = in.bytes(in.left());
  if (!in.ok()) return fail(ErrorCode::data_loss, "read a head record: too short");
  return record;
}

}  // namespace hearth::storage
