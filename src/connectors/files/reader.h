// Reads rows of a file by their key: the file as it is, and over it what a killed run has acknowledged and
// not written yet. Changes nothing. Each call reads the whole file once, whatever the number of keys.
#pragma once

#include <memory>

#include "connectors/files/journal.h"
#include "sync/destination.h"

namespace eddy::connectors {

class FileReader final : public sync::Reader {
 public:
  FileReader(std::filesystem::path root, const FileTarget& target, Schema key, Schema fields);
  ~FileReader() override;
  std::size_t keys_max() const override { return 20'000; }
  // Throws Error("destination.unreadable"), Error("destination.unavailable") when the connection's folder is
  // gone.
  std::vector<sync::Record> read(std::span<const Row> keys) override;

 private:
  struct Session;
  void ask_for(std::span<const Row> keys);  // into the table `wanted`
  void read_file(std::vector<sync::Record>& records);
  void read_journal(const JournalRun& run, std::vector<sync::Record>& records);

  std::filesystem::path root_;  // of the connection
  JournalRun run_;              // target and key
  Schema fields_;
  std::unique_ptr<Session> session_;
};

}  // namespace eddy::connectors
