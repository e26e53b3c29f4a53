#pragma once

/// CHECK: state that must hold or data would be damaged; always on, ends the process with file, line and text.
/// DCHECK: the same for hot loops, only in builds without NDEBUG. Bad input is neither: return an Error.
namespace hearth {
[[noreturn]] void check_failed(const char* file, int line, const char* expression, const char* message);
}

#define HEARTH_CHECK(cond, message)                                                  \
  do {                                                                               \
    if (!(cond)) [[unlikely]] ::hearth::check_failed(__FILE__, __LINE__, #cond, message); \
  } while (false)

#ifdef NDEBUG
#define HEARTH_DCHECK(cond, message) ((void)0)
#else
#define HEARTH_DCHECK(cond, message) HEARTH_CHECK(cond, message)
#endif
