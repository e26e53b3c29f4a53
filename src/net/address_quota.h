#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace hearth::net {

/// False for loopback, private, link-local and shared (100.64.0.0/10) addresses, IPv4 or IPv6, and
/// for what is no address.
bool is_public_address(const std::string& address);

/// Connections per public address: one host of the internet cannot take all slots. Others are not
/// counted, because a proxy or a cluster's node stands behind them. Not thread-safe.
class AddressQuota {
 public:
  /// `max` 0: no limit.
  explicit AddressQuota(size_t max) : max_(max) {}
  /// False when the address has all its connections. Else give_back() must follow.
  [[nodiscard]] bool try_take(const std::string& address);
  void give_back(const std::string& address);

 private:
  const size_t max_;
  std::unordered_map<std::string, size_t> taken_;
};

}  // namespace hearth::net
