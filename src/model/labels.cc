#include "hearth/labels.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace hearth {

Result<LabelSet> LabelSet::make(std::vector<Label> labels) {
  std::erase_if(labels, [](const Label& l) { return l.value.empty(); });
  std::sort(labels.begin(), labels.end());
  for (size_t i = 1; i < labels.size(); ++i) {
    if (labels[i].name == labels[i - 1].name) {
      return fail(ErrorCode::invalid_argument, fmt::format("duplicate label name: '{}'", labels[i].name),
                  "duplicate_label_names");
    }
  }
  LabelSet set;
  set.labels_ = std::move(labels);
  return set;
}

namespace {

auto position(const std::vector<Label>& labels, std::string_view name) {
  return std::lower_bound(labels.begin(), labels.end(), name,
                          [](const Label& l, std::string_view n) { return std::string_view(l.name) < n; });
}

}  // namespace

std::string_view LabelSet::get(std::string_view name) const {
  const auto it = position(labels_, name);
  return it != labels_.end() && it->name == name ? std::string_view(it->value) : std::string_view();
}

void LabelSet::set(std::string_view name, std::string_view value) {
  const auto it = position(labels_, name);
  const auto index = it - labels_.begin();
  const bool present = it != labels_.end() && it->name == name;
  if (value.empty()) {
    if (present) labels_.erase(it);
  } else if (present) {
    labels_[static_cast<size_t>(index)].value = value;
  } else {
    labels_.insert(it, Label{std::string(name), std::string(value)});
  }
}

std::string LabelSet::to_string() const {
  std::string out = "{";
  for (const Label& l : labels_) {
    if (out.size() > 1) out += ", ";
    out += l.name;
    out += "=\"";
    for (const char c : l.value) {
      if (c == '"' || c == '\\') out += '\\';
      if (c == '\n') {
        out += "\\n";
      } else {
        out += c;
      }
    }
    out += '"';
  }
  return out + "}";
}

std::string LabelSet::encode() const {
  std::string out;
  for (const Label& l : labels_) {
    put_str(out, l.name);
    put_str(out, l.value);
  }
  return out;
}

Result<LabelSet> LabelSet::decode(std::string_view bytes) {
  ByteReader in(bytes);
  LabelSet set;
  while (in.ok() && in.left() > 0) {
    Label l;
    l.name = in.str();
    l.value = in.str();
    if (!set.labels_.empty() && set.labels_.back().name >= l.name) in.set_error();
    if (l.value.empty()) in.set_error();
    set.labels_.push_back(std::move(l));
  }
  if (!in.ok()) return fail(ErrorCode::data_loss, "label set: bytes are not in canonical form");
  return set;
}

}  // namespace hearth
