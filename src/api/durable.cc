#include "api/durable.h"

#include <optional>
#include <utility>

namespace hearth::api {

void hold(net::Response& answer, std::shared_ptr<Durable> durable,
          std::function<net::Response(const Error&)> failed) {
  if (!durable) return;
  answer.after = [durable = std::move(durable),
                  failed = std::move(failed)](const net::Response::Send& send) {
    durable->take([send, failed](const Status& status) {
      if (status) return send(std::nullopt);
      send(failed(status.error()));
    });
  };
}

}  // namespace hearth::api
