#pragma once

/// Named places where a test kills or fails the process. Compiled in only with -Dfault_points=true; a release binary does not
/// contain their names (reliability.md 6.2).
///   HEARTH_KILL_POINT("seal.before_commit");
/// Environment HEARTH_KILL_POINT=name[:n] sends SIGKILL to the process at the n-th pass (default 1) of that point.
#ifdef HEARTH_FAULT_POINTS
namespace hearth {
void pass_kill_point(const char* name);
}
#define HEARTH_KILL_POINT(name) ::hearth::pass_kill_point(name)
#else
#define HEARTH_KILL_POINT(name) ((void)0)
#endif
