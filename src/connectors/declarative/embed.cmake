# Writes OUTPUT, a .cpp that holds the connector files FILES as text.
set(entries "")
foreach(file IN LISTS FILES)
  get_filename_component(folder ${file} DIRECTORY)
  get_filename_component(name ${folder} NAME)
  file(READ ${file} text)
  string(APPEND entries "      {\"${name}\", R\"connector(${text})connector\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Generated from connectors/*/connector.yml.
#include \"connectors/declarative/library.h\"

namespace eddy::connectors {

std::vector<EmbeddedConnector> embedded_connectors() {
  return {
${entries}  };
}

}  // namespace eddy::connectors
")
