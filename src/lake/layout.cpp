#include "lake/layout.h"

namespace eddy::lake {

std::filesystem::path staging_folder() { return ".staging"; }

std::filesystem::path stream_folder(std::string_view source, std::string_view stream) {
  return std::filesystem::path("raw") / source / stream;
}

std::filesystem::path load_folder(std::string_view source, std::string_view stream,
                                  std::string_view load_id) {
  return stream_folder(source, stream) / load_id;
}

std::filesystem::path model_folder(std::string_view model) {
  const auto dot = model.find('.');
  if (dot == std::string_view::npos) return std::filesystem::path(model);
  return std::filesystem::path(model.substr(0, dot)) / model.substr(dot + 1);
}

std::filesystem::path model_version(std::string_view model, std::string_view version) {
  return model_folder(model) / (std::string(version) + ".parquet");
}

}  // namespace eddy::lake
