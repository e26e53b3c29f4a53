#pragma once

#include <iosfwd>
#include <optional>
#include <string>

namespace hearth::cli {

/// `hearth inspect PATH`: prints a segment's directory, or one section of it; of a bucket or data
/// directory its levels and live segments.
struct InspectOptions {
  std::string path;
  std::string section;            ///< "STR", "TREE" …; empty: the directory.
  std::optional<size_t> dataset;  ///< Default: all.
  std::string format = "text";    ///< Or "json".
};
/// The exit code: 0, 1 when the segment cannot be read, 2 for options that make no sense.
int run_inspect(const InspectOptions& options, std::ostream& out, std::ostream& err);

}  // namespace hearth::cli
