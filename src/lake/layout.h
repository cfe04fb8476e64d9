// The names of things in the lake folder. Everything here is pure; paths are relative to the lake folder.
//
//   raw/<source>/<stream>/<load-id>/      one load: the bytes as received, <n>.parquet, quarantine.jsonl,
//   load.json <layer>/<name>/<version>.parquet      one immutable version of a lake model (clean,
//   presentation) .staging/<id>, .staging/<id>.lock     what is being written; publish.h
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace eddy::lake {

std::filesystem::path staging_folder();  // ".staging"
std::filesystem::path stream_folder(std::string_view source, std::string_view stream);
std::filesystem::path load_folder(std::string_view source, std::string_view stream, std::string_view load_id);
std::filesystem::path model_folder(std::string_view model);  // "clean.customers" -> clean/customers
std::filesystem::path model_version(std::string_view model, std::string_view version);  // …/<version>.parquet

}  // namespace eddy::lake
