#pragma once

#include <boost/beast/http/parser.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/body_sink.h"
#include "net/http.h"

namespace hearth::net {

struct HeadVerdict;
struct ServerState;

/// One request and its answer, between the head's last byte and the answer's first: everything that
/// needs no socket. Not movable: the parser refers to members.
class Exchange {
 public:
  Exchange(ServerState& server, std::string peer);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Parses a complete head and decides what can be decided without the body: malformed, refused by
  /// the gate, no such route, too large. `verdict` is what the strict check said.
  void open(std::string_view head, const HeadVerdict& verdict, bool spare);
  /// Maps how reading the body ended. False: the connection is lost and nothing can be answered.
  bool finish_body(const boost::beast::error_code& error);
  /// Runs the handler and compresses its answer; calls `finished` when that can be sent, maybe
  /// later and on another thread. Never throws.
  void run_handler(std::function<void()> finished) noexcept;
  /// Answers in the error form of the route's dialect.
  void refuse(int status, const std::string& message);
  /// The same, for a head or body whose end is unknown or unwanted: the connection closes after the
  /// answer.
  void refuse_and_close(int status, const std::string& message);

  using Parser = boost::beast::http::request_parser<BodySink>;
  Parser parser;
  Request request;
  Response response;
  const Route* route = nullptr;
  bool answered = false;  ///< `response` is final.
  bool close = false;     ///< Close after this answer.
  bool unread = false;    ///< Body bytes may still arrive that nobody will read.
  bool expects_continue = false;

 private:
  struct RefuseExtensions {
    void operator()(uint64_t size, boost::beast::string_view extensions,
                    boost::beast::error_code& error) const;
  };

  bool parse(std::string_view head);
  void handle();
  void admit(bool spare);
  void find_route();
  void check_body_size();
  void check_expectation();

  ServerState& server_;
  RefuseExtensions refuse_extensions_;
  size_t head_fields_ = 0;
};

}  // namespace hearth::net
