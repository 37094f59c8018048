# shellcheck shell=bash disable=SC1010,SC2016,SC2034,SC2154,SC2216
# SPDX-License-Identifier: MIT
#
# output.sh - what tasks print: whole, in order, byte for byte, or said to be
# lost.

# blocks STREAM N FILE: FILE consists of N whole blocks of 200 lines.
blocks() {
    awk -v stream="$1" -v wanted="$2" '
        $1 != stream { exit 1 }
        NR % 200 == 1 { tag = $2; if (seen[tag]++) exit 1; blocks++ }
        $2 != tag || $3 != (NR - 1) % 200 { exit 1 }
        END { if (NR % 200 || blocks != wanted) exit 1 }' "$3" ||
        fail "$3 is mixed"
}

test_outputs_of_parallel_tasks_are_not_mixed() {
    seq 100 | run -j 8 -- "$helper" both {} 200
    expect "exit status" "$rc" 0
    blocks out 100 out
    blocks err 100 err
}

test_keep_order_prints_in_the_order_of_records() {
    seq 200 | run -k -j 16 -- sh -c 'sleep 0.0$(($1 * 7 % 10)); echo $1' -
    expect "exit status" "$rc" 0
    seq 200 >wanted
    same out wanted
}

test_without_keep_order_the_first_to_end_is_the_first_to_print() {
    mkfifo gate
    # The second ends only when the first does, which waits for nobody.
    printf 'slow\nfast\n' | start -j 2 -- sh -c '
        [ $1 = fast ] || read x <gate
        echo $1' -
    wait_until "fast is printed" has_lines out 1
    expect "the first line" "$(head -1 out)" fast
    echo >gate
    finish
    expect "the last line" "$(tail -1 out)" slow
}

test_a_slow_first_task_bounds_what_is_read_ahead() {
    mkfifo gate
    # 8 * 2 + 64 places; the first holds one of them.
    seq 500 | start -k -j 2 -- sh -c '
        if [ $1 = 1 ]; then read x <gate; else echo >>log; fi; echo $1' -
    wait_until "the window is full" has_lines log 79
    sleep 0.3
    expect "tasks that ran beside the first" "$(lines log)" 79
    [ ! -s out ] || fail "something was printed before the first"
    echo >gate
    finish
    expect "exit status" "$rc" 0
    seq 500 >wanted
    same out wanted
}

test_output_beyond_the_memory_cap_goes_through_a_file_unchanged() {
    mkdir tmp
    head -c 300000 /dev/urandom >bytes
    for i in 1 2 3 4 5 6 7 8; do
        { echo "$i" && cat bytes && echo "$i" >&2; } >>wanted 2>>wanted_err
    done
    seq 8 | TMPDIR=$PWD/tmp run -k -j 4 --max-buffer 70K -- \
        sh -c 'echo $1; cat bytes; echo $1 >&2' -
    expect "exit status" "$rc" 0
    same out wanted
    same err wanted_err
    expect "files left behind" "$(ls tmp)" ""
    seq 8 | TMPDIR=$PWD/tmp run -k -j 4 --max-buffer 1 -- \
        sh -c 'echo $1; cat bytes; echo $1 >&2' -
    same out wanted
    same err wanted_err
}

test_both_streams_of_many_tasks_pass_the_file_unmixed() {
    seq 40 | run -j 8 --max-buffer 3K -- "$helper" both {} 200
    expect "exit status" "$rc" 0
    blocks out 40 out
    blocks err 40 err
}

test_much_spilled_output_stops_the_intake() {
    mkfifo gate
    # Eight times the cap is less than what two of them print.
    seq 50 | start -k -j 2 --max-buffer 16K -- sh -c '
        if [ $1 = 1 ]; then read x <gate
        else head -c 100000 /dev/zero; echo >>log; fi' -
    wait_until "some have run" has_lines log 2
    sleep 0.3
    # Read before it showed: two that ran and a queue of 16 behind them.
    [ "$(lines log)" -le 20 ] || fail "$(lines log) tasks ran"
    echo >gate
    finish
    expect "exit status" "$rc" 0
    expect "tasks" "$(lines log)" 49
    expect "bytes" "$(wc -c <out)" 4900000
}

test_output_that_cannot_be_kept_fails_its_task() {
    printf 'big\nsmall\n' | (
        ulimit -f 64
        # One at a time: what is kept of the first would take the second's room.
        exec "$weir" run -k -j 1 --max-buffer 16K -- sh -c '
            [ $1 = small ] || head -c 1000000 /dev/zero; echo $1' - 2>err
    ) | tail -1 >last
    expect "exit status" "${PIPESTATUS[1]}" 1
    has err '^weir: task 1 (big): failed: output does not fit.*File too large'
    expect "the last line" "$(tail -c 6 last)" small
    expect "lines of errors" "$(lines err)" 1
    printf 'big\nsmall\n' | TMPDIR=$PWD/nowhere run -k --max-buffer 16K -- \
        sh -c '[ $1 = small ] || head -c 1000000 /dev/zero; echo $1' -
    expect "exit status without a directory" "$rc" 1
    has err '^weir: task 1 .*nowhere: No such file'
}

test_a_full_device_is_reported_once() {
    seq 100 | "$weir" run -j 4 -- echo >/dev/full 2>err
    expect "exit status" $? 1
    expect "errors" "$(cat err)" \
        "weir run: standard output: No space left on device"
}

test_a_full_device_ends_what_runs_and_reads_no_more() {
    mkfifo in gate
    "$helper" default "$weir" run -j 2 -- sh -c '
        if [ $1 = a ]; then read x <gate; echo a; else
        echo $$ >pid.new; mv pid.new pid; exec sleep 30; fi' - \
        <in >/dev/full 2>err &
    pid=$!
    exec 4>in
    printf 'a\nb\n' >&4
    wait_until "b runs" test -e pid
    echo >gate
    # The pipe stays open: only the broken output can end this.
    finish
    expect "exit status" "$rc" 1
    expect "errors" "$(cat err)" \
        "weir run: standard output: No space left on device"
    is_gone "$(cat pid)" || fail "the other task still runs"
}

test_a_reader_that_goes_away_is_reported_once() {
    seq 1000 | "$weir" run -k -j 4 -- sh -c 'echo $1; head -c 100000 /dev/zero' - \
        2>err | head -1 >out
    expect "exit statuses" "${PIPESTATUS[*]:1}" "1 0"
    expect "output" "$(cat out)" 1
    expect "errors" "$(cat err)" "weir run: standard output: Broken pipe"
}

test_a_task_is_over_while_a_grandchild_holds_the_pipe() {
    printf 'a\n' | run -- sh -c 'sleep 1000 & echo $! >pid; echo done'
    expect "exit status" "$rc" 0
    expect "output" "$(cat out)" done
    is_gone "$(cat pid)" && fail "the grandchild was killed"
    kill "$(cat pid)"
    # One that never stops printing must not hold it up either.
    printf 'a\n' | run -- sh -c 'yes & echo $! >pid; exit 0'
    expect "exit status beside a flood" "$rc" 0
    wait_until "the flood has ended by SIGPIPE" is_gone "$(cat pid)"
}

test_a_failed_task_is_named_after_its_output() {
    printf 'x\ty\033\n' | "$weir" run -- \
        sh -c 'echo out; echo err >&2; exit 3' >both 2>&1
    expect "exit status" $? 1
    expect "output" "$(cat both)" 'out
err
weir: task 1 (x\ty\x1b): failed: exit status 3'
}
