#include "api_fixture.h"
#include "base/random.h"
#include "storage/deletion_log.h"
#include "support/memory_bucket.h"
#include "support/quiet_log.h"

namespace hearth::test {
namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// The handlers over a store that can delete.
struct DeletingApi : Api {
  std::unique_ptr<Random> random = seeded_random(1);
  MemoryBucket bucket{clock};
  storage::DeletionLog log{
      {&bucket, random.get(), &clock, [](const storage::KvBatch&) { return Status(); }}};
  DeletingApi() { store.set_deletions(&log); }
  net::Response ask(const std::string& query) {
    return post("/api/v1/admin/delete?" + query, "", "");
  }
};

TEST_CASE("asking for a deletion stores what was asked", "[api]") {
  const QuietLog quiet;
  DeletingApi api;
  const net::Response answer = api.ask("selector={service_name!~\"x\"}&from=1000&until=3000");
  CHECK(answer.status == 200);
  CHECK(api.bucket.keys("d/").size() == 1);
  REQUIRE(api.log.current()->size() == 1);
  const storage::Deletion deletion = api.log.current()->front();
  CHECK(deletion.tenant == "anonymous");
  CHECK(deletion.begin_ns == 1'000'000'000);
  CHECK(deletion.last_ns == 2'999'999'999);
  CHECK(contains(answer.body, R"("from":1000,"until":3000)"));
  CHECK(contains(answer.body, deletion.id.uuid()));
  CHECK(contains(api.get("/api/v1/admin/deletions").body, deletion.id.uuid()));
}

TEST_CASE("without a range everything until now is deleted", "[api]") {
  const QuietLog quiet;
  DeletingApi api;
  CHECK(contains(api.ask("selector={}").body, R"("from":null)"));
  CHECK(api.log.current()->front().last_ns == api.clock.wall - 1);
}

TEST_CASE("a deletion is withdrawn by its id", "[api]") {
  const QuietLog quiet;
  DeletingApi api;
  api.ask("selector={}");
  const std::string withdraw = "/api/v1/admin/delete/withdraw?id=";
  CHECK(api.post(withdraw + "x", "", "").status == 404);
  CHECK(api.post(withdraw + api.log.current()->front().id.uuid(), "", "").status == 200);
  CHECK(api.log.current()->empty());
  CHECK(api.bucket.keys("d/").empty());
}

TEST_CASE("without tenants a deletion of a tenant's profiles is refused", "[api]") {
  const QuietLog quiet;
  DeletingApi api;
  const auto ask_for = [&](const char* tenant) {
    return api.post("/api/v1/admin/delete?selector={}", "", "", {{"X-Scope-OrgID", tenant}});
  };
  const net::Response refused = ask_for("acme");
  CHECK(refused.status == 400);
  CHECK(contains(refused.body, "acme"));
  CHECK(api.log.current()->empty());
  CHECK(ask_for("anonymous").status == 200);
  api.context.tenancy = true;
  CHECK(ask_for("acme").status == 200);
  CHECK(api.log.current()->back().tenant == "acme");
}

TEST_CASE("a deletion that is not meant so is refused", "[api]") {
  const QuietLog quiet;
  DeletingApi api;
  for (const char* query :
       {"", "selector=", "selector={", "selector={__type__!~\"cpu\"}", "selector={}&from=yesterday",
        "selector={}&from=5&until=5", "selector={}&from=", "selector={}&from=5&until="}) {
    INFO(query);
    CHECK(api.ask(query).status == 400);
  }
  CHECK(api.post("/api/v1/admin/delete?selector={}", "", "", {{"Sec-Fetch-Site", "cross-site"}})
            .status == 403);
  api.context.loopback_only = false;
  CHECK(api.ask("selector={}").status == 403);
  CHECK(api.get("/api/v1/admin/deletions").status == 403);
  CHECK(api.log.current()->empty());
  Api unable;
  CHECK(unable.post("/api/v1/admin/delete?selector={}", "", "").status == 501);
}

}  // namespace
}  // namespace hearth::test
