# SPDX-License-Identifier: MIT
# What one program has written is read by another: see CMakeLists.txt.
execute_process(COMMAND "${WRITER}" "${FILE}" RESULT_VARIABLE answer)
if(NOT answer EQUAL 0)
  message(FATAL_ERROR "${WRITER} answered ${answer}")
endif()
execute_process(COMMAND "${PYTHON}" "${READER}" "${FILE}"
  RESULT_VARIABLE answer OUTPUT_VARIABLE said)
set(expected "weir\n(close 1\n)?settle 1000\nstart 1000\nsubmit 1000\n")
string(REGEX REPLACE "\n(blocked|release|unblocked) [0-9]+" "" said "${said}")
if(NOT answer EQUAL 0 OR NOT said MATCHES "^${expected}lost 0\n$")
  message(FATAL_ERROR "${READER} answered ${answer}: ${said}")
endif()
