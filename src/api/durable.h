#pragma once

#include <functional>
#include <memory>

#include "base/delivery.h"
#include "base/result.h"
#include "net/http.h"

namespace hearth::api {

/// Says when what a request stored is durable, or that it failed.
using Durable = Delivery<Status>;

/// Holds `answer`, good or bad, back until then, without its worker; of a failure `failed` makes
/// the answer that is sent in its place. nullptr: nothing is waited for.
void hold(net::Response& answer, std::shared_ptr<Durable> durable,
          std::function<net::Response(const Error&)> failed);

}  // namespace hearth::api
