#include "ingest/profile_identity.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"
#include "base/hash.h"

namespace hearth::ingest {
namespace {

void put_id(std::string& out, const Id128& id) {
  put_le(out, id.hi);
  put_le(out, id.lo);
}

void put_labels(std::string& out, std::vector<Label> labels) {
  std::sort(labels.begin(), labels.end());
  for (const Label& l : labels) {
    put_str(out, l.name);
    put_str(out, l.value);
  }
}

void put_content(std::string& out, const Incoming& incoming) {
  const ProfileBatch& b = *incoming.batch;
  for (const ProfileBatch::ValueType& t : b.sample_types) {
    put_str(out, b.strings[t.type]);
    put_str(out, b.strings[t.unit]);
  }
  put_le(out, b.time_ns);
  put_le(out, b.duration_ns);
  put_id(out, hash128(incoming.raw));
}

}  // namespace

std::optional<Id128> profile_identity(const Tenant& tenant, const Incoming& incoming) {
  std::string text;
  put_str(text, tenant.id());
  if (incoming.profile_id) {
    text += 'p';
    put_id(text, *incoming.profile_id);
  } else if (!incoming.idempotency_key.empty()) {
    text += 'k';
    put_str(text, incoming.idempotency_key);
    put_le(text, incoming.index);
  } else if (incoming.has_time && incoming.batch->time_ns > 0 && !incoming.raw.empty()) {
    text += 'c';
    put_labels(text, incoming.labels);
    put_content(text, incoming);
  } else {
    return std::nullopt;
  }
  return hash128(text);
}

Id128 group_identity(const Id128& profile, const LabelSet& series) {
  std::string text = series.encode();
  put_id(text, profile);
  return hash128(text);
}

}  // namespace hearth::ingest
