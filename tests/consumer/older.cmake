# SPDX-License-Identifier: MIT
# A user that was written for a version before this one.
find_package(weir 0.0 REQUIRED)
