#include "formats/multipart.h"

#include "support/catch.h"

namespace hearth::formats {
namespace {

const std::string kType = "multipart/form-data; boundary=XX";

std::string refusal(const std::string& body, const std::string& type = kType) {
  const auto parts = parse_multipart(type, body);
  if (parts) return "accepted";
  CHECK(parts.error().code == ErrorCode::invalid_argument);
  return parts.error().message;
}

TEST_CASE("a form's parts come with name, file name, type and body", "[formats]") {
  const std::string body =
      "preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"profile\"; filename=\"a "
      "\\\"b\\\".pprof\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\nab\r\n--X\r\ncd\r\n"
      "--XX \t\r\ncontent-disposition: FORM-DATA; Name=config\r\n\r\n{}\r\n--XX--\r\nepilogue";
  const auto parts = parse_multipart(kType, body);
  REQUIRE(parts);
  REQUIRE(parts->size() == 2);
  CHECK((*parts)[0].name == "profile");
  CHECK((*parts)[0].filename == "a \"b\".pprof");
  CHECK((*parts)[0].has_filename);
  CHECK((*parts)[0].content_type == "application/octet-stream");
  CHECK((*parts)[0].body == "ab\r\n--X\r\ncd");
  CHECK((*parts)[1].name == "config");
  CHECK_FALSE((*parts)[1].has_filename);
  CHECK((*parts)[1].body == "{}");
}

TEST_CASE("empty parts and empty forms are read", "[formats]") {
  const auto parts =
      parse_multipart(kType,
                      "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--XX\r\n"
                      "Content-Disposition: form-data; name=b\r\n\r\n--XX--");
  REQUIRE(parts);
  REQUIRE(parts->size() == 2);
  CHECK((*parts)[0].body.empty());
  CHECK((*parts)[1].body.empty());
  CHECK(parse_multipart(kType, "--XX--").value().empty());
}

TEST_CASE("the boundary may be quoted and its case counts", "[formats]") {
  const std::string body =
      "--a b;c\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--a b;c--";
  CHECK(parse_multipart("Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a b;c\"", body)
            .value()
            .at(0)
            .body == "1");
  CHECK_THAT(refusal(body, "multipart/form-data; boundary=\"A b;c\""),
             Catch::Contains("does not occur"));
}

TEST_CASE("file names that look like paths are only text", "[formats]") {
  for (const std::string name : {"../../etc/passwd", "C:\\temp\\x", "a\\\\b"}) {
    const auto parts =
        parse_multipart(kType, "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"" +
                                   name + "\"\r\n\r\n1\r\n--XX--");
    REQUIRE(parts);
    CHECK(parts->at(0).filename == (name == "a\\\\b" ? "a\\b" : name));
  }
}

TEST_CASE("malformed forms are refused", "[formats]") {
  const std::string part = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
  CHECK(refusal(part + "--XX--") == "accepted");
  CHECK_THAT(refusal("", "text/plain"), Catch::Contains("not multipart/form-data"));
  CHECK_THAT(refusal("", "multipart/form-data"), Catch::Contains("no boundary"));
  CHECK_THAT(refusal("", "multipart/form-data; boundary="), Catch::Contains("no boundary"));
  CHECK_THAT(refusal("", "multipart/form-data; boundary=" + std::string(71, 'x')),
             Catch::Contains("at most 70"));
  CHECK_THAT(refusal(""), Catch::Contains("does not occur"));
  CHECK_THAT(refusal("--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1"),
             Catch::Contains("has no end"));
  CHECK_THAT(refusal(part), Catch::Contains("has no end"));
  CHECK_THAT(refusal("--XXjunk\r\n" + part), Catch::Contains("line end"));
  CHECK_THAT(refusal("--XX\r\nno colon\r\n\r\n1\r\n--XX--"), Catch::Contains("colon"));
  CHECK_THAT(refusal("--XX\r\nContent-Type: a/b\r\n\r\n1\r\n--XX--"),
             Catch::Contains("without a name"));
  CHECK_THAT(refusal("--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--XX--"),
             Catch::Contains("form-data"));
  CHECK_THAT(
      refusal("--XX\r\nX: " + std::string(kMultipartHeadersMax, 'x') + "\r\n\r\n1\r\n--XX--"),
      Catch::Contains("1024 bytes"));
  std::string many;
  for (size_t i = 0; i <= kMultipartPartsMax; ++i) many += part;
  CHECK_THAT(refusal(many + "--XX--"), Catch::Contains("more than 8 parts"));
}

}  // namespace
}  // namespace hearth::formats
