# shellcheck shell=bash disable=SC1010,SC2016,SC2034,SC2154,SC2216
# SPDX-License-Identifier: MIT
#
# report.sh - the summary and the progress line.

# value KEY: of the line of JSON in err.
value() {
    sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" err
}

test_the_summary_is_one_line_of_json_whose_sum_holds() {
    local key sum=0
    seq 30 | run --summary=json --timeout 1s -- sh -c '
        case $1 in
        4) exec sleep 1000 ;;
        *[05]) exit 3 ;;
        esac >/dev/null 2>&1' - 2>err
    grep '^{' err >json
    expect "lines of JSON" "$(lines json)" 1
    expect "the last line" "$(tail -1 err)" "$(cat json)"
    grep -qE '^\{"accepted":[0-9]+(,"[a-z_]+":([0-9]+|"([^"\\]|\\.)*"))*\}$' json ||
        fail "not JSON: $(cat json)"
    ! command -v python3 || python3 -m json.tool json ||
        fail "python3 cannot read $(cat json)"
    for key in done failed timed_out crashed exited cancelled expired dropped; do
        [ -n "$(value "$key")" ] || fail "no $key in $(cat json)"
        sum=$((sum + $(value "$key")))
    done
    expect "accepted" "$(value accepted)" 30
    expect "the sum" "$sum" 30
    expect "done" "$(value done)" 23
    expect "failed" "$(value failed)" 6
    expect "timed out" "$(value timed_out)" 1
    expect "attempts" "$(value attempts)" 30
    expect "output" "$(cat out)" ""
    has err '"status":"WEIR_OK"'
}

test_the_summary_is_a_table_for_people() {
    seq 10 | run --summary -- sh -c '[ $1 != 4 ]' -
    expect "exit status" "$rc" 1
    has err '^weir: 10 tasks in [0-9.]*[mu]*s$'
    has err '^  done  *9$'
    has err '^  failed  *1$'
    has err '^  attempts  *10$'
    lacks err 'crashed'
    expect "output" "$(cat out)" ""
    seq 10 | run --summary=table -- true
    has err '^  done  *10$'
    : | run --summary -- true
    has err '^weir: 0 tasks in'
}

test_the_summary_is_written_after_an_interrupt_too() {
    mkfifo in
    exec 4<>in
    start --summary=json -- echo <in
    echo a >&4
    wait_until "a is printed" has_lines out 1
    kill -INT "$pid"
    finish
    expect "exit status" "$rc" 130
    expect "done" "$(value done)" 1
}

test_progress_never_pollutes_what_is_no_terminal() {
    # Long enough for a line to be due.
    for option in --progress --progress=auto --progress=never; do
        printf '1.1\n0.1\n' | run -j 1 $option -- sleep
        expect "errors of $option" "$(cat err)" ""
    done
}

test_forced_progress_is_plain_lines_for_what_is_no_terminal() {
    printf '1.1\n1.1\n' | run -j 1 --progress=always -- sleep
    has err '^weir: [01] done, 0 failed, [01] running, [0-9.]*s$'
    lacks err $'[\r\033]'
    expect "output" "$(cat out)" ""
}

test_progress_on_a_terminal_is_taken_away_before_output() {
    seq 8 >in
    TERM=xterm NO_COLOR='' "$helper" pty -- \
        "$weir" run -j 1 -a in --progress -- sh -c 'sleep 0.15; echo "<$1>"' - >out
    rc=$?
    [ "$rc" != 99 ] || skip "no terminal to be had"
    expect "exit status" "$rc" 0
    has out $'\rweir: [0-9]* done, 0 failed, 1 running'
    # What a terminal shows in the end: each line from its last return on.
    tr -d '\n' <out | sed $'s/\r\033\\[K/\\\n/g' | tr '\r' '\n' |
        grep -v -e '^weir: ' -e '^$' >shown
    seq 8 | sed 's/.*/<&>/' >wanted
    same shown wanted
}

test_progress_without_escapes_where_they_are_not_wanted() {
    seq 8 >in
    TERM=xterm NO_COLOR=1 "$helper" pty -- \
        "$weir" run -j 1 -a in --progress -- sh -c 'sleep 0.15; echo "<$1>"' - >out
    rc=$?
    [ "$rc" != 99 ] || skip "no terminal to be had"
    lacks out $'\033'
    has out $'\rweir: [0-9]* done'
    has out '<8>'
    TERM=dumb "$helper" pty -- \
        "$weir" run -j 1 -a in --progress -- sh -c 'sleep 0.15; echo "<$1>"' - >out
    lacks out $'\033'
    has out $'\rweir: [0-9]* done'
}

test_a_trace_and_a_picture_are_left() {
    seq 20 | run -j 2 --attempts 2 --backoff 1ms --trace t.json --picture p.svg \
        -- sh -c '[ $1 != 4 ]' - 2>err
    expect "exit status" "$rc" 1
    has t.json '"name":"retried"'
    has t.json '"name":"failed"'
    expect "attempts in the trace" "$(grep -c '"cat":"run"' t.json)" 21
    ! command -v python3 || python3 -m json.tool t.json >json ||
        fail "python3 cannot read the trace"
    expect "the picture's end" "$(tail -1 p.svg)" "</svg>"
    has p.svg '>worker 1<'
}

test_a_trace_that_has_no_room_is_said() {
    [ -w /dev/full ] || skip "no /dev/full here"
    seq 3 | run --trace /dev/full -- true 2>err
    expect "exit status" "$rc" 1
    expect "lines of errors" "$(lines err)" 1
    has err "^weir run: --trace '/dev/full': No space left on device; "
}

test_metrics_are_left() {
    seq 20 | run -j 2 --metrics m.prom -- sh -c '[ $1 != 4 ]' - 2>err
    expect "exit status" "$rc" 1
    has m.prom '^weir_pool_tasks_settled_total{pool="weir",outcome="done"} 19$'
    has m.prom '^weir_pool_tasks_settled_total{pool="weir",outcome="failed"} 1$'
    has m.prom '^weir_pool_running_seconds_count{pool="weir"} 20$'
    [ -w /dev/full ] || return 0
    seq 3 | run --metrics /dev/full -- true 2>err
    expect "exit status" "$rc" 1
    has err "^weir run: --metrics '/dev/full': No space left on device; "
}

test_the_log_tells_what_its_level_says() {
    local level
    for level in '' --log=off --log=error; do
        seq 3 | run $level --attempts 2 --backoff 0 -- sh -c '[ $1 != 2 ]' -
        expect "exit status" "$rc" 1
        expect "errors of '$level'" "$(cat err)" \
            'weir: task 2 (2): failed: exit status 1, attempt 2 of 2'
    done
    for level in warning info; do
        seq 3 | run --log "$level" --attempts 2 --backoff 0 -- \
            sh -c 'echo "$1"; [ $1 != 2 ]' -
        expect "exit status" "$rc" 1
        expect "lines of errors" "$(lines err)" 2
        has err '^weir: task 2 (2): failed: exit status 1, attempt 2 of 2$'
        has err '^weir: warning: task 2: a task has used up its attempts: exit status 1, attempt 2$'
        expect "output" "$(sort out)" "$(seq 3)"
    done
}

has_line_of_each() {
    [ "$(grep -c 'failed: exit status' err)" -eq "$1" ]
}

test_the_log_says_how_many_lines_it_left_out() {
    local told left_out
    # Of a kind 16 are told in a second; when that is over, what was not.
    {
        seq 40
        wait_until "40 have ended" has_line_of_each 40
        sleep 1.1
        echo 41
    } | run --log warning --attempts 2 --backoff 0 -- false
    expect "exit status" "$rc" 1
    has err '^weir: warning: task 41: '
    told=$(grep -c '^weir: warning: task' err)
    left_out=$(sed -n 's/.*, attempt 2; \([0-9]*\) more of these were left out$/\1/p' err |
        awk '{ sum += $1 } END { print sum + 0 }')
    expect "told and left out" "$((told + left_out))" 41
}

test_the_log_takes_the_progress_line_away() {
    seq 3 >in
    TERM=xterm "$helper" pty -- "$weir" run -a in --log warning --attempts 2 \
        --backoff 0 --progress=always -- false >shown
    has shown 'weir: warning: task 3: a task has used up'
    # A line begins where the progress line has been erased, or a line ended.
    tr '\r' '\n' <shown | sed 's/\x1b\[[0-9;]*[A-Za-z]//g' >plain
    lacks plain '[^ ].*weir: warning: '
}
