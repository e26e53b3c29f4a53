#pragma once

namespace hearth {

/// "0.1.0" and the commit it was built from ("unknown" outside a checkout).
const char* version();
const char* revision();

}  // namespace hearth
