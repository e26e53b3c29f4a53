#pragma once

namespace hearth {

/// Gives memory that was freed, and that the allocator keeps in pieces between what is in use, back
/// to the system. Takes milliseconds a gigabyte: for after much was freed, on a background thread.
void return_free_memory();

}  // namespace hearth
