#include "connectors/files/destination.h"

#include <fmt/format.h>

#include <map>

#include "connectors/files/files.h"
#include "connectors/files/reader.h"
#include "connectors/files/writer.h"
#include "core/error.h"
#include "core/text.h"

namespace eddy::connectors {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t listed_max = 1'000;

Type type_of(const std::string& engine_type) {
  if (engine_type.starts_with("DECIMAL")) return Type::decimal;
  if (engine_type.starts_with("TIMESTAMP")) return Type::timestamp;
  for (const Type type : {Type::boolean, Type::real, Type::date, Type::json, Type::blob})
    if (engine_type == parquet_type(type)) return type;
  return fits_parquet(Type::integer, engine_type) ? Type::integer : Type::text;
}

class FilesDestination final : public sync::Destination {
 public:
  FilesDestination(fs::path folder, Clock& clock) : folder_(std::move(folder)), clock_(clock) {}

  std::string check() override {
    require_folder();
    return fmt::format("folder {}, {} files that can be written", folder_.string(), objects().size());
  }

  std::vector<std::string> objects() override {
    std::vector<std::string> out;
    std::error_code error;
    for (auto it = fs::recursive_directory_iterator(folder_, error); it != fs::recursive_directory_iterator();
         it.increment(error)) {
      if (error || out.size() == listed_max) break;
      if (it->path().filename().native().starts_with('.')) it.disable_recursion_pending();
      const std::string object = it->path().lexically_relative(folder_).string();
      if (FileTarget::existing(folder_, object)) out.push_back(object);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  // The file is made by the first sync that writes it, and takes any field.
  bool checked_by_open(const config::Node&) const override { return true; }

  std::optional<sync::ObjectSchema> describe(const std::string& object) override {
    const auto target = FileTarget::existing(folder_, object);
    if (!target) return std::nullopt;
    auto database = engine::Database::in_memory({.memory_limit = "128MB", .spill_folder = {}, .threads = 1});
    auto connection = database.connect();
    sync::ObjectSchema schema{.name = object, .fields = {}, .open = true};
    const StoredFile stored(connection, *target);
    for (const StoredColumn& column : stored.columns()) {
      sync::FieldSchema& field = schema.fields.emplace_back();
      field.name = column.name;
      field.type = type_of(column.engine_type);
      field.native_type = column.engine_type;
      field.key = true;  // nothing speaks against it; whether rows have it once is asked when it is opened
    }
    return schema;
  }

  std::unique_ptr<sync::Writer> open(const sync::Delivery& delivery) override {
    const FileTarget target = FileTarget::of(folder_, delivery.object, delivery.options);
    require_folder();
    check_delivery(delivery, target);
    make_parent(target);
    return std::make_unique<FileWriter>(target, delivery, clock_);
  }

  std::unique_ptr<sync::Reader> reader(const sync::Reading& reading) override {
    const FileTarget target = FileTarget::of(folder_, reading.object, reading.options);
    require_folder();
    if (target.content == FileContent::changes) return nullptr;  // it tells what happened, not what is
    return std::make_unique<FileReader>(folder_, target, reading.key, reading.fields);
  }

  bool unfinished(const sync::Delivery& delivery) override {
    return connectors::unfinished(FileTarget::of(folder_, delivery.object, delivery.options));
  }

 private:
  void require_folder() const {
    if (!fs::is_directory(folder_))
      throw Error("files.no_folder", fmt::format("the folder {} is not there", folder_.string()),
                  "correct `path` of the connection, or make the folder");
  }

  static void make_parent(const FileTarget& target) {
    std::error_code error;
    fs::create_directories(target.file.parent_path(), error);
    if (error)
      throw Error(
          "destination.unwritable",
          fmt::format("cannot make the folder {}: {}", target.file.parent_path().string(), error.message()),
          "check permissions");
    if (fs::is_directory(target.file))
      throw Error("destination.no_such_object", fmt::format("`{}` is a folder", target.object),
                  "name a file");
  }

  static void check_delivery(const sync::Delivery& delivery, const FileTarget& target) {
    if (delivery.removed == sync::Removal::archive)
      throw Error("destination.unsupported", "a file has no archive",
                  "use `removed: delete`, `clear` or `ignore`");
    const bool changes = target.content == FileContent::changes;
    if (changes && delivery.mode == sync::Mode::update)
      throw Error("destination.unsupported",
                  "a file of changes does not know what is there, so it cannot only update",
                  "use `mode: upsert`");
    std::map<std::string, std::string> names;
    for (const Schema* columns : {&delivery.key, &delivery.fields})
      for (const Column& column : *columns) {
        if (changes && (column.name == "_operation" || column.name == "_run" || column.name == "_changed"))
          throw Error("destination.unsupported",
                      fmt::format("`{}` is a column of every file of changes", column.name),
                      "rename the field");
        if (column.name.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos ||
            column.name.empty())
          throw Error("destination.unsupported", "a column's name is empty or has a line break in it",
                      "rename the field");
        const auto [other, fresh] = names.emplace(lower(column.name), column.name);
        if (!fresh)
          throw Error(
              "destination.unsupported",
              fmt::format("`{}` and `{}` are one name to most readers of files", other->second, column.name),
              "rename one of them");
      }
    for (const Column& column : delivery.key)
      if (column.type == Type::real)
        throw Error("destination.unsupported",
                    fmt::format("the key `{}` is a floating-point number, whose text is not one but many",
                                column.name),
                    "cast it to a decimal or to text");
  }

  fs::path folder_;
  Clock& clock_;
};

}  // namespace

sync::DestinationType files_destination() {
  return {.type = "files",
          .summary = "CSV, JSON lines or Parquet files in a folder, whole or as changes",
          .settings = files_settings(),
          .options = FileTarget::options_shape(),
          .make = [](const config::Node& settings,
                     const sync::Surroundings& surroundings) -> std::unique_ptr<sync::Destination> {
            return std::make_unique<FilesDestination>(files_folder(settings, surroundings.project),
                                                      surroundings.clock);
          }};
}

}  // namespace eddy::connectors
