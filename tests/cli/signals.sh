# shellcheck shell=bash disable=SC1010,SC2016,SC2034,SC2154,SC2216
# SPDX-License-Identifier: MIT
#
# signals.sh - the first signal lets run what runs, the second ends it.

# A command for records of one letter each: says that it runs, waits for its
# gate.  Without a gate it stays until it is killed.
waits='echo $$ >pid.$1.new; mv pid.$1.new pid.$1; read x <gate.$1; echo "$1 ended"'

# start_two ARG...: a and b run, further records wait in a pipe that stays open
# as descriptor 4.
start_two() {
    mkfifo in gate.a gate.b
    exec 4<>in
    start -j 2 "$@" -- sh -c "$waits" - <in
    printf 'a\nb\nc\nd\n' >&4
    wait_until "both run" test -e pid.a -a -e pid.b
}

# lets_run SIGNAL STATUS: after one of these what runs is finished.
lets_run() {
    start_two
    kill "-$1" "$pid"
    wait_until "it says so" grep -q finishing err
    has err '^weir: finishing 2 running; again to end them$'
    echo >gate.b
    wait_until "b is printed" has_lines out 1
    echo >gate.a
    finish
    expect "exit status" "$rc" "$2"
    expect "output" "$(cat out)" "b ended
a ended"
    has err '^weir: task 3 (c): cancelled: not started$'
    [ ! -e pid.c ] || fail "c was started"
}

test_the_first_interrupt_finishes_what_runs() {
    lets_run INT 130
}

test_the_first_term_finishes_what_runs() {
    lets_run TERM 143
}

test_a_hangup_is_a_wish_to_stop_too() {
    lets_run HUP 129
}

test_the_second_interrupt_ends_what_runs() {
    start_two --grace 1h
    kill -INT "$pid"
    wait_until "it says so" grep -q finishing err
    kill -INT "$pid"
    finish
    expect "exit status" "$rc" 130
    expect "output" "$(cat out)" ""
    has err '^weir: task 1 (a): failed: killed by signal 15 (Terminated)$'
    has err '^weir: task 2 (b): failed: killed by signal 15 (Terminated)$'
    is_gone "$(cat pid.a)" || fail "a still runs"
    is_gone "$(cat pid.b)" || fail "b still runs"
}

test_the_second_term_kills_what_will_not_end() {
    mkfifo in
    exec 4<>in
    start --grace 200ms -- "$helper" stubborn pids <in
    echo a >&4
    wait_until "it runs" test -e pids
    kill -TERM "$pid"
    wait_until "it says so" grep -q finishing err
    kill -TERM "$pid"
    finish
    expect "exit status" "$rc" 143
    has err '^weir: task 1 (a): failed: killed by signal 9 (Killed)$'
    read -r leader child <pids
    wait_until "the leader is gone" is_gone "$leader"
    wait_until "the grandchild is gone" is_gone "$child"
}

test_an_interrupt_while_reading_a_silent_pipe_ends_it() {
    mkfifo in
    exec 4<>in
    start -- echo <in
    echo a >&4
    wait_until "a is printed" has_lines out 1
    kill -INT "$pid"
    finish
    expect "exit status" "$rc" 130
    expect "errors" "$(cat err)" "weir: stopping; nothing is running"
}

test_an_interrupt_at_the_terminal_ends_it() {
    "$helper" pty 'from the terminal' $'one\n' '<one>' $'\003' -- \
        "$weir" run -- printf '<%s>\n' >out 2>err
    rc=$?
    [ "$rc" != 99 ] || skip "no terminal to be had: $(cat err)"
    expect "exit status" "$rc" 130
    has out 'weir: stopping; nothing is running'
    # Records and their end can be typed, too.
    "$helper" pty 'from the terminal' $'one\ntwo\n\004' -- \
        "$weir" run -k -- printf '<%s>\n' >out
    expect "exit status after ^D" $? 0
    has out '<one>'
    has out '<two>'
}

test_an_interrupt_while_the_window_is_full_ends_it() {
    mkfifo in gate
    yes >in 2>/dev/null &
    start -k -j 2 -- sh -c '
        if mkdir first 2>/dev/null; then read x <gate; else echo >>log; fi' \
        <in
    wait_until "the window is full" has_lines log 79
    kill -INT "$pid"
    wait_until "it says so" grep -q finishing err
    echo >gate
    finish
    expect "exit status" "$rc" 130
}

test_an_interrupt_ends_the_waiting_for_another_attempt() {
    mkfifo in
    exec 4<>in
    start --attempts 5 --backoff 1h,1,1h -- sh -c 'echo seen; echo >ran; exit 3' \
        <in
    echo a >&4
    wait_until "it has failed once" test -s ran
    # Until the attempt has ended the signal would only be noted.
    wait_until "nothing runs" no_children "$pid"
    kill -INT "$pid"
    finish
    expect "exit status" "$rc" 130
    expect "output" "$(cat out)" seen
    has err '^weir: task 1 (a): cancelled: not tried again, attempt 1 of 5$'
}

no_children() {
    [ -z "$(cat "/proc/$1"/task/*/children)" ]
}

test_no_retry_follows_the_first_interrupt() {
    mkfifo in gate
    exec 4<>in
    start --attempts 3 --backoff 1ms -- sh -c 'echo >>ran; read x <gate; exit 3' \
        <in
    echo a >&4
    wait_until "it runs" test -s ran
    kill -INT "$pid"
    wait_until "it says so" grep -q finishing err
    echo >gate
    finish
    expect "exit status" "$rc" 130
    expect "attempts" "$(lines ran)" 1
    has err '^weir: task 1 (a): failed: exit status 3, attempt 1 of 3$'
}

test_a_reader_that_stalls_cannot_hold_up_the_end() {
    mkfifo in stalled
    "$helper" default "$weir" run -- sh -c 'head -c 1000000 /dev/zero; echo >ran' \
        <in >stalled 2>err &
    pid=$!
    exec 4>in 5<stalled
    echo a >&4
    wait_until "it has run" test -s ran
    wait_until "nothing runs" no_children "$pid"
    kill -INT "$pid"
    sleep 0.1
    kill -INT "$pid"
    finish
    expect "exit status" "$rc" 130
    has err '^weir run: standard output: blocked'
}
