#pragma once

#include "hearth/result.h"

/// The two macros used inside hearth on functions that return a Result.
#define HEARTH_CONCAT_INNER(a, b) a##b
#define HEARTH_CONCAT(a, b) HEARTH_CONCAT_INNER(a, b)

/// Evaluates an expression of type Result<…> and returns its error, if any, from the enclosing function.
#define HEARTH_RETURN_IF_ERROR(expr)                                             \
  do {                                                                           \
    if (auto hearth_status = (expr); !hearth_status) {                           \
      return ::tl::unexpected<::hearth::Error>(std::move(hearth_status).error()); \
    }                                                                            \
  } while (false)

/// `HEARTH_ASSIGN_OR_RETURN(auto x, f());`: x = value, or the error is returned.
#define HEARTH_ASSIGN_OR_RETURN(decl, expr) HEARTH_ASSIGN_OR_RETURN_IMPL(HEARTH_CONCAT(hearth_result_, __LINE__), decl, expr)
#define HEARTH_ASSIGN_OR_RETURN_IMPL(tmp, decl, expr)                      \
  auto tmp = (expr);                                                       \
  if (!tmp) return ::tl::unexpected<::hearth::Error>(std::move(tmp).error()); \
  decl = std::move(*tmp)
