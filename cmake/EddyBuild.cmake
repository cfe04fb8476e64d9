# Compiler rules and the two functions with which every folder under src/ describes itself.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
# The installed tree can be moved: programs look for libduckdb.so beside themselves.
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)
set(CMAKE_INSTALL_RPATH "$ORIGIN/../lib")
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  # -Og keeps frames readable and the sanitizer suites fast enough to run on every change.
  set(CMAKE_CXX_FLAGS_DEBUG "-Og -g1")
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Checkouts share one cache: paths are made relative, and a precompiled header is identified by its content.
  set(CCACHE_ENV CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env ${CCACHE_ENV} ${CCACHE_PROGRAM})
endif()

set(EDDY_SANITIZE "" CACHE STRING "Value of -fsanitize=, empty for none")
add_library(eddy_flags INTERFACE)
target_compile_options(eddy_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror -fpch-preprocess
  # GCC 12 reports these two about its own std::string when it inlines (GCC bugs 105329, 105651).
  -Wno-restrict -Wno-stringop-overflow)
target_include_directories(eddy_flags INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
if(EDDY_SANITIZE)
  # GCC's -Wmaybe-uninitialized reports false positives under instrumentation (GCC bug 105562).
  target_compile_options(eddy_flags INTERFACE -fsanitize=${EDDY_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all -Wno-maybe-uninitialized)
  target_link_options(eddy_flags INTERFACE -fsanitize=${EDDY_SANITIZE})
endif()

# Tests and the sandbox are compiled more often than they are run: less optimised, a quarter faster to build.
add_library(eddy_test_flags INTERFACE)
target_link_libraries(eddy_test_flags INTERFACE eddy_flags)
target_compile_options(eddy_test_flags INTERFACE $<$<CONFIG:Release>:-O1>)

# One precompiled header for all of our code: the standard library, fmt and JSON.
set(EDDY_PCH <algorithm> <chrono> <cstdint> <exception> <filesystem> <functional> <map> <memory> <mutex> <optional>
  <set> <span> <string> <string_view> <thread> <unordered_map> <variant> <vector> <fmt/format.h> <nlohmann/json.hpp>)
file(WRITE ${CMAKE_BINARY_DIR}/generated/pch.cpp "")
add_library(eddy_pch STATIC ${CMAKE_BINARY_DIR}/generated/pch.cpp)
target_link_libraries(eddy_pch PUBLIC eddy_flags)
target_precompile_headers(eddy_pch PRIVATE ${EDDY_PCH})
add_library(eddy_test_pch STATIC ${CMAKE_BINARY_DIR}/generated/pch.cpp)
target_link_libraries(eddy_test_pch PUBLIC eddy_test_flags)
target_precompile_headers(eddy_test_pch PRIVATE ${EDDY_PCH})

# eddy_library(NAME [DEPENDS target...] [LINK external...])
# The folder's *.cpp without *_test.cpp become the library eddy_NAME; *_test.cpp become eddy_NAME_test, run by ctest.
# DEPENDS names other eddy folders; tests/tidy checks that they follow the rule of arrows.
function(eddy_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  if(NOT sources)
    set(sources ${CMAKE_BINARY_DIR}/generated/pch.cpp)
  endif()
  add_library(eddy_${name} STATIC ${sources})
  target_precompile_headers(eddy_${name} REUSE_FROM eddy_pch)
  list(TRANSFORM ARG_DEPENDS PREPEND eddy_)
  target_link_libraries(eddy_${name} PUBLIC eddy_flags ${ARG_DEPENDS} ${ARG_LINK})
  if(tests)
    eddy_tests(${name}_test SOURCES ${tests} LINK eddy_${name} LABELS unit)
  endif()
endfunction()

# eddy_tests(NAME SOURCES file... [LINK target...] [LABELS label...] [ENVIRONMENT name=value...])
# Every TEST of the program is its own ctest test, so the closing count is the number of tests.
function(eddy_tests name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS;ENVIRONMENT" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)  # under the sanitizers a busy machine takes long
  endif()
  add_executable(eddy_${name} ${ARG_SOURCES})
  target_precompile_headers(eddy_${name} REUSE_FROM eddy_test_pch)
  target_link_libraries(eddy_${name} PRIVATE eddy_test_flags ${ARG_LINK} eddy_test_support GTest::gtest GTest::gtest_main)
  target_compile_definitions(eddy_${name} PRIVATE EDDY_SOURCE_DIR="${CMAKE_SOURCE_DIR}" EDDY_BINARY_DIR="${CMAKE_BINARY_DIR}")
  # DISABLED_ marks what a test runs as a child process; it is no test of its own.
  gtest_discover_tests(eddy_${name} TEST_PREFIX "${name}." TEST_FILTER "-*DISABLED_*" DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}" ENVIRONMENT "${ARG_ENVIRONMENT}")
endfunction()
include(GoogleTest)
