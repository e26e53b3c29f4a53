#include "api/page_tree_codec.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "api/json_writer.h"
#include "base/bytes.h"
#include "base/utf8.h"

namespace hearth::api {
namespace {

constexpr uint8_t kTreeKind = 2;
constexpr size_t kStringMax = 65'536;
enum NameKind : uint8_t { kPlain = 0, kKernel = 1, kUnsymbolised = 2 };

// Valid UTF-8 of at most kStringMax bytes, cut between characters.
std::string sanitised(std::string_view text) {
  std::string out = to_valid_utf8(text);
  if (out.size() <= kStringMax) return out;
  size_t end = kStringMax;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0U) == 0x80) --end;
  out.resize(end);
  return out;
}

NameKind kind_of(std::string_view function, std::string_view binary) {
  if (binary.starts_with("[kernel") || binary.ends_with("vmlinux")) return kKernel;
  if (function.starts_with("0x")) return kUnsymbolised;
  return kPlain;
}

/// The string and name sections, filled in order of first use.
class Symbols {
 public:
  explicit Symbols(const TreeAnswer& answer)
      : answer_(answer), index_(answer.names.size(), kUnused) {
    string_id("");
    append_name("", {}, kPlain);
  }
  uint64_t name_id(uint32_t name) {
    if (index_[name] == kUnused) {
      const query::Place place = answer_.places.empty() ? query::Place{} : answer_.places[name];
      index_[name] = names_count;
      append_name(answer_.names[name], place, kind_of(answer_.names[name], place.binary));
    }
    return index_[name];
  }

  std::string strings, names;
  uint64_t strings_count = 0, names_count = 0;

 private:
  static constexpr uint64_t kUnused = UINT64_MAX;
  uint64_t string_id(std::string_view text) {
    const auto [it, is_new] = ids_.try_emplace(sanitised(text), strings_count);
    if (is_new) {
      put_str(strings, it->first);
      ++strings_count;
    }
    return it->second;
  }
  void append_name(std::string_view function, const query::Place& place, NameKind kind) {
    put_varint(names, string_id(function));
    put_varint(names, 0);  // Package: not known apart from the name.
    put_varint(names, string_id(place.file));
    put_varint(names, string_id(place.binary));
    put_varint(names, static_cast<uint64_t>(std::max<int64_t>(place.line, 0)));
    names.push_back(static_cast<char>(kind));
    ++names_count;
  }

  const TreeAnswer& answer_;
  std::vector<uint64_t> index_;  ///< By the tree's names.
  std::unordered_map<std::string, uint64_t> ids_;
};

struct Columns {
  std::string code, name, self;
};
Columns columns_of(const query::PageTree& page, Symbols& symbols) {
  Columns out;
  int64_t depth_before = -1;
  for (size_t i = 0; i < page.size(); ++i) {
    const auto up = static_cast<uint64_t>(depth_before + 1 - page.depth[i]);
    depth_before = page.depth[i];
    put_varint(out.code, up << 2U | page.folded[i]);
    put_varint(out.name,
               page.folded[i] != 0 || page.name[i] == 0 ? 0 : symbols.name_id(page.name[i]));
    put_varint(out.self, static_cast<uint64_t>(std::max<int64_t>(page.self[i], 0)));
  }
  return out;
}

// Members in the documented order, without blanks: golden files compare the bytes.
std::string header_of(const TreeAnswer& answer, const Symbols& symbols) {
  const query::PageTree& page = *answer.page;
  JsonWriter json;
  json.begin_object()
      .field("v", 1)
      .field("tree", answer.tree)
      .field("trees", answer.trees)
      .field("sides", 1);
  json.field("nodes", uint64_t{page.size()}).field("frames", page.frames);
  json.key("totals").begin_array().value(page.total).end_array();
  json.field("unit", answer.unit)
      .field("min", page.min)
      .field("cap", answer.cap)
      .field("clamped", answer.clamped);
  json.field("strings", symbols.strings_count).field("names", symbols.names_count);
  json.key("cost").raw(answer.cost);
  if (answer.fn) {
    json.key("fn").begin_object().field("total", answer.fn->total).field("self", answer.fn->self);
    json.field("paths", answer.fn->paths).field("recursive", answer.fn->recursive).end_object();
  }
  return json.end_object().take();
}

}  // namespace

std::string cost_json(const query::Cost& cost, double ms) {
  JsonWriter json;
  json.begin_object().field("profiles", cost.profiles).field("datasets", cost.datasets);
  json.field("scanned_bytes", cost.scanned_bytes).field("ms", std::round(ms * 100) / 100);
  json.key("partial").begin_array();
  for (const std::string& reason : cost.partial) json.value(reason);
  return json.end_array().end_object().take();
}

void append_tree_envelope(std::string& out, const TreeAnswer& answer) {
  Symbols symbols(answer);
  const Columns columns = columns_of(*answer.page, symbols);
  const std::string header = header_of(answer, symbols);
  const size_t length = 4 + header.size() + symbols.strings.size() + symbols.names.size() +
                        columns.code.size() + columns.name.size() + columns.self.size();
  out.reserve(out.size() + 5 + length);
  out.push_back(static_cast<char>(kTreeKind));
  put_le(out, static_cast<uint32_t>(length));
  put_le(out, static_cast<uint32_t>(header.size()));
  for (const std::string* part : {&header, static_cast<const std::string*>(&symbols.strings),
                                  static_cast<const std::string*>(&symbols.names), &columns.code,
                                  &columns.name, &columns.self}) {
    out += *part;
  }
}

}  // namespace hearth::api
