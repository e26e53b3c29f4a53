#include "server/server.h"

#include <fmt/format.h>
#include <malloc.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>

#include "api/routes.h"
#include "base/log.h"
#include "base/worker_pool.h"
#include "hearth/version.h"
#include "net/http_client.h"
#include "server/web.h"

namespace hearth::server {
namespace {

std::string url_of(const std::string& host, uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

// Above queries, below what reads, syncs and answers.
constexpr int kIngestNice = 4;
constexpr int kQueryNice = 5;

// `per_core` threads unless a number is set.
WorkerPool::Options pool_options(std::string name, size_t threads, size_t per_core, int nice) {
  const size_t cores = std::max(1U, std::thread::hardware_concurrency());
  return {.name = std::move(name),
          .threads = threads == 0 ? cores * per_core : threads,
          .queue_max = 256,
          .nice = nice};
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

// Fields in order of construction: the HTTP server goes first, the database last.
struct Server::Impl {
  explicit Impl(const Config& given) : config(given) {}

  Config config;
  api::Context context;
  std::unique_ptr<Database> database;
  std::unique_ptr<WorkerPool> ingest;
  std::unique_ptr<WorkerPool> query;
  std::unique_ptr<net::HttpServer> http;
  std::string host;

  Status start();
  Status listen(uint16_t port);
  void fill_context();
  std::vector<net::Route> routes();
};

void Server::Impl::fill_context() {
  context.db = database.get();
  context.clock = &database->clock();
  context.tenancy = config.tenancy;
  context.role = config.database.role;
  if (config.database.ack_object) context.ack = "object";
  context.loopback_only = is_loopback(host);
  context.config_text = config_text(config);
  context.started_wall_ns = context.clock->wall_ns();
  context.server_stats = [this] { return http ? http->stats() : net::HttpServer::Stats{}; };
}

std::vector<net::Route> Server::Impl::routes() {
  std::vector<net::Route> table = api::make_routes(context);
  // Files from disk may block; embedded ones answer at once.
  const net::Pool pool = config.ui_dir.empty() ? net::Pool::io : net::Pool::query;
  table.push_back({"GET", "/*", pool, 0, [this](net::Request& request) {
                     auto page = serve_web(request, config.ui_dir);
                     return page ? std::move(*page)
                                 : api::render_error(request, 404,
                                                     fmt::format("no such path: {}", request.path));
                   }});
  return table;
}

Status Server::Impl::listen(uint16_t port) {
  net::HttpServer::Options options = config.http;
  options.host = host;
  options.port = port;
  options.clock = context.clock;
  options.memory = &database->memory();
  options.ingest = ingest.get();
  options.query = query.get();
  options.render_error = api::render_error;
  options.gate = [this](const net::Request& request) { return api::gate(context, request); };
  HEARTH_ASSIGN_OR_RETURN(http, net::HttpServer::listen(std::move(options), routes()));
  context.listen_url = url_of(host, http->port());
  return {};
}

Status Server::Impl::start() {
  HEARTH_ASSIGN_OR_RETURN(const auto address, parse_listen(config.listen));
  host = address.first;
  HEARTH_ASSIGN_OR_RETURN(database, Database::open(config.database));
  fill_context();
  // A thread is busy while it decodes, and waits only where a service is new; one that waits for
  // the bucket waits long. Below the io thread: what waits, waits in the pool's queue, whose order
  // is ours, and not in a socket.
  const size_t writers = config.database.ack_object ? 64 : 2;
  WorkerPool::Options pushes = pool_options("ingest", config.ingest_threads, writers, kIngestNice);
  pushes.newest_first_for = std::chrono::milliseconds(32);
  ingest = std::make_unique<WorkerPool>(std::move(pushes));
  const WorkerPool::Options queries = pool_options("query", config.query_threads, 1, kQueryNice);
  query = std::make_unique<WorkerPool>(queries);
  // The thread that answers a request takes part, so one less is needed beside it.
  database->engine().use_helpers(*query, queries.threads - 1);
  HEARTH_RETURN_IF_ERROR(listen(address.second));
  context.ready = true;
  http->start();
  return {};
}

Server::Server() = default;
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(const Config& config) {
  std::unique_ptr<Server> server(new Server);
  server->impl_ = std::make_unique<Impl>(config);
  HEARTH_RETURN_IF_ERROR(server->impl_->start());
  return server;
}

std::string Server::url() const {
  return impl_->context.listen_url;
}
Database& Server::database() {
  return *impl_->database;
}

void Server::stop() {
  impl_->context.ready = false;
  std::this_thread::sleep_for(std::chrono::nanoseconds(impl_->config.shutdown_delay_ns));
  impl_->context.draining = true;
  impl_->http->drain(impl_->config.drain_timeout_ns / 1'000'000);
}

int serve(const Config& config, const ServeHooks& hooks) {
  log::set_level(config.log_level);
  log::set_json(config.log_format == "json");
  // Eight arenas per core, the default, only cost idle memory.
  mallopt(M_ARENA_MAX, 4);
  // Blocked before any thread starts, so that only this one takes them.
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto server = Server::start(config);
  if (!server) {
    log::error("cannot start", {{"error", server.error().message}});
    return 1;
  }
  log::info("started", {{"version", version()},
                        {"role", config.role},
                        {"url", (*server)->url()},
                        {"data", config.database.data_dir},
                        {"bucket", (*server)->database().bucket().location()}});
  fmt::print("listening on {}\n", (*server)->url());
  std::fflush(stdout);
  if (hooks.started) hooks.started(**server);

  int signal = 0;
  sigwait(&signals, &signal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  log::info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  if (hooks.stopping) hooks.stopping();
  (*server)->stop();
  server->reset();
  log::info("stopped");
  return 0;
}

int healthcheck(const Config& config) {
  const auto address = parse_listen(config.listen);
  if (!address) return 1;
  std::string host = address->first;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  const auto answer = net::fetch(url_of(host, address->second) + "/ready", "GET", {}, "", 2000);
  if (answer && answer->status == 200) return 0;
  fmt::print(stderr, "hearth: not ready: {}\n",
             answer ? fmt::format("status {}", answer->status) : answer.error().message);
  return 1;
}

}  // namespace hearth::server
