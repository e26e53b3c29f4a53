#pragma once

/// Named places where a test kills or fails the process. Compiled in only with -Dfault_points=true;
/// a release binary does not contain their names (docs/kv_layout.md lists them).
///   HEARTH_KILL_POINT("seal.before_commit");
/// Environment HEARTH_KILL_POINT=name[:n] sends SIGKILL to the process at the n-th pass (default 1)
/// of that point.
///   if (HEARTH_FAIL_POINT("append.lose_row")) …
/// is true at the n-th pass of the point that HEARTH_FAIL_POINT names: it does wrong on purpose, so
/// that a test can prove that it would notice.
#ifdef HEARTH_FAULT_POINTS
namespace hearth {
void pass_kill_point(const char* name);
bool pass_fail_point(const char* name);
}  // namespace hearth
#define HEARTH_KILL_POINT(name) ::hearth::pass_kill_point(name)
#define HEARTH_FAIL_POINT(name) ::hearth::pass_fail_point(name)
#else
#define HEARTH_KILL_POINT(name) ((void)0)
#define HEARTH_FAIL_POINT(name) false
#endif
