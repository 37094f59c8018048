# shellcheck shell=bash disable=SC1010,SC2016,SC2034,SC2154,SC2216
# SPDX-License-Identifier: MIT
#
# usage.sh - what is refused, and how: one line that names it, exit status 2,
# before anything runs.

# refused NEEDLE ARG...: weir run with these says so.
refused() {
    local needle=$1
    shift
    printf 'a\n' | run "$@"
    expect "exit status of '$*'" "$rc" 2
    expect "lines of errors of '$*'" "$(lines err)" 1
    grep -qF -e "$needle" err || fail "'$*' says '$(cat err)', not '$needle'"
    grep -q '^weir run: ' err || fail "'$*' says '$(cat err)'"
    expect "output of '$*'" "$(cat out)" ""
    [ ! -e ran ] || fail "'$*' ran something"
}

test_a_bad_number_of_jobs_is_refused() {
    local bad
    for bad in x '' 1x -- 1.5 +50% 65537 +65536 99999999999999999999 -x; do
        refused "-j '$bad'" -j "$bad" -- touch ran
    done
    refused "--jobs 'x'" --jobs=x -- touch ran
    refused "-P 'x'" -Px -- touch ran
    refused "--max-procs 'x'" --max-procs x -- touch ran
}

test_a_bad_duration_is_refused() {
    local bad
    for bad in 5x '' s 1.2.3 -1 1h30 inf 0x10 '5 s' 99999999d 0 0s; do
        refused "--timeout '$bad'" --timeout "$bad" -- touch ran
    done
    refused "not a duration; write 1.5s, 200ms, 2m" --timeout 5x -- touch ran
    refused "--grace 'soon'" --grace soon -- touch ran
}

test_a_duration_may_have_digits_without_end() {
    local nines
    nines=$(printf '9%.0s' {1..400})
    run --timeout "9.$nines" --grace "0.${nines}s" -- true </dev/null
    expect "exit status" "$rc" 0
    refused "--timeout '9999" --timeout "$nines" -- touch ran
    refused "--timeout '.000" --timeout ".${nines//9/0}" -- touch ran
}

test_a_bad_number_of_attempts_is_refused() {
    local bad
    for bad in 0 x '' -1 1.5 4294967296; do
        refused "--attempts '$bad'" --attempts "$bad" -- touch ran
    done
}

test_a_bad_level_of_the_log_is_refused() {
    local bad
    for bad in x '' ERROR warnings 1; do
        refused "--log '$bad': write off, error, warning or info" \
            --log "$bad" -- touch ran
    done
    refused "--log: needs a value" --log
}

test_a_bad_backoff_is_refused() {
    local bad
    for bad in x '' ,2 1s,0.5 1s,x 1s,2,x 1s,2,1ms 1s,2,3,4; do
        refused "--backoff '$bad'" --attempts 2 --backoff "$bad" -- touch ran
    done
    refused "--backoff: nothing is tried again without --attempts" \
        --backoff 1s -- touch ran
}

test_a_watch_beside_a_progress_line_is_refused() {
    refused "--progress: --watch shows more than that" --watch --progress \
        -- touch ran
}

test_a_bad_delimiter_is_refused() {
    local bad
    for bad in '' ab '\q' '\x' '\x100' '\400' '\8' '\xg' '\nn'; do
        refused "-d '" -d "$bad" -- touch ran
    done
    refused "--delimiter 'ab'" --delimiter ab -- touch ran
}

test_a_bad_size_is_refused() {
    local bad
    for bad in 0 x '' 1T 1KB -1 1.5M 99999999999G; do
        refused "--max-buffer '$bad'" --max-buffer "$bad" -- touch ran
    done
}

test_a_bad_word_for_progress_or_summary_is_refused() {
    refused "--progress 'maybe': write auto, always or never" \
        --progress=maybe -- touch ran
    refused "--summary 'xml': write table or json" --summary=xml -- touch ran
}

test_a_file_that_cannot_be_opened_is_refused() {
    refused "-a 'nowhere': No such file" -a nowhere -- touch ran
    refused "-a ''" -a '' -- touch ran
    : >secret
    chmod 0 secret
    [ -r secret ] || refused "-a 'secret': Permission" -a secret -- touch ran
}

test_an_unknown_option_is_refused_by_its_name() {
    refused "--colour: not an option" --colour -- touch ran
    refused "-x: not an option" -x -- touch ran
    refused "-x: not an option" --keep-order -kx0 -- touch ran
    refused "--keep-order=yes: takes no value" --keep-order=yes -- touch ran
    refused "--timeout: needs a value" --timeout
    refused "-j: needs a value" -kj
    refused "--m: not an option" --m 3 -- touch ran
    refused '--\x1b[31m: not an option' $'--\e[31m' -- touch ran
    refused "--timeout '5\\n6'" --timeout $'5\n6' -- touch ran
}

test_a_missing_command_is_refused() {
    refused "no COMMAND" --
    refused "no COMMAND" -j 2
    refused "COMMAND is empty" -- ''
}

test_a_command_that_cannot_be_executed_is_refused_at_once() {
    refused "'no-such-command': not found in PATH" -- no-such-command
    refused "'./nothing': no such file" -- ./nothing
    refused "'/tmp': a directory" -- /tmp
    : >plain
    refused "'./plain': may not be executed" -- ./plain
    printf 'a\n' | PATH=/nowhere "$weir" run -- touch ran >out 2>err
    expect "exit status without a PATH that helps" $? 2
    has err "'touch': not found in PATH"
}

test_the_options_of_the_command_are_left_alone() {
    printf 'a\n' | run -k printf '%s|' -j -0 --help
    expect "exit status" "$rc" 0
    expect "output" "$(cat out)" "-j|-0|--help|a|"
}

test_a_closed_standard_input_is_refused() {
    run -- touch ran <&-
    expect "exit status" "$rc" 2
    has err '^weir run: standard input is closed; .*-a FILE'
    expect "lines of errors" "$(lines err)" 1
    [ ! -e ran ] || fail "something ran"
    printf 'a\n' >in
    run -a in -- echo <&-
    expect "exit status with -a" "$rc" 0
    expect "output with -a" "$(cat out)" a
}

test_a_standard_input_that_cannot_be_read_is_refused() {
    run -- touch ran 0>written
    expect "exit status" "$rc" 2
    has err '^weir run: standard input is not open for reading'
}

test_a_closed_standard_output_is_refused() {
    printf 'a\n' | "$weir" run -- touch ran >&- 2>err
    expect "exit status" $? 2
    has err '^weir: standard output is closed'
    [ ! -e ran ] || fail "something ran"
    printf 'a\n' | "$weir" run -- touch ran 2>err 1</dev/null
    expect "exit status" $? 2
    has err '^weir: standard output is not open for writing'
    "$weir" --version >&- 2>err
    expect "exit status of --version" $? 2
}

test_a_closed_standard_error_does_no_harm() {
    printf 'a\nb\n' | "$weir" run -k -- sh -c 'echo out; echo err >&2; exit 1' \
        >out 2>&-
    expect "exit status" $? 1
    expect "output" "$(cat out)" "out
out"
}

test_help_and_version_are_printed_on_standard_output() {
    "$weir" help >out 2>err || fail "weir help: $?"
    has out '--keep-order'
    "$weir" run --help >out 2>err || fail "weir run --help: $?"
    has out '--max-buffer'
    expect "errors" "$(cat err)" ""
    "$weir" --version >out || fail "weir --version: $?"
    has out '^weir [0-9]*\.[0-9]*\.[0-9]*$'
    "$weir" help >/dev/full 2>err
    expect "exit status of help to a full device" $? 1
    has err 'No space left'
}

test_every_option_of_the_help_is_taken() {
    local option
    "$weir" run --help | grep -o -e ' --[a-z-]*' | sort -u >options
    has_lines options 14 || fail "only $(lines options) options in the help"
    while read -r option; do
        case $option in --help) continue ;; esac
        : | run "$option" -- true
        lacks err 'not an option'
    done <options
}

test_a_wrong_first_word_is_refused() {
    "$weir" >out 2>err
    expect "exit status without a word" $? 2
    has err '^weir: nothing to do'
    "$weir" jump >out 2>err
    expect "exit status of jump" $? 2
    has err "^weir: 'jump': not a command"
    expect "output" "$(cat out)" ""
}

test_a_file_that_cannot_be_written_is_refused() {
    local option
    for option in --trace --picture --metrics; do
        refused "$option 'no/such/x': No such file or directory; name a file" \
            "$option" no/such/x -- touch ran
        refused "$option '': not a file name" "$option" '' -- touch ran
    done
}
