#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace hearth::storage {

/// Strings as views into one buffer. Moving keeps the views valid; copying is not allowed.
struct StringColumn {
  std::vector<char> bytes;
  std::vector<std::string_view> views;
  StringColumn() = default;
  StringColumn(StringColumn&&) = default;
  StringColumn& operator=(StringColumn&&) = default;
  StringColumn(const StringColumn&) = delete;
  StringColumn& operator=(const StringColumn&) = delete;
};

/// STR, also used inside LBL: varint n, varint expanded bytes, vcol shared, vcol suffix lengths,
/// suffix bytes (a `str`). Front coding: `shared` bytes equal the previous string's, as many as
/// possible, but 0 at every 16th (a restart). Precondition: strictly ascending bytewise, strings[0]
/// is "".
[[nodiscard]] Status encode_strings(std::span<const std::string_view> strings, std::string& out);

/// Decodes one table from `reader`; `data_loss` for anything that encode_strings would not write.
/// The buffer is taken only after the lengths were found to add up.
[[nodiscard]] Status decode_strings(ByteReader& reader, StringColumn& out);

}  // namespace hearth::storage
