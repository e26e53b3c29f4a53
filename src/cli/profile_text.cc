#include "cli/profile_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "cli/frame_names.h"

namespace hearth::cli {
namespace {

struct Scale {
  double factor;
  std::string_view unit;
};
constexpr Scale kTime[] = {{1, "ns"}, {1e3, "us"}, {1e6, "ms"}, {1e9, "s"}, {3.6e12, "hrs"}};
constexpr Scale kBytes[] = {{1, "B"}, {1024, "kB"}, {1048576, "MB"}, {1073741824, "GB"}};

template <size_t N>
std::string scaled(double value, const Scale (&scales)[N]) {
  const Scale* best = &scales[0];
  for (const Scale& scale : scales) {
    if (std::abs(value) >= scale.factor) best = &scale;
  }
  std::string text = fmt::format("{:.2f}", value / best->factor);
  if (text.ends_with(".00")) text.resize(text.size() - 3);
  return text + std::string(best->unit);
}

double time_factor(std::string_view unit) {
  if (unit == "nanoseconds" || unit == "ns") return 1;
  if (unit == "microseconds" || unit == "us") return 1e3;
  if (unit == "milliseconds" || unit == "ms") return 1e6;
  return unit == "seconds" || unit == "s" ? 1e9 : 0;
}

double share(int64_t part, int64_t total) {
  return total == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(total);
}

// The largest shares stand out on a terminal.
std::string painted(std::string text, double percent, bool colour) {
  if (!colour || percent < 1) return text;
  return (percent >= 10 ? "\x1b[31m" : "\x1b[33m") + text + "\x1b[0m";
}

/// A call tree: children by name id.
struct Node {
  int64_t self = 0;
  int64_t total = 0;
  std::map<uint32_t, std::unique_ptr<Node>> children;
};

void add_sample(Node& root, const std::vector<uint32_t>& leaf_first, int64_t value) {
  Node* node = &root;
  node->total += value;
  for (auto it = leaf_first.rbegin(); it != leaf_first.rend(); ++it) {
    auto& child = node->children[*it];
    if (!child) child = std::make_unique<Node>();
    node = child.get();
    node->total += value;
  }
  node->self += value;
}

/// Prints the nodes of at least `least`, parents before children, without recursion: stacks may be
/// deep.
class TreePrinter {
 public:
  TreePrinter(const FrameNames& names, const TextOptions& options, int64_t total, int64_t least)
      : names_(names), options_(options), total_(total), least_(least) {}

  std::string print(const Node& root) {
    pending_.push_back({&root, "total", 0});
    while (!pending_.empty()) {
      const Entry entry = pending_.back();
      pending_.pop_back();
      print_line(entry);
      push_children(entry);
    }
    return std::move(out_);
  }

 private:
  struct Entry {
    const Node* node;
    std::string_view name;
    size_t depth;
  };

  void print_line(const Entry& entry) {
    const double percent = share(entry.node->total, total_);
    const std::string numbers =
        fmt::format("{:>10} {:>6.2f}% {:>10}", format_amount(entry.node->total, options_.unit),
                    percent, format_amount(entry.node->self, options_.unit));
    out_ += painted(numbers, percent, options_.colour);
    out_ += "  ";
    // Beyond this depth a line is only blanks to a reader.
    out_.append(2 * std::min<size_t>(entry.depth, 100), ' ');
    out_ += entry.name;
    out_ += '\n';
  }
  void push_children(const Entry& entry) {
    const size_t first = pending_.size();
    for (const auto& [id, child] : entry.node->children) {
      if (std::abs(child->total) < least_) continue;
      pending_.push_back({child.get(), names_.name(id), entry.depth + 1});
    }
    // The last is printed first.
    std::stable_sort(pending_.begin() + static_cast<std::ptrdiff_t>(first), pending_.end(),
                     [](const Entry& a, const Entry& b) { return a.node->total < b.node->total; });
  }

  const FrameNames& names_;
  const TextOptions& options_;
  const int64_t total_;
  const int64_t least_;
  std::vector<Entry> pending_;
  std::string out_;
};

// The smallest total that is still among the `rows_max` largest.
int64_t cut(const Node& root, size_t rows_max) {
  std::vector<int64_t> totals;
  std::vector<const Node*> pending{&root};
  while (!pending.empty()) {
    const Node* node = pending.back();
    pending.pop_back();
    totals.push_back(std::abs(node->total));
    for (const auto& [id, child] : node->children) pending.push_back(child.get());
  }
  if (rows_max == 0 || totals.size() <= rows_max) return 0;
  std::ranges::nth_element(totals, totals.begin() + static_cast<std::ptrdiff_t>(rows_max - 1),
                           std::greater<>());
  return totals[rows_max - 1];
}

// A deep chain of unique_ptr would be destroyed recursively.
void dismantle(Node& root) {
  std::vector<std::unique_ptr<Node>> pending;
  const auto take_children = [&pending](Node& node) {
    for (auto& [id, child] : node.children) pending.push_back(std::move(child));
    node.children.clear();
  };
  take_children(root);
  while (!pending.empty()) {
    const std::unique_ptr<Node> node = std::move(pending.back());
    pending.pop_back();
    take_children(*node);
  }
}

}  // namespace

std::string format_amount(int64_t value, std::string_view unit) {
  if (const double factor = time_factor(unit); factor > 0) {
    return scaled(static_cast<double>(value) * factor, kTime);
  }
  if (unit == "bytes") return scaled(static_cast<double>(value), kBytes);
  return std::to_string(value);
}

Top make_top(const ProfileBatch& batch, size_t type) {
  const FrameNames names(batch);
  std::vector<TopRow> rows(names.size());
  std::vector<size_t> last_sample(names.size(), SIZE_MAX);
  Top top;
  for (size_t sample = 0; sample < batch.samples.size(); ++sample) {
    const int64_t value = batch.value(sample, type);
    top.total += value;
    const std::vector<uint32_t> frames = names.of_sample(sample);
    if (!frames.empty()) rows[frames.front()].flat += value;
    for (const uint32_t frame : frames) {
      if (std::exchange(last_sample[frame], sample) != sample) rows[frame].cum += value;
    }
  }
  for (uint32_t id = 0; id < rows.size(); ++id) rows[id].name = names.name(id);
  std::erase_if(rows, [](const TopRow& row) { return row.flat == 0 && row.cum == 0; });
  std::ranges::sort(rows, [](const TopRow& a, const TopRow& b) {
    return std::tie(b.flat, b.cum, a.name) < std::tie(a.flat, a.cum, b.name);
  });
  top.rows = std::move(rows);
  return top;
}

std::string format_top(const Top& top, const TextOptions& options) {
  const size_t shown =
      options.rows_max == 0 ? top.rows.size() : std::min(options.rows_max, top.rows.size());
  int64_t accounted = 0;
  for (size_t i = 0; i < shown; ++i) accounted += top.rows[i].flat;
  std::string out =
      fmt::format("Showing {} of {} functions, which account for {} ({:.2f}%) of {}\n", shown,
                  top.rows.size(), format_amount(accounted, options.unit),
                  share(accounted, top.total), format_amount(top.total, options.unit));
  out += fmt::format("{:>10} {:>7} {:>7} {:>10} {:>7}  name\n", "flat", "flat%", "sum%", "cum",
                     "cum%");
  int64_t sum = 0;
  for (size_t i = 0; i < shown; ++i) {
    const TopRow& row = top.rows[i];
    sum += row.flat;
    const std::string numbers = fmt::format(
        "{:>10} {:>6.2f}% {:>6.2f}% {:>10} {:>6.2f}%", format_amount(row.flat, options.unit),
        share(row.flat, top.total), share(sum, top.total), format_amount(row.cum, options.unit),
        share(row.cum, top.total));
    out += painted(numbers, share(row.flat, top.total), options.colour);
    out += "  " + row.name + "\n";
  }
  return out;
}

std::string format_call_tree(const ProfileBatch& batch, size_t type, const TextOptions& options) {
  const FrameNames names(batch);
  Node root;
  for (size_t sample = 0; sample < batch.samples.size(); ++sample) {
    add_sample(root, names.of_sample(sample), batch.value(sample, type));
  }
  std::string out = fmt::format("{:>10} {:>7} {:>10}  name\n", "cum", "cum%", "flat");
  out += TreePrinter(names, options, root.total, cut(root, options.rows_max)).print(root);
  dismantle(root);
  return out;
}

}  // namespace hearth::cli
