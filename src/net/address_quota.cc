#include "net/address_quota.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdint>
#include <utility>

namespace hearth::net {
namespace {

bool is_public_v4(uint32_t address) {
  constexpr std::pair<uint32_t, int> kInside[] = {
      {0x00000000, 8},   // this network
      {0x0a000000, 8},   // 10/8
      {0x64400000, 10},  // 100.64/10, carrier-grade NAT
      {0x7f000000, 8},   // loopback
      {0xa9fe0000, 16},  // link-local
      {0xac100000, 12},  // 172.16/12
      {0xc0a80000, 16},  // 192.168/16
  };
  for (const auto& [prefix, bits] : kInside) {
    if (address >> (32 - bits) == prefix >> (32 - bits)) return false;
  }
  return true;
}

bool is_public_v6(const in6_addr& address) {
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    const unsigned char* v4 = address.s6_addr + 12;
    return is_public_v4(static_cast<uint32_t>(v4[0]) << 24U | static_cast<uint32_t>(v4[1]) << 16U |
                        static_cast<uint32_t>(v4[2]) << 8U | v4[3]);
  }
  const bool unique_local = (address.s6_addr[0] & 0xfeU) == 0xfcU;
  return !IN6_IS_ADDR_LOOPBACK(&address) && !IN6_IS_ADDR_UNSPECIFIED(&address) &&
         !IN6_IS_ADDR_LINKLOCAL(&address) && !unique_local;
}

}  // namespace

bool is_public_address(const std::string& address) {
  in_addr v4{};
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) return is_public_v4(ntohl(v4.s_addr));
  in6_addr v6{};
  // A scope ("fe80::1%eth0") only stands behind link-local addresses.
  const std::string without_scope = address.substr(0, address.find('%'));
  return inet_pton(AF_INET6, without_scope.c_str(), &v6) == 1 && is_public_v6(v6);
}

bool AddressQuota::try_take(const std::string& address) {
  if (max_ == 0 || !is_public_address(address)) return true;
  size_t& taken = taken_[address];
  if (taken >= max_) return false;
  ++taken;
  return true;
}

void AddressQuota::give_back(const std::string& address) {
  const auto it = taken_.find(address);
  if (it != taken_.end() && --it->second == 0) taken_.erase(it);
}

}  // namespace hearth::net
