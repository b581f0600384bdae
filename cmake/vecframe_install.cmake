# `cmake --install`: the library with its public headers, the module it opens, the command line, and the files that let
# an outside project write find_package(vecframe). A wheel has its own layout (python/CMakeLists.txt).
if(SKBUILD OR VECFRAME_FUZZ)
  return()
endif()
include(CMakePackageConfigHelpers)
set(vecframe_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/vecframe")

install(TARGETS vecframe EXPORT vecframe_targets LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT vecframe_targets NAMESPACE vecframe:: DESTINATION "${vecframe_config_dir}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/vecframe" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.h")

file(RELATIVE_PATH lib_from_bin "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
set_target_properties(vecframe_cli PROPERTIES INSTALL_RPATH "$ORIGIN/${lib_from_bin}")
install(TARGETS vecframe_cli RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
if(TARGET vecframe_io)
  # Beside the library, which looks for it there; Arrow stays where the pyarrow package has it.
  set_target_properties(vecframe_io PROPERTIES INSTALL_RPATH "${VECFRAME_ARROW_DIR}")
  install(TARGETS vecframe_io LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endif()
if(TARGET vecframe_cuda)
  install(TARGETS vecframe_cuda LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endif()

configure_package_config_file(cmake/vecframeConfig.cmake.in "${PROJECT_BINARY_DIR}/vecframeConfig.cmake"
                              INSTALL_DESTINATION "${vecframe_config_dir}" NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/vecframeConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/vecframeConfig.cmake" "${PROJECT_BINARY_DIR}/vecframeConfigVersion.cmake"
        DESTINATION "${vecframe_config_dir}")
