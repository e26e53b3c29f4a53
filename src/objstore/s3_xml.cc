#include "objstore/s3_xml.h"

#include <fmt/format.h>

#include <pugixml.hpp>
#include <sstream>

#include "objstore/http_time.h"

namespace hearth::objstore {
namespace {

// The root element `name` of `body`; names are compared without their namespace prefix.
Result<pugi::xml_node> root_of(pugi::xml_document& document, std::string_view body,
                               const char* name) {
  const auto parsed = document.load_buffer(body.data(), body.size());
  const pugi::xml_node root = document.document_element();
  if (!parsed || std::string_view(root.name()) != name) {
    return fail(
        ErrorCode::data_loss,
        fmt::format("read the store's answer: got {}; want <{}>",
                    parsed ? fmt::format("<{}>", root.name()) : parsed.description(), name));
  }
  return root;
}

std::string print(const pugi::xml_document& document) {
  std::ostringstream out;
  document.save(out, "", pugi::format_raw | pugi::format_no_declaration);
  return out.str();
}

pugi::xml_node add_text(pugi::xml_node parent, const char* name, const std::string& text) {
  pugi::xml_node node = parent.append_child(name);
  node.text().set(text.c_str());
  return node;
}

}  // namespace

S3Refusal parse_refusal(std::string_view body) {
  pugi::xml_document document;
  const auto root = root_of(document, body, "Error");
  if (!root) return {};
  S3Refusal out;
  out.code = root->child_value("Code");
  out.message = root->child_value("Message");
  out.request_id = root->child_value("RequestId");
  out.region = root->child_value("Region");
  out.endpoint = root->child_value("Endpoint");
  return out;
}

Result<S3Page> parse_list(std::string_view body) {
  pugi::xml_document document;
  HEARTH_ASSIGN_OR_RETURN(const auto root, root_of(document, body, "ListBucketResult"));
  S3Page page;
  for (const pugi::xml_node object : root.children("Contents")) {
    const auto modified = parse_iso_time(object.child_value("LastModified"));
    page.entries.push_back(
        {object.child_value("Key"), object.child("Size").text().as_ullong(), modified.value_or(0)});
    if (page.entries.back().key.empty() || !modified) {
      return fail(ErrorCode::data_loss,
                  "read the store's list: an entry without key or LastModified");
    }
  }
  page.truncated = root.child("IsTruncated").text().as_bool();
  page.continuation = root.child_value("NextContinuationToken");
  if (page.truncated && page.continuation.empty()) {
    return fail(ErrorCode::data_loss, "read the store's list: cut without a continuation token");
  }
  return page;
}

Result<std::string> parse_upload_id(std::string_view body) {
  pugi::xml_document document;
  HEARTH_ASSIGN_OR_RETURN(const auto root,
                          root_of(document, body, "InitiateMultipartUploadResult"));
  std::string id = root.child_value("UploadId");
  if (id.empty()) return fail(ErrorCode::data_loss, "begin an upload in parts: no upload id");
  return id;
}

std::string complete_upload_xml(std::span<const std::string> etags) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("CompleteMultipartUpload");
  for (size_t i = 0; i < etags.size(); ++i) {
    pugi::xml_node part = root.append_child("Part");
    add_text(part, "PartNumber", std::to_string(i + 1));
    add_text(part, "ETag", etags[i]);
  }
  return print(document);
}

Result<std::vector<S3Upload>> parse_uploads(std::string_view body) {
  pugi::xml_document document;
  HEARTH_ASSIGN_OR_RETURN(const auto root, root_of(document, body, "ListMultipartUploadsResult"));
  std::vector<S3Upload> out;
  for (const pugi::xml_node upload : root.children("Upload")) {
    const auto initiated = parse_iso_time(upload.child_value("Initiated"));
    if (!initiated) continue;  // Of unknown age: left alone.
    out.push_back({upload.child_value("Key"), upload.child_value("UploadId"), *initiated});
  }
  return out;
}

}  // namespace hearth::objstore
