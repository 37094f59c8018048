# SPDX-License-Identifier: MIT
# Manual pages, made of the cards in the headers and of the command's own help.
find_program(WEIR_PYTHON python3)
if(NOT WEIR_PYTHON)
  message(STATUS "no python3: manual pages are neither made nor installed")
  return()
endif()
file(GLOB page_sources CONFIGURE_DEPENDS include/weir/*.h include/weir/*.hpp
  docs/pages/*.py)
set(pages "${CMAKE_CURRENT_BINARY_DIR}/pages")
set(make_pages "${WEIR_PYTHON}" -B
  "${CMAKE_CURRENT_SOURCE_DIR}/docs/pages/pages.py" man "${pages}")
# What is built for another machine cannot be asked for its help.
if(WEIR_TOOLS AND NOT CMAKE_CROSSCOMPILING)
  list(APPEND page_sources weir_tool)
  list(APPEND make_pages --command "$<TARGET_FILE:weir_tool>")
endif()
add_custom_command(OUTPUT "${pages}/man7/weir.7" COMMAND ${make_pages}
  DEPENDS ${page_sources} VERBATIM COMMENT "manual pages")
add_custom_target(weir_pages ALL DEPENDS "${pages}/man7/weir.7")
install(DIRECTORY "${pages}/" DESTINATION "${CMAKE_INSTALL_MANDIR}"
  FILES_MATCHING PATTERN "*.[137]")
