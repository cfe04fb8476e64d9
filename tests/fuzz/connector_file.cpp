// Any bytes as a connector.yml: they are a connector or an Error that says where; never a crash. What is
// accepted can be shown.
#include <filesystem>

#include "connectors/declarative/library.h"
#include "core/error.h"
#include "core/files.h"
#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace eddy::connectors;
  try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    auto spec = std::make_shared<const Spec>(parse_connector(text, "connector.yml"));
    if (manual_text(manual({spec, "connector.yml"})).empty()) std::abort();
  } catch (const eddy::Error& error) {
    if (error.code().empty() || error.diagnostics().empty()) std::abort();
  }
  return 0;
}

std::vector<std::string> eddy::fuzz::seeds() {
  std::vector<std::string> out;
  for (const auto& connector : connectors::embedded_connectors()) out.emplace_back(connector.text);
  return out;
}
