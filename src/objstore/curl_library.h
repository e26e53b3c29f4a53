#pragma once

#include <curl/curl.h>

#include "base/result.h"

namespace hearth::objstore {

/// libcurl, loaded when the first S3 bucket is opened: it brings some thirty libraries, which a
/// server with a local bucket neither waits for nor keeps in memory.
struct CurlLibrary {
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_reset) easy_reset;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  decltype(&::curl_multi_add_handle) multi_add_handle;
  decltype(&::curl_multi_remove_handle) multi_remove_handle;
  decltype(&::curl_multi_perform) multi_perform;
  decltype(&::curl_multi_poll) multi_poll;
  decltype(&::curl_multi_info_read) multi_info_read;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;

  /// The one copy of this process, never unloaded. `unavailable` when the library is not installed.
  [[nodiscard]] static Result<const CurlLibrary*> load();
};

}  // namespace hearth::objstore
