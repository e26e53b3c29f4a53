#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/http.h"

namespace hearth::net {

/// Finds the route of a request in a fixed table. Const after construction; thread-safe.
class Router {
 public:
  explicit Router(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;  ///< nullptr: nothing answers this.
    std::string allow;             ///< Not empty: the path exists, with these methods (405).
  };
  /// An exact path wins over prefixes, a longer prefix over a shorter one. HEAD reaches GET routes.
  /// The catch-all prefix "/*" makes no path exist for other methods than its own: those are 404,
  /// not 405.
  [[nodiscard]] Match find(std::string_view method, std::string_view path) const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  using Candidates = std::vector<const Route*>;
  [[nodiscard]] const Candidates* candidates(std::string_view path) const;

  std::vector<Route> routes_;
  std::unordered_map<std::string, Candidates, Hash, std::equal_to<>> exact_;
  /// Keyed by the prefix with its final slash.
  std::unordered_map<std::string, Candidates, Hash, std::equal_to<>> prefixes_;
};

}  // namespace hearth::net
