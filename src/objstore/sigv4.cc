#include "objstore/sigv4.h"

// The plain digest functions, without providers: they are found at link time and cost no start-up
// work. OpenSSL marks them as old but keeps them in every version.
#define OPENSSL_API_COMPAT 10101
#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace hearth::objstore {
namespace {

constexpr size_t kBlockBytes = 64;
constexpr char kHexLower[] = "0123456789abcdef";

// Holds bytes, not text.
std::string sha256(std::string_view a, std::string_view b = {}) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, a.data(), a.size());
  SHA256_Update(&context, b.data(), b.size());
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256_Final(reinterpret_cast<unsigned char*>(digest.data()), &context);
  return digest;
}

// RFC 2104.
std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string block(key.size() > kBlockBytes ? sha256(key) : std::string(key));
  block.resize(kBlockBytes, '\0');
  std::string inner = block;
  std::string outer = block;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
  return sha256(outer, sha256(inner, text));
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHexLower[byte >> 4U];
    out += kHexLower[byte & 15U];
  }
  return out;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// Blanks at the ends go, runs of them count as one.
std::string squeezed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
    out += c;
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

struct CanonicalHeaders {
  std::string lines;         ///< `name:value\n` each, sorted.
  std::string signed_names;  ///< `a;b;c`
};

CanonicalHeaders canonical_headers(HttpFields headers) {
  std::ranges::stable_sort(headers, {}, [](const auto& field) { return field.first; });
  CanonicalHeaders out;
  for (const auto& [name, value] : headers) {
    out.lines += name + ":" + squeezed(value) + "\n";
    out.signed_names += (out.signed_names.empty() ? "" : ";") + name;
  }
  return out;
}

}  // namespace

std::string sha256_hex(std::string_view data) {
  return hex(sha256(data));
}

std::string percent_encode(std::string_view text, bool keep_slash) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c) || (c == '/' && keep_slash)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string canonical_query(const HttpFields& query) {
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const auto& [name, value] : query) {
    encoded.emplace_back(percent_encode(name, false), percent_encode(value, false));
  }
  std::ranges::sort(encoded);
  std::string out;
  for (const auto& [name, value] : encoded) out += (out.empty() ? "" : "&") + name + "=" + value;
  return out;
}

std::string authorization(const SigningInput& input, const Credentials& credentials) {
  const CanonicalHeaders headers = canonical_headers(input.headers);
  const std::string request =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", input.method, input.path, canonical_query(input.query),
                  headers.lines, headers.signed_names, input.payload_sha256);
  const std::string day = input.time.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, input.region, input.service);
  const std::string text =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", input.time, scope, sha256_hex(request));
  std::string key = hmac_sha256("AWS4" + credentials.secret_key.reveal(), day);
  for (const std::string_view part :
       {std::string_view(input.region), std::string_view(input.service),
        std::string_view("aws4_request")}) {
    key = hmac_sha256(key, part);
  }
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                     credentials.access_key, scope, headers.signed_names,
                     hex(hmac_sha256(key, text)));
}

std::string amz_time(int64_t wall_ns) {
  const std::time_t seconds = wall_ns / 1'000'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  const size_t length = std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
  return {text.data(), length};
}

}  // namespace hearth::objstore
