#include "objstore/curl_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace hearth::objstore {
namespace {

constexpr const char* kNames[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

template <class Function>
bool find(void* handle, const char* name, Function& out) {
  out = reinterpret_cast<Function>(::dlsym(handle, name));
  return out != nullptr;
}

Result<void*> open_library() {
  for (const char* name : kNames) {
    if (void* handle = ::dlopen(name, RTLD_NOW | RTLD_LOCAL); handle != nullptr) return handle;
  }
  const char* why = ::dlerror();
  return fail(ErrorCode::unavailable,
              fmt::format("load libcurl, which an S3 bucket needs: {}", why ? why : "not found"));
}

bool find_all(void* handle, CurlLibrary& out) {
  return find(handle, "curl_easy_init", out.easy_init) &&
         find(handle, "curl_easy_cleanup", out.easy_cleanup) &&
         find(handle, "curl_easy_reset", out.easy_reset) &&
         find(handle, "curl_easy_setopt", out.easy_setopt) &&
         find(handle, "curl_easy_getinfo", out.easy_getinfo) &&
         find(handle, "curl_easy_strerror", out.easy_strerror) &&
         find(handle, "curl_multi_init", out.multi_init) &&
         find(handle, "curl_multi_cleanup", out.multi_cleanup) &&
         find(handle, "curl_multi_add_handle", out.multi_add_handle) &&
         find(handle, "curl_multi_remove_handle", out.multi_remove_handle) &&
         find(handle, "curl_multi_perform", out.multi_perform) &&
         find(handle, "curl_multi_poll", out.multi_poll) &&
         find(handle, "curl_multi_info_read", out.multi_info_read) &&
         find(handle, "curl_slist_append", out.slist_append) &&
         find(handle, "curl_slist_free_all", out.slist_free_all);
}

Result<CurlLibrary> load_library() {
  HEARTH_ASSIGN_OR_RETURN(void* handle, open_library());
  CurlLibrary library{};
  decltype(&::curl_global_init) global_init = nullptr;
  if (!find(handle, "curl_global_init", global_init) || !find_all(handle, library)) {
    return fail(ErrorCode::unavailable, "load libcurl: too old; want 7.66 or later");
  }
  if (global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return fail(ErrorCode::unavailable, "load libcurl: its initialisation failed");
  }
  return library;
}

}  // namespace

Result<const CurlLibrary*> CurlLibrary::load() {
  static const Result<CurlLibrary> library = load_library();
  if (!library) return tl::unexpected(library.error());
  return &*library;
}

}  // namespace hearth::objstore
