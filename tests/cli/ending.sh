# shellcheck shell=bash disable=SC1010,SC2016,SC2034,SC2154,SC2216
# SPDX-License-Identifier: MIT
#
# ending.sh - how tasks end: exit statuses, attempts, deadlines; and how many
# run at once.

test_the_exit_status_says_whether_all_are_done() {
    seq 5 | run -- true
    expect "when all are done" "$rc" 0
    seq 5 | run -- sh -c '[ $1 != 3 ]' -
    expect "when one is not" "$rc" 1
    seq 5 | run -- sh -c 'exit 255'
    expect "when none is" "$rc" 1
    expect "lines of errors" "$(lines err)" 5
}

test_exit_status_and_signal_are_told_apart() {
    printf 'exit 7\nkill -KILL $$\nexit 126\n' | run -k -- sh -c
    has err '^weir: task 1 (exit 7): failed: exit status 7$'
    has err '^weir: task 2 (kill -KILL \$\$): failed: killed by signal 9'
    has err '^weir: task 3 (exit 126): failed: exit status 126$'
}

test_a_script_without_its_first_line_fails_with_a_remedy() {
    printf 'echo hello\n' >script
    chmod +x script
    printf 'a\n' | run -- ./script
    expect "exit status" "$rc" 1
    has err 'a script needs a first line such as #!/bin/sh'
}

test_a_failed_attempt_is_dropped_and_the_next_one_shown() {
    printf 'a\n' | run --attempts 3 --backoff 1ms -- sh -c '
        echo >>tries; n=$(wc -l <tries); echo "try $n"; echo "bad $n" >&2
        [ $n -ge 3 ]'
    expect "exit status" "$rc" 0
    expect "output" "$(cat out)" "try 3"
    expect "errors" "$(cat err)" "bad 3"
    expect "tries" "$(lines tries)" 3
}

test_the_last_attempt_is_shown_when_all_fail() {
    printf 'a\n' | run --attempts 2 --backoff 1ms,1,1ms --max-buffer 1 -- sh -c '
        echo >>tries; echo "try $(wc -l <tries)"; exit 4'
    expect "exit status" "$rc" 1
    expect "output" "$(cat out)" "try 2"
    expect "errors" "$(cat err)" \
        "weir: task 1 (a): failed: exit status 4, attempt 2 of 2"
}

test_a_task_that_times_out_is_tried_again() {
    printf 'a\n' | run --timeout 0.3 --attempts 2 --backoff 1ms -- sh -c '
        echo >>tries; [ "$(wc -l <tries)" = 2 ] || exec sleep 1000; echo ok'
    expect "exit status" "$rc" 0
    expect "output" "$(cat out)" ok
    expect "errors" "$(cat err)" ""
}

test_a_timeout_ends_the_whole_group() {
    printf 'a\n' | run --timeout 300ms --grace 200ms -- "$helper" stubborn pids
    expect "exit status" "$rc" 1
    expect "output" "$(cat out)" stubborn
    expect "errors" "$(cat err)" "weir: task 1 (a): timed out after 300ms"
    read -r leader child <pids
    wait_until "the leader is gone" is_gone "$leader"
    wait_until "the grandchild is gone" is_gone "$child"
}

test_a_grandchild_goes_even_if_its_leader_goes_at_once() {
    printf 'a\n' | run --timeout 500ms --grace 1m -- sh -c '
        trap "exit 1" TERM
        (trap "" TERM; exec sleep 1000 >/dev/null 2>&1) & echo $! >pid
        sleep 1000 & wait'
    expect "exit status" "$rc" 1
    has err 'timed out after 500ms$'
    wait_until "the grandchild is gone" is_gone "$(cat pid)"
}

test_a_command_that_obeys_is_not_kept_waiting_for() {
    SECONDS=0
    printf 'a\n' | run --timeout 100ms --grace 1h -- sh -c 'exec sleep 1000'
    expect "exit status" "$rc" 1
    [ "$SECONDS" -lt 10 ] || fail "it took $SECONDS s"
}

test_a_stopped_command_is_ended_too() {
    printf 'a\n' | run --timeout 300ms --grace 1h -- sh -c 'kill -STOP $$'
    expect "exit status" "$rc" 1
    has err 'timed out'
}

test_durations_are_read_as_they_are_written() {
    local duration
    for duration in 100ms 0.1 .1s 100000us 0.001m50ms; do
        printf 'a\n' | run --timeout "$duration" -- sh -c 'exec sleep 1000'
        expect "exit status of $duration" "$rc" 1
        has err 'timed out after 1[01]0ms$'
        expect "lines of errors" "$(lines err)" 1
    done
    for duration in 1h30m 2d 1.5h 100; do
        printf 'a\n' | run --timeout "$duration" -- sh -c 'sleep 0.1'
        expect "exit status of $duration" "$rc" 0
    done
}

# at_once N ARG...: with these options exactly N tasks run at once.  Each says
# that it runs and waits for a gate that opens when all have.
at_once() {
    local wanted=$1
    shift
    rm -f log gate
    mkfifo gate
    seq $((wanted + 3)) | start "$@" -- sh -c 'echo >>log; read x <gate; :'
    wait_until "$wanted run with '$*'" has_lines log "$wanted"
    sleep 0.1
    expect "tasks at once with '$*'" "$(lines log)" "$wanted"
    # A gate that is open for writing lets every reader in, and on when it
    # closes; later ones find it opened once more.
    while kill -0 "$pid" 2>/dev/null; do
        timeout 0.2 sh -c ': >gate'
    done
    finish
    expect "exit status with '$*'" "$rc" 0
}

test_as_many_run_at_once_as_the_option_says() {
    local here
    here=$(nproc)
    at_once 3 -j 3
    at_once 2 -j2
    at_once 5 --jobs=5
    at_once 4 -P4
    at_once $((here + 1)) -j +1
    at_once $((here > 1 ? here - 1 : 1)) -j -1
    at_once 1 -j -1000
    at_once "$here" -j 100%
    at_once $((here > 1 ? here / 2 : 1)) -j 50%
    at_once $((here * 2)) --max-procs 200%
}

test_a_hundred_run_at_once() {
    at_once 100 -j 100
}

test_zero_jobs_are_as_many_as_possible() {
    at_once 252 -j 0
}

test_few_descriptors_mean_few_at_once() {
    seq 20 | (
        ulimit -n 60
        exec "$weir" run -j 30 -- sh -c 'sleep 0.01; echo x'
    ) >out 2>err
    expect "exit status" $? 0
    expect "lines" "$(lines out)" 20
    has err '^weir run: there are descriptors for 4 at once; ulimit -n'
    expect "lines of errors" "$(lines err)" 1
}

test_a_lack_of_descriptors_delays_tasks_but_fails_none() {
    seq 40 | (
        # What weir was started with is not reckoned with: a few at a time fit.
        for fd in {20..80}; do eval "exec $fd</dev/null"; done
        ulimit -n 100
        exec "$weir" run -j 30 -- sh -c 'sleep 0.05; echo x'
    ) >out 2>err
    expect "exit status" $? 0
    expect "lines" "$(lines out)" 40
    has err '^weir: no more commands can be started at the moment'
}

test_thousands_of_tasks_leave_nothing_behind() {
    { echo first && seq 3000 && echo last; } | run -j 1 -- sh -c '
        case $1 in first | last)
            ls /proc/$PPID/fd | wc -l >$1.fds
            cat /proc/$PPID/task/*/children | wc -w >$1.children;;
        esac' -
    expect "exit status" "$rc" 0
    expect "children at the end" "$(cat last.children)" 1
    # The ends of pipes that weir is about to close may be among them or not.
    [ "$(cat last.fds)" -le $(($(cat first.fds) + 4)) ] ||
        fail "$(cat first.fds) descriptors became $(cat last.fds)"
}
