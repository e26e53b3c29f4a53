#include "objstore/credentials.h"

#include <fstream>
#include <vector>

#include "support/catch.h"
#include "support/manual_clock.h"
#include "support/quiet_log.h"
#include "support/temp_dir.h"

namespace hearth::objstore {
namespace {

using test::QuietLog;
using test::TempDir;

constexpr int64_t kSecond = 1'000'000'000;

/// Answers by "METHOD URL"; everything else is unreachable.
class FakeHttp final : public HttpTransport {
 public:
  Result<HttpReply> send(const HttpCall& call) override {
    calls.push_back(call);
    const auto it = answers.find(call.method + " " + call.url);
    if (it == answers.end()) return fail(ErrorCode::unavailable, "unreachable");
    return HttpReply{200, {}, it->second};
  }
  std::map<std::string, std::string> answers;
  std::vector<HttpCall> calls;
};

Result<Credentials> look_up(const CredentialOptions& options, const Variables& variables,
                            HttpTransport& http) {
  return find_credentials(options, variables, http);
}

TEST_CASE("credentials are found in the documented order", "[objstore]") {
  const TempDir dir;
  std::ofstream(dir / "named") << "[default]\naws_access_key_id = file\n"
                                  "aws_secret_access_key = fs\n";
  std::ofstream(dir / "shared")
      << "# comment\n[other]\naws_access_key_id=no\n"
         "aws_secret_access_key=no\n\n[work]\naws_access_key_id = shared\n"
         "aws_secret_access_key = ss\naws_session_token = st\n";
  FakeHttp http;
  Variables variables{{"AWS_ACCESS_KEY_ID", "env"},
                      {"AWS_SECRET_ACCESS_KEY", "es"},
                      {"AWS_SESSION_TOKEN", "et"},
                      {"AWS_PROFILE", "work"},
                      {"AWS_SHARED_CREDENTIALS_FILE", dir / "shared"}};

  CHECK(look_up({dir / "named", "default"}, variables, http)->access_key == "file");
  const auto env = look_up({}, variables, http);
  CHECK(env->access_key == "env");
  CHECK(env->session_token.reveal() == "et");
  variables.erase("AWS_SECRET_ACCESS_KEY");
  const auto shared = look_up({}, variables, http);
  REQUIRE(shared);
  CHECK(shared->access_key == "shared");
  CHECK(shared->secret_key.reveal() == "ss");
  CHECK(shared->session_token.reveal() == "st");
  CHECK(http.calls.empty());
}

TEST_CASE("a named file that lacks what it should have is an error without values", "[objstore]") {
  const TempDir dir;
  std::ofstream(dir / "f") << "[default]\naws_secret_access_key = topsecret\n";
  FakeHttp http;
  for (const CredentialOptions& options :
       {CredentialOptions{dir / "none", ""}, CredentialOptions{dir / "f", "absent"},
        CredentialOptions{dir / "f", ""}}) {
    const auto found = look_up(options, {}, http);
    REQUIRE_FALSE(found);
    CHECK(found.error().code == ErrorCode::unauthenticated);
    CHECK(found.error().message.find(options.file) != std::string::npos);
    CHECK(found.error().message.find("topsecret") == std::string::npos);
  }
}

TEST_CASE("a container's endpoint gives credentials with an end", "[objstore]") {
  FakeHttp http;
  http.answers["GET http://169.254.170.2/v2/creds"] =
      R"({"AccessKeyId":"ak","SecretAccessKey":"sk","Token":"t","Expiration":"2030-01-01T00:00:00Z"})";
  const auto found = look_up({}, {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/creds"}}, http);
  REQUIRE(found);
  CHECK(found->access_key == "ak");
  CHECK(found->session_token.reveal() == "t");
  CHECK(found->expires_wall_ns == 1893456000 * kSecond);
}

TEST_CASE("a container's token goes only to this machine or over TLS", "[objstore]") {
  FakeHttp http;
  http.answers["GET http://127.0.0.1:8080/c"] = R"({"AccessKeyId":"a","SecretAccessKey":"s"})";
  Variables variables{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:8080/c"},
                      {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "token"}};
  REQUIRE(look_up({}, variables, http));
  CHECK(field_value(http.calls[0].headers, "authorization") == "token");
  for (const char* url : {"http://evil.example/c", "http://127.0.0.1.evil.example/c",
                          "http://169.254.170.2.evil/c", "ftp://127.0.0.1/c"}) {
    variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    CHECK_FALSE(look_up({}, variables, http));
  }
  CHECK(http.calls.size() == 1);
}

TEST_CASE("instance metadata is asked with a session token", "[objstore]") {
  FakeHttp http;
  const std::string host = "http://169.254.169.254/latest/";
  http.answers["PUT " + host + "api/token"] = "session";
  http.answers["GET " + host + "meta-data/iam/security-credentials/"] = "role\n";
  http.answers["GET " + host + "meta-data/iam/security-credentials/role"] =
      R"({"Code":"Success","AccessKeyId":"ak","SecretAccessKey":"sk","Token":"t","Expiration":"2030-01-01T00:00:00Z"})";
  const auto found = look_up({}, {}, http);
  REQUIRE(found);
  CHECK(found->access_key == "ak");
  REQUIRE(http.calls.size() == 3);
  CHECK(field_value(http.calls[2].headers, "x-aws-ec2-metadata-token") == "session");
}

TEST_CASE("without any source the error says what was tried", "[objstore]") {
  FakeHttp http;
  const auto found = look_up({}, {}, http);
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::unauthenticated);
  CHECK(found.error().message.find("unreachable") != std::string::npos);
  http.calls.clear();
  CHECK_FALSE(look_up({}, {{"AWS_EC2_METADATA_DISABLED", "true"}}, http));
  CHECK(http.calls.empty());
}

TEST_CASE("an endpoint's nonsense is refused", "[objstore]") {
  for (const char* body : {"", "[]", "{", R"({"AccessKeyId":"a"})", R"({"AccessKeyId":1})",
                           R"({"AccessKeyId":"a","SecretAccessKey":"s","Expiration":"soon"})",
                           R"({"a":[[[[[[[[[[1]]]]]]]]]]})"}) {
    FakeHttp http;
    http.answers["GET http://169.254.170.2/c"] = body;
    INFO(body);
    CHECK_FALSE(look_up({}, {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c"}}, http));
  }
}

/// A cache over a source that the test controls.
struct Source {
  test::ManualClock clock;
  int loads = 0;
  bool broken = false;
  std::string key = "k1";
  int64_t lasts_ns = INT64_MAX;
  CredentialCache cache{clock, [this]() -> Result<Credentials> {
                          ++loads;
                          if (broken) return fail(ErrorCode::unavailable, "away");
                          Credentials out{key, Secret("s"), {}};
                          if (lasts_ns != INT64_MAX)
                            out.expires_wall_ns = clock.wall_ns() + lasts_ns;
                          return out;
                        }};
  void advance(int64_t ns) { clock.advance(ns); }
};

TEST_CASE("credentials are fetched once and renewed before they end", "[objstore]") {
  const QuietLog quiet;
  Source source;
  source.lasts_ns = 3600 * kSecond;
  REQUIRE(source.cache.get());
  REQUIRE(source.cache.get());
  CHECK(source.loads == 1);
  source.advance(3200 * kSecond);
  REQUIRE(source.cache.get());
  CHECK(source.loads == 1);
  source.advance(101 * kSecond);
  source.key = "k2";
  CHECK((*source.cache.get())->access_key == "k2");
  CHECK(source.loads == 2);
}

TEST_CASE("when renewal fails the old ones serve until their end", "[objstore]") {
  const QuietLog quiet;
  Source source;
  source.lasts_ns = 600 * kSecond;
  REQUIRE(source.cache.get());
  source.broken = true;
  source.advance(400 * kSecond);
  CHECK(source.cache.get());
  const int loads = source.loads;
  CHECK(source.cache.get());
  CHECK(source.loads == loads);  // Not asked with every request.
  source.advance(201 * kSecond);
  CHECK_FALSE(source.cache.get());
}

TEST_CASE("a refusal fetches again, at most every ten seconds", "[objstore]") {
  const QuietLog quiet;
  Source source;
  const auto first = *source.cache.get();
  source.advance(11 * kSecond);
  CHECK_FALSE(source.cache.renew_after_refusal(first));  // The same as before.
  CHECK(source.loads == 2);
  source.key = "k2";
  CHECK_FALSE(source.cache.renew_after_refusal(first));  // Too soon.
  CHECK(source.loads == 2);
  source.advance(11 * kSecond);
  CHECK(source.cache.renew_after_refusal(first));
  CHECK((*source.cache.get())->access_key == "k2");
  CHECK(source.cache.renew_after_refusal(first));  // Another caller renewed them meanwhile.
  CHECK(source.loads == 3);
}

TEST_CASE("a moved secret leaves nothing behind", "[objstore]") {
  Secret a("short");
  const Secret b = std::move(a);
  CHECK(b.reveal() == "short");
  CHECK(a.empty());  // NOLINT: that is the point.
}

}  // namespace
}  // namespace hearth::objstore
