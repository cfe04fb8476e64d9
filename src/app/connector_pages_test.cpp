#include "app/connector_pages.h"

#include <gtest/gtest.h>

#include "core/files.h"
#include "support/scratch.h"

namespace eddy::app {
namespace {

const std::filesystem::path reference = std::filesystem::path(EDDY_SOURCE_DIR) / "docs/reference/connectors";

TEST(ConnectorPages, AreWhatTheConnectorsSay) {
  eddy::testing::Scratch scratch;
  const Registry registry("/nowhere");
  EXPECT_GT(write_connector_pages(registry, scratch.path()), 14U);
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path())) {
    const auto kept = reference / entry.path().filename();
    ASSERT_TRUE(std::filesystem::exists(kept)) << kept << " is missing; write it with: make docs";
    EXPECT_EQ(read_file(entry.path()), read_file(kept)) << kept << " is stale; write it anew with: make docs";
  }
  for (const auto& entry : std::filesystem::directory_iterator(reference))
    EXPECT_TRUE(std::filesystem::exists(scratch.path() / entry.path().filename()))
        << entry.path() << " is of no connector; take it away with: make docs";
}

TEST(ConnectorPages, ForgottenConnectorsGo) {
  eddy::testing::Scratch scratch;
  write_file_atomically(scratch.path() / "gone.md", "# Gone\n");
  write_file_atomically(scratch.path() / "kept.txt", "of somebody else");
  write_connector_pages(Registry("/nowhere"), scratch.path());
  EXPECT_FALSE(std::filesystem::exists(scratch.path() / "gone.md"));
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "kept.txt"));
  const std::string page = read_file(scratch.path() / "hubspot.md");
  for (const char* part : {"## Connection", "token: ${HUBSPOT_TOKEN}", "## Objects", "`mode: upsert`",
                           "## Limits", "eddy map hubspot_contacts --write"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
}

}  // namespace
}  // namespace eddy::app
