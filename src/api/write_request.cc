#include "api/write_request.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/gzip_codec.h"
#include "base/log.h"

namespace hearth::api {
namespace {

constexpr size_t kSlotKeepMax = size_t{4} << 20U;  // Larger buffers are freed.

}  // namespace

WriteRequest::WriteRequest(App& app, net::Request& request, Tenant tenant)
    : app_(app),
      request_(request),
      tenant_(std::move(tenant)),
      limits_(app.pipeline.limits(tenant_)) {
  app_.decoding.enter();
}

WriteRequest::~WriteRequest() {
  end_decoding();
}

DecodeSlot& WriteRequest::next_slot() {
  return *slots_.emplace_back(app_.slots.take());
}

void WriteRequest::drop_slot() {
  give_back(std::move(slots_.back()));
  slots_.pop_back();
}

void WriteRequest::give_back(std::unique_ptr<DecodeSlot> slot) {
  if (slot->memory_bytes() <= kSlotKeepMax) app_.slots.give(std::move(slot));
}

void WriteRequest::end_decoding() {
  if (!decoding_) return;
  for (auto& slot : slots_) give_back(std::move(slot));
  slots_.clear();
  charge_ = {};
  decoding_ = false;
  app_.decoding.leave();
}

formats::DecodeLimits WriteRequest::decode_limits(bool dotnet) const {
  formats::DecodeLimits out;
  out.samples_max = limits_.samples_max;
  out.sample_labels_max = limits_.sample_labels_max;
  out.stack_depth_max = limits_.stack_depth_max;
  out.string_max_bytes = limits_.symbol_max_bytes;
  out.profile_max_bytes = limits_.profile_max_bytes;
  out.dotnet_repairs = dotnet;
  return out;
}

Result<std::string_view> WriteRequest::inflate(std::string_view bytes, DecodeSlot& slot) {
  const size_t max =
      limits_.profile_max_bytes == 0 ? limits_.request_max_bytes : limits_.profile_max_bytes;
  std::string_view raw = bytes;
  if (is_gzip(bytes)) {
    if (auto status = gunzip(bytes, max, slot.inflated); !status) {
      if (status.error().code != ErrorCode::too_large) {
        return fail(ErrorCode::invalid_argument, "decompress profile: " + status.error().message,
                    "malformed_profile");
      }
      return fail(ErrorCode::too_large,
                  "uncompressed profile payload size exceeds limit of " + decimal_size(max),
                  "profile_size_limit");
    }
    raw = slot.inflated;
  }
  if (raw.size() > max) {
    return fail(ErrorCode::too_large,
                "uncompressed profile payload size exceeds limit of " + decimal_size(max),
                "profile_size_limit");
  }
  inflated_bytes_ += raw.size();
  if (limits_.request_max_bytes != 0 && inflated_bytes_ > limits_.request_max_bytes) {
    return fail(ErrorCode::too_large,
                "uncompressed batched profile payload size exceeds limit of " +
                    decimal_size(limits_.request_max_bytes),
                "body_size_limit_exceeded");
  }
  return raw;
}

Status WriteRequest::add(std::vector<Label> labels, DecodeSlot& slot, std::string_view raw,
                         bool has_time) {
  const size_t held = slot.inflated.size() + slot.batch.memory_bytes();
  if (charge_.bytes() == 0) {
    HEARTH_ASSIGN_OR_RETURN(charge_, app_.memory.charge(held, "decode profiles"));
  } else {
    HEARTH_RETURN_IF_ERROR(charge_.resize(charge_.bytes() + held));
  }
  ingest::Incoming incoming;
  incoming.labels = std::move(labels);
  incoming.batch = &slot.batch;
  incoming.raw = raw;
  incoming.has_time = has_time;
  incoming.idempotency_key = request_.headers.get("Idempotency-Key");
  incoming.index = index_++;
  HEARTH_ASSIGN_OR_RETURN(ingest::Prepared prepared, app_.pipeline.prepare(tenant_, incoming));
  prepared_.push_back(std::move(prepared));
  return {};
}

Status WriteRequest::commit() {
  if (prepared_.empty()) return {};
  HEARTH_RETURN_IF_ERROR(request_.cancel.check());
  const auto encoded = [this] { end_decoding(); };
  auto durable = std::make_shared<Durable>();
  const auto done = [writes = app_.writes, durable,
                     profiles = prepared_.size()](const Result<storage::AppendOutcome>& outcome) {
    if (outcome) writes->accept(profiles);
    durable->put(outcome.map([](const auto&) {}));
  };
  HEARTH_RETURN_IF_ERROR(app_.pipeline.commit_later(tenant_, prepared_, encoded, done));
  durable_ = std::move(durable);
  if (log::enabled(log::Level::debug)) {
    log::debug("profiles accepted", {{"tenant", tenant_.id()},
                                     {"path", request_.path},
                                     {"profiles", prepared_.size()},
                                     {"bytes", inflated_bytes_}});
  }
  return {};
}

void WriteRequest::refuse(const Error& error, int status, std::string_view service, bool counted) {
  if (!counted) {
    const std::string_view reason =
        error.reason.empty() ? "unknown" : std::string_view(error.reason);
    app_.pipeline.count_discarded(tenant_, reason, 1, request_.body.size());
  }
  app_.writes->refuse({.at_ms = app_.now_ms(),
                       .status = status,
                       .reason = error.reason,
                       .message = error.message,
                       .path = request_.path,
                       .service = std::string(service),
                       .bytes = request_.body.size()});
}

std::string decimal_size(uint64_t n) {
  static constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  if (n < 10) return fmt::format("{} B", n);
  size_t unit = 0;
  auto value = static_cast<double>(n);
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  value = std::floor(value * 10 + 0.5) / 10;
  return value < 10 ? fmt::format("{:.1f} {}", value, kUnits[unit])
                    : fmt::format("{:.0f} {}", value, kUnits[unit]);
}

}  // namespace hearth::api
