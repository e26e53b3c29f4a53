#include "objstore/sigv4.h"

#include "objstore/http_time.h"
#include "support/catch.h"

namespace hearth::objstore {
namespace {

// The keys, requests and signatures that AWS publishes in "Signature Calculations for the
// Authorization Header: Transferring Payload in a Single Chunk".
const Credentials kExample{
    "AKIAIOSFODNN7EXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), {}};
constexpr const char* kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

SigningInput example(const char* method, const char* path) {
  SigningInput input;
  input.method = method;
  input.path = path;
  input.payload_sha256 = kEmptyHash;
  input.time = "20130524T000000Z";
  input.region = "us-east-1";
  input.headers = {{"host", "examplebucket.s3.amazonaws.com"}, {"x-amz-date", "20130524T000000Z"}};
  return input;
}

std::string signature(SigningInput input) {
  input.headers.emplace_back("x-amz-content-sha256", input.payload_sha256);
  const std::string header = authorization(input, kExample);
  return header.substr(header.find("Signature=") + 10);
}

TEST_CASE("AWS's example of a GET with a range is signed as published", "[objstore]") {
  SigningInput input = example("GET", "/test.txt");
  input.headers.emplace_back("range", "bytes=0-9");
  CHECK(signature(input) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_CASE("AWS's example of a PUT is signed as published", "[objstore]") {
  SigningInput input = example("PUT", "/test%24file.text");
  input.payload_sha256 = sha256_hex("Welcome to Amazon S3.");
  CHECK(input.payload_sha256 == "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
  input.headers.emplace_back("date", "Fri, 24 May 2013 00:00:00 GMT");
  input.headers.emplace_back("x-amz-storage-class", "REDUCED_REDUNDANCY");
  CHECK(signature(input) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_CASE("AWS's example of a query without a value is signed as published", "[objstore]") {
  SigningInput input = example("GET", "/");
  input.query = {{"lifecycle", ""}};
  CHECK(signature(input) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST_CASE("AWS's example of a list is signed as published, in whatever order it is asked",
          "[objstore]") {
  SigningInput input = example("GET", "/");
  input.query = {{"prefix", "J"}, {"max-keys", "2"}};
  CHECK(signature(input) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST_CASE("the whole Authorization header has its published form", "[objstore]") {
  SigningInput input = example("GET", "/test.txt");
  input.headers.emplace_back("range", "bytes=0-9");
  input.headers.emplace_back("x-amz-content-sha256", kEmptyHash);
  CHECK(authorization(input, kExample) ==
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_CASE("keys of more than a block are hashed first", "[objstore]") {
  // Twice the same long secret must sign alike; a change in its last byte must show.
  const SigningInput input = example("GET", "/");
  const std::string secret(100, 's');
  const auto sign = [&](const std::string& s) {
    return authorization(input, Credentials{"k", Secret(s), {}});
  };
  CHECK(sign(secret) == sign(secret));
  CHECK(sign(secret) != sign(secret.substr(1) + "t"));
}

TEST_CASE("SHA-256 matches the standard's vectors", "[objstore]") {
  CHECK(sha256_hex("") == kEmptyHash);
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("everything outside the unreserved bytes is percent-encoded", "[objstore]") {
  CHECK(percent_encode("a/b !*'()~-._é", true) == "a/b%20%21%2A%27%28%29~-._%C3%A9");
  CHECK(percent_encode("a/b", false) == "a%2Fb");
}

TEST_CASE("runs of blanks in a header count as one", "[objstore]") {
  SigningInput input = example("GET", "/");
  input.headers.emplace_back("x-amz-meta", "a  b");
  SigningInput squeezed = example("GET", "/");
  squeezed.headers.emplace_back("x-amz-meta", " a b ");
  CHECK(signature(input) == signature(squeezed));
}

TEST_CASE("times are written and read in the forms of HTTP and S3", "[objstore]") {
  constexpr int64_t kTime = 1369353600'000'000'000;
  CHECK(amz_time(kTime) == "20130524T000000Z");
  CHECK(http_date(kTime) == "Fri, 24 May 2013 00:00:00 GMT");
  CHECK(iso_time(kTime + 120'000'000) == "2013-05-24T00:00:00.120Z");
  CHECK(parse_http_date("Fri, 24 May 2013 00:00:00 GMT") == kTime);
  CHECK(parse_iso_time("2013-05-24T00:00:00Z") == kTime);
  CHECK(parse_iso_time("2013-05-24T00:00:00.25Z") == kTime + 250'000'000);
  for (const char* bad : {"", "2013-05-24", "2013-05-24T00:00:00", "2013-05-24T00:00:00.Z0",
                          "2013-05-24T00:00:00+02:00", "9999-01-01T00:00:00Z", "x"}) {
    INFO(bad);
    CHECK_FALSE(parse_iso_time(bad));
    CHECK_FALSE(parse_http_date(bad));
  }
}

}  // namespace
}  // namespace hearth::objstore
