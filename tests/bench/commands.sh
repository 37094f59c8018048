#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2154
# SPDX-License-Identifier: MIT
#
# commands.sh - what ./dev bench's own commands promise: billion, compare, report.
#
#   commands.sh WEIR_BENCH          all checks
#   commands.sh WEIR_BENCH CHECK    one of them, in the current directory
#
# checks.sh has what a check is.  $WEIR_CC is how the library was compiled,
# $WEIR_LIBRARY what came out, $WEIR_SANITIZED is not empty if it is watched.

set -u -o pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
# shellcheck source=tests/bench/checks.sh
. "$here/checks.sh"

# ---------------------------------------------------------------- for checks

# passes STATUS ARG...: billion with these ends so; output in `out`.
passes() {
    local status=$1
    shift
    "$billion" "$@" >out 2>err
    expect "exit status of '$*'" $? "$status"
}

# refused NEEDLE COMMAND ARG...: it says so, with exit status 2 and no output.
refused() {
    local needle=$1
    shift
    "$@" >out 2>err
    expect "exit status of '$*'" $? 2
    grep -qF -e "$needle" err || fail "'$*' says '$(cat err)', not '$needle'"
    expect "output of '$*'" "$(cat out)" ""
}

# ------------------------------------------------------------------- billion

# A sanitizer keeps memory of its own.
growth=()
[ -z "${WEIR_SANITIZED-}" ] || growth=(--growth 1000000)

test_a_million_tasks_leave_memory_and_ledger_as_they_should_be() {
    local tasks=1000000
    [ "$slow" -eq 1 ] || tasks=100000
    passes 0 --tasks $tasks "${growth[@]}" --json line
    expect "errors" "$(cat err)" "" # no terminal, no progress
    has out '^  time  *[0-9.]* s: [0-9.]* ns a task'
    has out '^  memory  *right:'
    has out "^  items  *right: $tasks came out"
    has out "^  ledger  *right: accepted $tasks, done $tasks, balances$"
    has line "\"tasks\":$tasks,.*\"memory\":true,\"items\":true,\"ledger\":true}$"
}

test_every_way_passes_every_task() {
    local way producers
    for way in many submit copy run; do
        for producers in 1 2; do
            passes 0 --way $way --producers $producers --workers 3 \
                --tasks 10007 --growth 1000000
            has out '^  items  *right: 10007 came out'
            has out '^  ledger  *right:'
        done
    done
}

test_progress_is_shown_on_a_terminal() {
    command -v script >/dev/null || skip "there is no script(1)"
    script -qec "'$billion' --tasks 100000 --growth 1000000" /dev/null >seen \
        || fail "under script: $(head -c 300 seen)"
    has seen '% .* million tasks, .* million/s, [0-9]* KiB'
}

# changed SED-SCRIPT: a billion with something wrong in work.c.
changed() {
    mkdir -p "$PWD/bench/billion" "$PWD/bench/driver"
    cp "$root"/bench/billion/* bench/billion/
    cp "$root/bench/driver/work.h" bench/driver/
    sed -e "$1" "$root/bench/billion/work.c" >bench/billion/work.c
    ! cmp -s "$root/bench/billion/work.c" bench/billion/work.c \
        || fail "nothing was changed in work.c"
    # shellcheck disable=SC2086
    ${WEIR_CC:-cc -O1} -D_GNU_SOURCE -I"$root/include" -o changed \
        bench/billion/*.c "$WEIR_LIBRARY" -pthread 2>why \
        || fail "the changed billion does not compile: $(head -c 300 why)"
    billion=$PWD/changed
}

test_memory_that_grows_is_an_error() {
    [ -z "${WEIR_SANITIZED-}" ] || skip "a sanitizer keeps memory of its own"
    changed 's/^#include <weir.h>/#include <stdlib.h>\
&/
        s/    note(weir_task_worker(task), (uintptr_t)item);/&\
        void *volatile lost = (uintptr_t)item % 1000 ? item : calloc(1, 4000);\
        (void)lost;/'
    passes 1 --tasks 200000
    has out '^  memory  *WRONG:'
    has out '^  items  *right:'
    passes 0 --tasks 200000 --growth 10000
}

test_a_lost_task_is_an_error() {
    changed 's/^    mine->sum += number;/    if (number != 77) &/'
    passes 1 --tasks 20000 --growth 1000000
    has out '^  items  *WRONG: 20000 came out'
    has out '^  ledger  *right:'
}

test_tasks_that_change_places_are_found_by_the_hash() {
    # 7 and 9 in place of 8 and 8: count and sum are right.
    changed 's/^    struct seen \*mine = .*/&\
        if (number == 7 || number == 9) number = 8;/'
    passes 1 --tasks 20000 --growth 1000000
    has out '^  items  *WRONG: 20000 came out'
}

test_a_ledger_that_does_not_balance_is_an_error() {
    changed 's/^    all.out->ledger = stats.ledger;/& all.out->ledger.done--;/'
    passes 1 --tasks 20000 --growth 1000000 --json line
    has out '^  ledger  *WRONG: accepted 20000, done 19999, does not balance'
    has out '^  items  *right:'
    has line '"ledger":false}$'
}

test_billion_refuses_what_it_does_not_know() {
    refused "--tasks '9': not a number for it; write 10000 to" "$billion" \
        --tasks 9
    refused "--way 'by': not a way; write many, submit" "$billion" --way by
    refused "--producers '17': not a number" "$billion" --producers 17
    refused "--colour: not an option" "$billion" --colour
    refused "--tasks: needs a value" "$billion" --tasks
    refused "'1000': it takes options alone" "$billion" 1000
}

# ------------------------------------------------------------------- compare

# Files of five rounds each, made by hand: tests/bench/compare.
have_python() {
    command -v python3 >/dev/null || skip "there is no python3"
    files=$here/compare
}

# compared STATUS NEW ARG...: with old.jsonl it ends so; output in `out`.
compared() {
    local status=$1 new=$2
    shift 2
    (cd "$files" && python3 "$root/bench/report/compare.py" old.jsonl "$new" "$@") \
        >out 2>err
    expect "exit status of compare $new $*" $? "$status"
}

test_a_run_is_as_fast_as_itself() {
    have_python
    compared 0 old.jsonl
    has out '^queue 1P1C weir  *0.064 .* 0.064 .*  +0.0%  same$'
    has out '^latency 1P1C 50 % weir  *0.149 '
    has out '^5 compared: 0 slower'
    lacks out ' go '
}

test_what_became_slower_is_said() {
    have_python
    compared 1 slower.jsonl
    has out '^queue 2P2C weir  *0.059 .* 0.077 .* +29.8%  SLOWER$'
    expect "slower ones" "$(grep -c 'SLOWER$' out)" 1
    has out '^5 compared: 1 slower by more than 10% and beyond the spread'
}

test_a_threshold_says_how_much_slower_is_allowed() {
    have_python
    compared 0 slower.jsonl --threshold 50
    has out '^5 compared: 0 slower by more than 50%'
    compared 1 slower.jsonl --threshold 29
}

test_a_slow_hour_or_machine_makes_nothing_slower() {
    have_python
    compared 0 slow-machine.jsonl
    has out '^slow-machine.jsonl: .*Machine B.*; 8 processors$'
    has out '^5 compared: 0 slower'
}

test_what_lies_within_the_spread_is_not_slower() {
    have_python
    compared 0 noisy.jsonl
    has out '^queue 4P1C weir .* +21.3%  within the spread$'
}

test_others_are_compared_when_asked_for() {
    have_python
    compared 1 noisy.jsonl --who go
    has out '^queue 1P1C go .*SLOWER$'
    lacks out '^queue 1P1C weir'
}

test_what_became_faster_is_said_too() {
    have_python
    compared 0 faster.jsonl
    has out '^queue 1P1C weir .* -33.5%  faster$'
    has out ' 0 slower .*, 1 faster$'
}

test_one_round_is_too_few_to_judge() {
    have_python
    compared 0 once.jsonl
    has out '^queue 2P2C weir .* +98.8%  too few rounds$'
    has out '^5 not judged: fewer than 3 rounds'
}

test_what_is_in_one_file_only_is_named() {
    have_python
    compared 0 other-works.jsonl
    has out '^only in old.jsonl: long 1P1C weir$'
    has out '^only in other-works.jsonl: queue 1P4C weir$'
    has out '^not compared, for textbook is not there.*: batches 1P1C x32 weir$'
    has out '^other-works.jsonl: .*; broken off$'
}

test_a_contender_that_fails_now_is_an_error() {
    have_python
    compared 1 fails.jsonl
    has out '^FAILED in fails.jsonl: queue 2P2C weir: wrong sum: items were lost$'
}

# useless NEEDLE NEW: compare refuses the file `new` here, and says why.
useless() {
    refused "compare: $1" python3 "$root/bench/report/compare.py" \
        "$files/old.jsonl" "${2-new}"
}

test_a_file_of_no_use_is_named() {
    have_python
    useless 'no/where: No such file or directory' no/where
    useless 'new: Is a directory' new <<<"$(mkdir new)"
    rmdir new
    : >new && useless 'new: is empty'
    echo 'hello' >new && useless 'new:1: is not JSON'
    echo '{"benchmarks":[]}' >new && useless "new:1: is JSON, but no line of weir"
    echo '[1]' >new && useless "new:1: is JSON, but no line of weir"
    printf '\377\376' >new && useless 'new: is no text'
    sed 1d "$files/old.jsonl" >new && useless 'new:1: begins with a row, not with'
    head -c 2000 "$files/old.jsonl" >new && useless 'new:6: is not JSON'
    sed 's/"figure":"wall_ns"/"figure":"width"/' "$files/old.jsonl" >new
    useless 'new:2: a row without rounds of its figure (width)'
    sed '3s/"each":\[140/"each":["fast"/' "$files/old.jsonl" >new
    useless 'new:3: wall_ns has a round of "fast"'
    sed '3s/"each":\[140/"each":[-1/' "$files/old.jsonl" >new
    useless 'new:3: wall_ns has a round of -1'
    sed '4s/"type":"row"/"type":"column"/' "$files/old.jsonl" >new
    useless 'new:4: type column is none'
    sed '4s/"contender"/"who"/' "$files/old.jsonl" >new
    useless 'new:4: a row without contender'
    sed 's/"processors":2/"processors":"two"/' "$files/old.jsonl" >new
    useless 'new:1: a run that does not say'
    sed 's/"bench":"[a-z]*"/"bench":"other"/' "$files/old.jsonl" >new
    "python3" "$root/bench/report/compare.py" "$files/old.jsonl" new >out 2>err
    expect "exit status with nothing in common" $? 2
    has err 'nothing in common'
}

test_compare_understands_what_weir_bench_writes() {
    have_python
    "$weir_bench" run queue pool --smoke --json rows >out 2>err
    "$weir_bench" run hostile --only weir --limit $((5 * slow)) --json more \
        >out 2>err
    cat more >>rows
    python3 "$root/bench/report/compare.py" rows rows --threshold 5 >out 2>err
    expect "exit status" $? 0
    expect "errors" "$(cat err)" ""
    has out '^queue 4P1C weir .*too few rounds$'
    expect "rows of hostile" "$(grep -c '"bench":"hostile"' rows)" 6
    has out '^13 compared: 0 slower'
}

# -------------------------------------------------------------------- report

# reported STATUS ARG...: report with these ends so; the page in out/.
reported() {
    local status=$1
    shift
    python3 "$root/bench/report/report.py" --out "$PWD/out" "$@" >said 2>err
    expect "exit status of report $*" $? "$status"
}

# rendered: the page of rows made by hand, those of tests/bench/report unless
# there are others in data/.
rendered() {
    [ -d data ] || cp -r "$here/report" data
    reported 0 --render --data data
}

# Every plot is XML, has text, and is shown; each that is shown is there.
plots_are_whole() {
    python3 - out <<'END' || fail "a plot is not as it should be: $(cat out/why)"
import glob, re, sys, xml.dom.minidom
page = open(sys.argv[1] + "/performance.md").read()
shown = set(re.findall(r"\]\((performance/\S+\.svg)\)", page))
there = {f[len(sys.argv[1]) + 1:] for f in glob.glob(sys.argv[1] + "/performance/*")}
sys.stdout = open(sys.argv[1] + "/why", "w")
print("shown and there differ:", sorted(shown ^ there))
assert shown and shown == there
for name in shown:
    print(name)
    drawing = xml.dom.minidom.parse(sys.argv[1] + "/" + name)
    assert len(drawing.getElementsByTagName("text")) > 5
    assert "prefers-color-scheme: dark" in drawing.toxml()
    assert "nan" not in drawing.toxml() and "inf" not in drawing.toxml()
END
}

test_a_report_can_be_made_of_this_machine() {
    have_python
    reported 0 --smoke --bench "$weir_bench" --data "$PWD/data"
    has out/performance.md '^\*\*From a smoke run\*\*'
    has out/performance.md '^| queue, 2P2C | [0-9.]* ns an item | [0-9,]* |'
    has out/performance.md '^| pool, 4 workers | [0-9.]* ns a task | [0-9,]* |'
    has out/performance.md '^| 64 | [0-9.,]* ([0-9.,]* to [0-9.,]*) |'
    has out/performance.md '^| 65,536 | [0-9.,]* '
    has out/performance.md '^| 256 | [0-9.,]* '
    has out/performance.md '^| 2 workers, 100 us | [0-9.,]* '
    has out/performance.md '^| weir_run | 2 | 10,000 | .* | right, right, right |$'
    has out/performance.md '^## What [0-9]* processors do not show'
    lacks out/performance.md "$PWD"
    lacks out/performance.md '/tmp/'
    plots_are_whole
}

test_a_report_says_what_was_measured() {
    have_python
    rendered
    has out/performance.md '^| processor | Machine A, 2 of them usable |$'
    has out/performance.md '^| queue, 2P2C | 10.0 ns an item | 170 | 16.9 | 36.0 go |$'
    has out/performance.md '^| glib (u) |  | 7.0 (7.0 to 7.0) |  |$'
    has out/performance.md '^| weir | 9.0 (8.9 to 9.3) | .* | 16.0 (9.0 to 24.0) ? |$'
    has out/performance.md '^| 64 | 60.0 (59.0 to 61.0) | 900 (891 to 909) |$'
    lacks out/performance.md '^\*\*'
    plots_are_whole
    has out/performance/queue.svg '>32.0 ?<'
}

test_a_report_of_a_busy_hour_says_so() {
    have_python
    cp -r "$here/report" data
    sed -i 's/"doubt":""/"doubt":"disturbed"/' data/workers.jsonl
    rendered
    has out/performance.md '^\*\*The machine was not quiet\*\*: 11 of 35 rows are'
}

test_a_report_judges_what_is_asked() {
    have_python
    rendered
    has out/performance.md '^| 2 workers, 1 us | 95.2 .*| asked 90 %: reached |$'
    has out/performance.md '^| 2 workers, 100 us | 97.1 .*| asked 99 %: not reached |$'
    # Bare threads were disturbed then; processor time is a quarter more.
    has out/performance.md '^| 1 worker, 100 us | 97.1 .*| asked 99 %: not to be said |$'
    has out/performance.md '^| 1 worker, 1 us | 95.2 .*| 76.2 (76.2 to 76.2) | asked'
    has out/performance.md '^| weir_run | .* | WRONG, right, right |$'
}

test_a_report_says_what_it_left_out() {
    have_python
    cp -r "$here/report" data
    rendered
    has out/performance.md '^There was no time left for all of: item.$'
    rm data/queue.jsonl data/billion.jsonl
    rm -r out
    rendered
    lacks out/performance.md '^## The queue beside others'
    lacks out/performance.md '^## A billion'
    plots_are_whole
}

test_a_report_of_nothing_is_refused() {
    have_python
    mkdir data
    reported 2 --render --data data
    has err '^report: data: has nothing that was measured'
    cp "$here"/report/* data
    sed -i '2s/"each":\[/&null,/' data/queue.jsonl
    reported 2 --render --data data
    has err '^report: data/queue.jsonl:2: wall_ns has a round of null$'
    cp "$here"/report/* data
    rm data/mode.json
    reported 2 --render --data data
    has err '^report: data/mode.json: '
    # What an earlier run left is not mixed with what there is no time for.
    cp "$here"/report/* data
    reported 2 --smoke --bench "$weir_bench" --data data --most 0
    has err '^report: data: has nothing that was measured'
    reported 2 --smoke --bench "$PWD/no/where" --data data
    has err '^report: .*No such file'
}

# ---------------------------------------------------------------- the driver

if [ $# -lt 1 ] || [ ! -x "$1" ]; then
    echo "usage: commands.sh WEIR_BENCH" >&2
    exit 2
fi
weir_bench=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
billion=$(dirname "$weir_bench")/billion
if [ $# -eq 2 ]; then
    exec 3>&1 >/dev/null 2>/dev/null </dev/null
    "$2"
    exit 0
fi
run_checks commands "$here/commands.sh" "$weir_bench"
