# SPDX-License-Identifier: MIT
# cmake -DLIB=.. -P untrapped.cmake: no public function can be left by a jump in
# the middle of what others see.  It begins with WEIR__UNTRAPPED, or does
# nothing but return a function of ours that does, or is named here because
# nobody is harmed if it is left at any moment; see lib/base/trap.h.
cmake_minimum_required(VERSION 3.25)

set(harmless
  # they answer a question
  weir_deadline_after weir_deadline_remaining weir_last_error
  weir_histogram_at_most weir_histogram_low_of weir_histogram_quantile
  weir_ledger_balances weir_log_kind_name weir_log_level_name weir_outcome_name weir_queue_capacity weir_queue_count
  weir_queue_is_closed weir_queue_unfinished weir_status_name weir_status_text
  weir_task_attempt weir_task_cancelled weir_task_context weir_task_current
  weir_task_deadline weir_task_id weir_task_worker weir_version
  # they write to the attempt's own record; a raise holds when it has
  weir_task_defer weir_task_end_series weir_task_fail weir_task_overloaded weir_task_raise weir_task_result
  # where there is a handler it refuses
  weir_set_allocator
  # they write to what is the caller's own
  weir_histogram_add weir_histogram_merge
  # they make something that nobody else knows yet
  weir_producer_array weir_producer_batch weir_producer_call
  weir_producer_files weir_producer_lines weir_producer_merge
  weir_producer_queue weir_producer_range)

set(text "")
file(GLOB_RECURSE sources "${LIB}/*.c")
foreach(source IN LISTS sources)
  file(READ "${source}" one)
  # A bracket or a semicolon would glue or split list elements.
  string(REGEX REPLACE "[][]" "|" one "${one}")
  string(REPLACE ";" "," one "${one}")
  string(APPEND text "${one}")
endforeach()

# The first line of a function's body.
function(first_line out name)
  string(REGEX MATCH "\n[a-z0-9_ *]*${name}\\([^{},]*(,[^{},]*)*\\)\n{\n *([^\n]*)\n"
    found "${text}")
  set(${out} "${CMAKE_MATCH_2}" PARENT_SCOPE)
endfunction()

file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/abi/symbols.txt" public
  REGEX "^[^#]")
if(NOT public)
  message(FATAL_ERROR "no public functions")
endif()
foreach(name IN LISTS public)
  if(name IN_LIST harmless)
    continue()
  endif()
  first_line(line ${name})
  if(line MATCHES "^return (weir__[a-z_]+)\\(")
    first_line(line ${CMAKE_MATCH_1})
  endif()
  if(NOT line STREQUAL "WEIR__UNTRAPPED,")
    message(SEND_ERROR "${name} must begin with WEIR__UNTRAPPED, or be named "
      "in tests/untrapped.cmake as harmless; it begins with: ${line}")
  endif()
endforeach()
