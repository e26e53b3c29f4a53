#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "storage/segment_inspect.h"

namespace hearth::storage {
namespace {

std::string printable(std::string_view s) {
  std::string out;
  for (const char c : to_valid_utf8(s)) {
    const auto b = static_cast<unsigned char>(c);
    if (b < 0x20 || b == 0x7f) {
      out += fmt::format("\\x{:02x}", b);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string cell_text(const InspectTable::Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell))
    return text->empty() ? "\"\"" : printable(*text);
  if (const auto* number = std::get_if<int64_t>(&cell)) return std::to_string(*number);
  return std::to_string(std::get<uint64_t>(cell));
}

std::string format_table(const InspectTable& table) {
  std::vector<size_t> width;
  for (const auto& column : table.columns) width.push_back(column.size());
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], cell_text(row[c]).size());
  }
  std::string out = table.name + "\n";
  const auto put_line = [&](auto text_of, auto is_text) {
    std::string line;
    for (size_t c = 0; c < width.size(); ++c) {
      const std::string text = text_of(c);
      line += is_text(c) ? fmt::format("  {:<{}}", text, width[c])
                         : fmt::format("  {:>{}}", text, width[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  const auto text_column = [&](size_t c) {
    return table.rows.empty() || table.rows[0][c].index() == 0;
  };
  put_line([&](size_t c) { return table.columns[c]; }, text_column);
  for (const auto& row : table.rows) {
    put_line([&](size_t c) { return cell_text(row[c]); },
             [&](size_t c) { return row[c].index() == 0; });
  }
  return out;
}

nlohmann::ordered_json cell_json(const InspectTable::Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return to_valid_utf8(*text);
  if (const auto* number = std::get_if<int64_t>(&cell)) return *number;
  return std::get<uint64_t>(cell);
}

}  // namespace

std::string format_text(const std::vector<InspectTable>& tables) {
  std::string out;
  for (const InspectTable& table : tables) out += (out.empty() ? "" : "\n") + format_table(table);
  return out;
}

std::string format_json(const std::vector<InspectTable>& tables) {
  auto out = nlohmann::ordered_json::array();
  for (const InspectTable& table : tables) {
    auto rows = nlohmann::ordered_json::array();
    for (const auto& row : table.rows) {
      nlohmann::ordered_json object = nlohmann::ordered_json::object();
      for (size_t c = 0; c < row.size(); ++c) object[table.columns[c]] = cell_json(row[c]);
      rows.push_back(std::move(object));
    }
    out.push_back({{"name", table.name}, {"rows", std::move(rows)}});
  }
  return out.dump(1) + "\n";
}

}  // namespace hearth::storage
