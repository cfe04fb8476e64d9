# What we stand on. tools/setup installs all of it; nothing is downloaded by CMake.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc i18n)
find_library(EDDY_PHONENUMBER_LIBRARY phonenumber REQUIRED)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(MARIADB REQUIRED IMPORTED_TARGET libmariadb)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)

set(EDDY_THIRD_PARTY ${CMAKE_SOURCE_DIR}/third_party/npm CACHE PATH "Where tools/setup unpacked DuckDB and ECharts")
if(NOT EXISTS ${EDDY_THIRD_PARTY}/duckdb/lib/libduckdb.so)
  message(FATAL_ERROR "DuckDB is not in ${EDDY_THIRD_PARTY}. Run tools/setup (make build does it for you).")
endif()
# -isystem and a SHARED IMPORTED target: our warnings are errors, theirs are theirs.
add_library(duckdb SHARED IMPORTED GLOBAL)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION ${CMAKE_BINARY_DIR}/lib/libduckdb.so
  IMPORTED_NO_SONAME ON
  INTERFACE_INCLUDE_DIRECTORIES ${EDDY_THIRD_PARTY}/duckdb/include)
# Programs in build/<preset>/bin find it in build/<preset>/lib, as they do once installed.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
file(CREATE_LINK ${EDDY_THIRD_PARTY}/duckdb/lib/libduckdb.so ${CMAKE_BINARY_DIR}/lib/libduckdb.so SYMBOLIC)
target_link_libraries(eddy_flags INTERFACE fmt::fmt nlohmann_json::nlohmann_json)
