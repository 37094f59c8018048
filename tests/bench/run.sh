#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2154
# SPDX-License-Identifier: MIT
#
# run.sh - what weir-bench promises, one sentence per check.
#
#   run.sh WEIR_BENCH          all checks
#   run.sh WEIR_BENCH CHECK    one of them, in the current directory
#
# checks.sh has what a check is.

set -u -o pipefail

here=$(cd "$(dirname "$0")" && pwd)
example=$here/../../bench/own_example.c
# shellcheck source=tests/bench/checks.sh
. "$here/checks.sh"

# ---------------------------------------------------------------- for checks

# bench ARG...: weir-bench with these, output in `out`, errors in `err`, its exit
# status in $rc.
bench() {
    "$weir_bench" "$@" >out 2>err
    rc=$?
}

# own NAME SED-SCRIPT: the example with something wrong, as NAME.c.
own() {
    sed -e "$2" "$example" >"$1.c"
    ! cmp -s "$example" "$1.c" || fail "nothing was changed in $1.c"
}

# refused NEEDLE ARG...: weir-bench with these says so, and runs nothing.
refused() {
    local needle=$1
    shift
    bench "$@"
    expect "exit status of '$*'" "$rc" 2
    grep -qF -e "$needle" err || fail "'$*' says '$(cat err)', not '$needle'"
    lacks out 'ns/item'
}

# ---------------------------------------------------------------- what it does

test_list_names_benches_and_contenders() {
    bench list
    expect "exit status" "$rc" 0
    has out '^  queue  *What does it cost .*?$'
    has out '^  latency  *How late .*?$'
    has out '^  weir  *weir [0-9]'
    has out '^  textbook  *mutex, two conditions'
    has out 'own_queue.h'
    # Whoever is absent: how to get it.
    if grep -q 'absent' out; then
        has out 'absent: .*; ./dev bench --peers installs'
    fi
}

test_help_names_every_option() {
    local option
    bench help
    expect "exit status" "$rc" 0
    for option in peers only queue shape workers item capacity batch load \
        span work taken bound items rounds limit wait json svg smoke; do
        has out "^  --$option "
    done
}

test_a_smoke_run_has_a_row_for_every_work() {
    local bench
    bench run all --smoke --json rows --svg plot.svg
    expect "exit status" "$rc" 0
    expect "errors" "$(cat err)" ""
    has out '^1P4C  *weir  *[0-9]'
    has out '^1P1C cap 1  *textbook  *[0-9]'
    has out '^2P2C x32  *absent: .*textbook.* (no batches)$'
    has out '^1P1C 80 %  *weir  *[0-9]'
    has out '^4 workers  *weir-timeouts  *[0-9]'
    has out '^  weir .* 4 of 4 workers left; ends$'
    has out '^4 workers  *timeouts add -*[0-9.]* ns to a task'
    has out '^2 workers 10 ms  *weir  *[0-9]'
    has out '^50 workers 50 ms  *textbook  *[0-9]'
    has out '^4 workers  *absent: .*textbook.* (a worker whose thread a task ends'
    has out '^1000 workers 10 ms  *weir-timeouts  *[0-9]'
    has out '^1000 workers 10 ms  *absent: .*textbook.* (its tasks have no dead'
    has out '^4 workers 10000 ms  *weir  *[0-9]'
    has out '^1 workers  *textbook  *[0-9]'
    has out '^2 workers  *absent: textbook (one child only)$'
    has out '^1 workers  *absent: .*textbook.* (a child that has crashed is lost)'
    has out '^1 workers 20 ms  *weir  *[0-9]'
    has plot.svg 'How long is a round trip'
    expect "last line of the plot" "$(tail -n 1 plot.svg)" "</svg>"
    for bench in queue bound batches sizes long taken pingpong latency pool \
        submit start behind sleeps exits deadlines idle efficiency remote \
        computing crashes kills; do
        has rows "\"type\":\"row\",\"bench\":\"$bench\""
    done
    for bench in latency start behind deadlines crashes kills; do
        has rows "\"bench\":\"$bench\",.*\"p50_ns\".*\"max_ns\""
    done
    has rows '"bench":"sleeps",.*"over_ns":{'
    has rows '"bench":"efficiency",.*"span_us":10,.*"contender":"bare"'
    has rows '"bench":"efficiency",.*"contender":"weir",.*"times_bare":[0-9]'
    has out '^2 workers 10 us  *bare  *[0-9]'
    has out '^2 workers 100 us  *as fast as bare threads: .*weir [0-9.]* %'
    lacks out 'absent: .*bare'
}

test_hostile_tasks_leave_weir_as_it_was() {
    bench run hostile --only weir --limit 60 --json rows
    expect "exit status" "$rc" 0
    has out '^exits: 4 tasks end their threads'
    has out '^  weir .* 4 of 4 workers left; ends$'
    has out '^  weir .* 8 accepted; 8 run; ends$'
    has out '^  weir .* 3 accepted; 3 run; ends$'
    has out '^  weir .* 0 accepted in the child; 0 run; ends$'
    has out '^  weir .* WEIR_STUCK; ends$'
    has out '^  weir .* 3 of 3 come out; ends$'
    expect "rows" "$(grep -c '"bench":"hostile".*"ended":true}$' rows)" 6
}

test_what_does_not_end_hangs() {
    bench run hostile --only textbook --limit 2
    expect "exit status" "$rc" 0
    grep -A1 '^stuck:' out | grep -q '^  textbook  *hangs$' \
        || fail "a textbook with a stuck task: $(grep -A1 '^stuck:' out)"
    refused 'hostile has none' run hostile --workers 3
    refused 'and nobody else' run hostile --only weir,nobody
    refused 'measures nothing' run hostile --svg plot.svg
}

test_goodput_is_asked_of_every_policy() {
    bench run goodput --smoke --json rows
    expect "exit status" "$rc" 0
    expect "policies" "$(grep -c ' % of the capacity in time, ' out)" 5
    expect "rows" "$(grep -c '"bench":"goodput".*"good":[0-9]*}$' rows)" 5
    refused 'asks weir alone' run goodput --peers
    refused 'goodput has none' run goodput --workers 3
}

test_every_line_of_json_is_json() {
    bench run queue batches latency --smoke --json -
    expect "exit status" "$rc" 0
    expect "lines that are no object" "$(grep -cv '^{"type":".*}$' out)" 0
    has out '^{"type":"run","weir":"[0-9]'
    has out '"type":"row","bench":"queue",.*"contender":"weir"'
    has out '"type":"absent",.*"why":"no batches"}$'
    has out '^{"type":"end"'
    lacks out 'ns/item' # no table
    command -v python3 >/dev/null || return 0
    python3 -c 'import json, sys
for line in sys.stdin: json.loads(line)' <out || fail "not JSON"
}

test_options_choose_the_work() {
    bench run queue --smoke --only textbook --shape 3P2C,1P1C --item 64 \
        --capacity 16 --json rows
    expect "exit status" "$rc" 0
    expect "rows" "$(grep -c '"type":"row"' rows)" 2
    has rows '"producers":3,"consumers":2,"capacity":16,"item_size":64'
    lacks rows '"contender":"weir"'
}

test_items_may_be_as_large_as_256_bytes() {
    bench run queue --smoke --shape 2P2C --item 16,256 --json rows
    expect "exit status" "$rc" 0
    expect "rows" "$(grep -c '"type":"row"' rows)" 4
    has rows '"item_size":256,.*"contender":"weir"'
}

test_your_own_queue_takes_part() {
    bench run queue --smoke --shape 2P2C --queue "$example"
    expect "exit status" "$rc" 0
    has out '^2P2C  *own_example  *[0-9]'
    has out '^2P2C  *textbook  *[0-9]'
}

# ----------------------------------------------------------- what is an error

# caught NAME NEEDLE: NAME.c is no row but an error that says NEEDLE.
caught() {
    bench run queue --smoke --shape 1P1C --limit $((4 * slow)) --queue "$1.c"
    expect "exit status" "$rc" 1
    has err "^weir-bench: $1: queue 1P1C: .*$2"
    lacks out "^1P1C  *$1  *[0-9]"
    has out '^1P1C  *textbook  *[0-9]' # the others go on
}

test_a_changed_item_is_an_error() {
    own changed 's/= item;/= item == 7 ? 8 : item;/'
    caught changed 'wrong sum'
}

test_items_that_change_places_are_found_by_the_hash() {
    # 7 and 9 in place of 8 and 8: the sum is right.
    own swapped 's/= item;/= item == 7 || item == 9 ? 8 : item;/'
    caught swapped 'wrong sum'
}

test_an_item_too_many_is_an_error() {
    own doubled 's/= item;/= item;\
        if (item == 7 \&\& q->count < q->capacity) \
            q->items[(q->head + q->count++) % q->capacity] = item;/'
    caught doubled 'exit status 1'
    has err 'queue_get, closed and empty'
}

test_a_lost_item_is_an_error() {
    own lost 's/q->count++)/(q->count += item != 7, q->count - (item != 7)))/'
    caught lost 'no end within [0-9]* s'
}

test_a_crash_is_an_error() {
    own crashed 's/= item;/= item; if (item == 7) abort();/'
    caught crashed 'signal 6'
}

test_an_end_that_is_not_told_is_an_error() {
    own endless 's/q->closed = true/q->closed = false/'
    caught endless 'exit status 1'
    has err 'queue_put after queue_close'
}

# pool SED-SCRIPT: a weir-bench here, with the textbook's pool, changed so.
pool() {
    local source=$here/../../bench
    mkdir peers
    cp "$weir_bench" weir-bench
    sed -e "$1" "$source/peers/textbook_pool.c" >changed.c
    cmp -s "$source/peers/textbook_pool.c" changed.c \
        && [ "$1" != '' ] && fail "nothing was changed in textbook_pool.c"
    "${CC:-cc}" -O1 -D_GNU_SOURCE -pthread -I"$source/driver" \
        -o peers/textbook_pool changed.c "$source/peers/textbook.c" \
        "$source"/driver/{pool,pool_works,driver,crew}.c 2>why \
        || fail "the changed pool does not compile: $(head -c 300 why)"
    weir_bench=$PWD/weir-bench
}

# caught_at BENCH NEEDLE [ARG...]: the changed pool is no row of it but an error.
caught_at() {
    local name=$1 needle=$2
    shift 2
    bench run "$name" --only textbook --limit $((4 * slow)) --workers 2 \
        "${@---smoke}"
    expect "exit status" "$rc" 1
    has err "^weir-bench: textbook: $name 2 workers.*: .*$needle"
    lacks out '^2 workers.*  *textbook  *[0-9]'
}

test_a_pool_that_is_as_it_should_be_is_a_row() {
    pool ''
    bench run pool submit start behind sleeps idle --smoke --workers 2
    expect "errors" "$(cat err)" ""
    expect "rows" "$(grep -c '^2 workers.*  *textbook  *[0-9]' out)" 6
}

test_a_task_that_is_run_twice_is_an_error() {
    pool 's/pool_task(index, item);/for (int i = 0; i <= (item == 2); i++) \
        pool_task(index, item);/'
    caught_at pool 'wrong count'
    caught_at idle 'wrong count'
}

test_a_task_that_is_lost_is_an_error() {
    pool 's/pool_task(index, item);/if (item != 2) pool_task(index, item);/'
    caught_at start 'wrong count'
    caught_at sleeps 'wrong count'
}

test_a_task_that_is_lost_instead_of_computed_is_an_error() {
    pool 's/pool_task(index, item);/if (item != 2) pool_task(index, item);/'
    caught_at efficiency 'wrong count'
}

test_more_workers_than_asked_for_are_an_error() {
    pool 's/workers \* sizeof/10 * workers * sizeof/
        s/pool->workers = workers;/pool->workers = workers *= 10;/'
    caught_at sleeps 'too soon' --rounds 1 --items 40 --span 20
}

# replacing WHOM: a worker whose thread a task ends is replaced, if WHOM.
replacing() {
    pool "s/^static void \\*work(void \\*arg)/static void *work(void *arg);\\
static void replace(void *arg)\\
{\\
    struct textbook_worker *it = arg;\\
    if ($1)\\
        pthread_create(\\&it->thread, NULL, work, it);\\
}\\
&/
        s/^    while (contender.get/pthread_cleanup_push(replace, worker);\\
&/
        s/^        pool_task(index, item);/& pthread_cleanup_pop(0);/
        s/\.bounded = true,/.bounded = true, .outlives_exits = true,/"
}

test_a_pool_that_replaces_its_workers_is_a_row() {
    replacing true
    bench run exits --smoke --only textbook --workers 2
    expect "errors" "$(cat err)" ""
    has out '^2 workers  *textbook  *[0-9]'
}

test_one_worker_that_is_lost_is_an_error() {
    replacing 'it != it->pool->each'
    caught_at exits 'no end within [0-9]* s'
}

test_a_deadline_that_comes_early_is_an_error() {
    pool 's/pool_task(index, item);/pool_task(index, item), \
            pool_due(item, crew_now_ns() + 1000000000), \
            pool_settled(item);/
        s/^#include "contender.h"/#include "crew.h"\
&/
        s/\.bounded = true,/.bounded = true, .start_timed = start_timed,/
        s/^const struct pool/static void * \
start_timed(unsigned workers, size_t capacity, uint64_t span_ns) \
{ return span_ns ? start(workers, capacity) : 0; } \
&/'
    caught_at deadlines 'exit status 1'
    has err 'before its deadline'
}

# ------------------------------------------------------------ what is refused

test_a_queue_that_does_not_compile_is_refused() {
    echo 'int queue_put;' >broken.c
    refused "--queue 'broken.c': does not compile" run --queue broken.c
    refused "--queue 'nowhere.c': cannot be read" run --queue nowhere.c
}

test_two_queues_of_one_name_are_refused() {
    refused "there is a contender of that name; rename it" run --smoke queue \
        --queue "$example" --queue "$example"
}

test_a_bad_value_is_refused() {
    refused "--shape '2P': not a shape; write 2P2C" run --shape 2P
    refused "--shape '0P1C': not a shape" run --shape 0P1C
    refused "--item '9': not an item size there is; write 8, 16, 32" run --item 9
    refused "--capacity '0': not a capacity" run --capacity 0
    refused "--batch '1,x': not a size of batches" run --batch 1,x
    refused "--rounds '100': not a number; write 1 to 99" run --rounds 100
    refused "--wait 'x': not a number" run --wait x
    refused "--load '': not a load" run latency --load ''
    refused "--workers '1025': not a number of workers" run pool --workers 1025
    refused "--span '0': not a time; write milliseconds" run idle --span 0
    refused "--only 'nobody': nobody of that name" run --only weir,nobody
    refused "--json './no/where'" run --json ./no/where
}

test_an_unknown_word_is_refused() {
    refused "--colour: not an option" run --colour
    refused "--shape: needs a value" run --shape
    refused "'jump': not a command; write list, run or help" jump
    refused "'jump': not a bench; \`weir-bench list\`" run jump
    refused "list 'all': list takes nothing more" list all
}

test_an_option_that_no_bench_heeds_is_refused() {
    refused "--load: queue has none; it is for latency" run queue --load 10
    refused "--span: start has none; it is for behind" run start --span 10
    refused "--shape: pingpong has none; it is for queue" run pingpong \
        --shape 2P2C
}

test_an_interrupt_leaves_nothing_behind() {
    mkdir tmp
    TMPDIR=$PWD/tmp "$weir_bench" run taken --queue "$example" \
        >out 2>err &
    pid=$!
    tries=500
    until grep -q 'What does an item cost' out || [ $tries -eq 0 ]; do
        tries=$((tries - 1))
        sleep 0.02
    done
    kill -TERM "$pid"
    wait "$pid"
    expect "exit status" $? 143
    expect "what is left" "$(ls tmp)" ""
}

# ---------------------------------------------------------------- the driver

if [ $# -eq 2 ]; then
    weir_bench=$1
    exec 3>&1 >/dev/null 2>/dev/null </dev/null
    "$2"
    exit 0
fi

if [ $# -ne 1 ] || [ ! -x "$1" ]; then
    echo "usage: run.sh WEIR_BENCH" >&2
    exit 2
fi
weir_bench=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
run_checks bench "$here/run.sh" "$weir_bench"
