# `make install PREFIX=…`: a tree that can be moved. Programs find lib/libduckdb.so beside themselves by their rpath
# ($ORIGIN/../lib, see EddyBuild.cmake), and connectors and examples below share/eddy.
foreach(program eddy eddy-sandbox shop-data)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION bin)
  endif()
endforeach()
install(PROGRAMS ${EDDY_THIRD_PARTY}/duckdb/lib/libduckdb.so DESTINATION lib)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/connectors DESTINATION share/eddy PATTERN scenarios EXCLUDE)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/examples DESTINATION share/eddy
  PATTERN generator EXCLUDE PATTERN data EXCLUDE PATTERN lake EXCLUDE PATTERN .eddy EXCLUDE PATTERN "*.db" EXCLUDE
  PATTERN "warehouse.duckdb*" EXCLUDE PATTERN .env EXCLUDE PATTERN report.html EXCLUDE)

install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/NOTICE ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CHANGELOG.md
  DESTINATION share/doc/eddy)
install(FILES ${EDDY_THIRD_PARTY}/duckdb/LICENSE DESTINATION share/doc/eddy/licenses/duckdb)
install(FILES ${EDDY_THIRD_PARTY}/echarts/LICENSE ${EDDY_THIRD_PARTY}/echarts/NOTICE ${EDDY_THIRD_PARTY}/echarts/LICENSE-d3
  DESTINATION share/doc/eddy/licenses/echarts)
