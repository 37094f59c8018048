# shellcheck shell=bash disable=SC1010,SC2016,SC2034,SC2154,SC2216
# SPDX-License-Identifier: MIT
#
# records.sh - how input becomes records, and records arguments.

# makes_all_bytes: one record for each byte but NUL, each ended by NUL, and one
# with all of them.
make_all_bytes() {
    local byte all=
    for ((byte = 1; byte < 256; byte++)); do
        printf -v octal '\\%03o' "$byte"
        all=$all$octal
        # shellcheck disable=SC2059
        printf "x${octal}y\\0"
    done
    # shellcheck disable=SC2059
    printf "$all\\0"
}

test_all_bytes_pass_through_unchanged() {
    make_all_bytes >in
    run -0 -k -- printf '%s\0' <in
    expect "exit status" "$rc" 0
    same out in
    run -0 -k -- printf '%s\0' a{}b{}c <in
    LC_ALL=C sed -z 's/.*/a&b&c/' in >wanted
    same out wanted
}

test_records_end_where_the_option_says() {
    printf 'a\tb\nc\n' >in
    run -k -- printf '<%s>' <in
    expect "by newline" "$(cat out)" $'<a\tb><c>'
    run -k -d '\t' -- printf '<%s>' <in
    expect "by tab" "$(cat out)" $'<a><b\nc\n>'
    run -k -d b -- printf '<%s>' <in
    expect "by letter" "$(cat out)" $'<a\t><\nc\n>'
    run -k -d '\x62' -- printf '<%s>' <in
    expect "by hexadecimal number" "$(cat out)" $'<a\t><\nc\n>'
    run -k --delimiter='\142' -- printf '<%s>' <in
    expect "by octal number" "$(cat out)" $'<a\t><\nc\n>'
    # shellcheck disable=SC1003
    printf 'a\\b\\' | run -k -d '\\' -- printf '<%s>'
    expect "by backslash" "$(cat out)" '<a><b>'
    printf 'a\0b\nc\0' >in
    run -k -0 -- printf '<%s>' <in
    expect "by -0" "$(cat out)" $'<a><b\nc>'
    run -k -d '\0' -- printf '<%s>' <in
    expect "by \\0" "$(cat out)" $'<a><b\nc>'
}

test_the_record_replaces_every_brace_pair() {
    printf 'x y\n' | run -- printf '%s\n' {} 'a{}b' '{}{}' '{' '}' '{ }'
    expect "output" "$(cat out)" "x y
ax yb
x yx y
{
}
{ }"
    printf '{}\n' | run -- printf '%s\n' 'a{}'
    expect "a record of braces" "$(cat out)" 'a{}'
    printf 'printf\n' | run -- {} hello
    expect "a record as command" "$(cat out)" hello
}

test_the_record_is_the_last_argument_without_braces() {
    printf 'x y\n' | run -- printf '%s|' a
    expect "output" "$(cat out)" 'a|x y|'
    printf 'x\n' | run echo
    expect "output without --" "$(cat out)" x
}

test_nothing_runs_without_records() {
    run -- touch ran </dev/null
    expect "exit status" "$rc" 0
    expect "output" "$(cat out err)" ""
    [ ! -e ran ] || fail "something ran"
}

test_an_empty_record_is_a_task() {
    printf 'a\n\nb\n\n' | run -k -- printf '<%s>'
    expect "output" "$(cat out)" '<a><><b><>'
    printf '\n' | run -k -- printf '<%s>' 'x{}'
    expect "output in a word" "$(cat out)" '<x>'
}

test_the_last_record_may_lack_its_end() {
    printf 'a\nb' | run -k -- printf '<%s>'
    expect "output" "$(cat out)" '<a><b>'
}

test_a_record_too_long_for_an_argument_fails_alone() {
    {
        echo before
        head -c 1048576 /dev/zero | tr '\0' x
        printf '\nafter\n'
    } | run -k --attempts 3 -- printf '%s\n'
    expect "exit status" "$rc" 1
    expect "output" "$(cat out)" "before
after"
    expect "lines of errors" "$(lines err)" 1
    has err '^weir: task 2 (xxx.*\.\.\.): failed: not started: .*131071'
    has err 'attempt 1 of 3'
}

test_a_long_record_that_fits_runs() {
    head -c 131071 /dev/zero | tr '\0' x >in
    run -- printf %s <in
    expect "exit status" "$rc" 0
    same out in
}

test_a_record_with_a_nul_fails_alone() {
    printf 'a\nb\0c\nd\n' | run -k --attempts 3 -- printf '%s\n'
    expect "exit status" "$rc" 1
    expect "output" "$(cat out)" "a
d"
    has err '^weir: task 2 (b\\x00c): failed: .*NUL.* -0, attempt 1 of 3$'
}

test_records_come_from_a_file() {
    printf 'a\nb\n' >in
    printf 'not this\n' | run -k -a in -- echo
    expect "output of -a" "$(cat out)" "a
b"
    run -k --arg-file=in echo </dev/null
    expect "output of --arg-file" "$(cat out)" "a
b"
    run -k -a - -- echo <in
    expect "output of -a -" "$(cat out)" "a
b"
}

test_input_that_fails_is_named() {
    run -a . -- touch ran </dev/null
    expect "exit status" "$rc" 1
    has err '^weir run: \.: Is a directory$'
    run -- touch ran </tmp
    expect "exit status" "$rc" 1
    has err '^weir run: standard input: Is a directory$'
    [ ! -e ran ] || fail "something ran"
}

test_a_record_beyond_all_bounds_ends_the_intake() {
    { echo first && head -c 68000000 /dev/zero; } | run -- echo
    expect "exit status" "$rc" 1
    expect "output" "$(cat out)" first
    has err '^weir run: standard input: a record has more than 64 MiB'
}

# What a command finds in its process.  Bits 31 and 32 are signals of the C
# library, which ignores them in whatever it starts.
show_process='
    ignored=$(sed -n "s/^SigIgn:[[:space:]]*/0x/p" /proc/self/status)
    echo "ignored: $((ignored & ~0x180000000))"
    readlink /proc/self/fd/0
    ls /proc/self/fd | wc -l'

test_a_command_gets_a_clean_process() {
    "$helper" default sh -c "$show_process" </dev/null >wanted
    echo a >in
    "$helper" default "$weir" run -- sh -c "$show_process" <in >out
    expect "exit status" $? 0
    same out wanted
    # Without a shell, which might unblock signals itself.
    echo /proc/self/status >in
    run -- grep ^SigBlk: <in
    has out '^SigBlk:[[:space:]]*0*$'
}

test_a_command_leads_its_own_group() {
    printf 'a\n' | run -- sh -c 'cut -d" " -f1,5 /proc/$$/stat'
    read -r process group <out
    expect "the group" "$group" "$process"
}

test_what_nohup_ignores_stays_ignored() {
    printf 'a\n' | (trap '' HUP && exec "$weir" run -- sh -c '
        grep ^SigIgn /proc/self/status') >out
    has out '^SigIgn:.*1$'
    printf 'a\n' | "$helper" default "$weir" run -- sh -c '
        grep ^SigIgn /proc/self/status' >out
    has out '^SigIgn:.*0$'
}

test_a_dry_run_prints_commands_that_a_shell_reads_back() {
    make_all_bytes >in
    printf '\0-n\0~\0#\0a=b\0it'\''s\0"\0$(x)\0*\0a b\0\n\0{}\0if\0' >>in
    run --dry-run -0 -- /usr/bin/printf '%s\0' {} "it's {}" <in
    expect "exit status" "$rc" 0
    expect "errors" "$(cat err)" ""
    sh ./out >shell
    run -0 -k -- /usr/bin/printf '%s\0' {} "it's {}" <in
    same shell out
    printf 'time\n' | run --dry-run -- {}
    expect "a word of the shell" "$(cat out)" "'time'"
    printf 'plain/path-1.txt\n' | run --dry-run -- cat
    expect "a plain word" "$(cat out)" 'cat plain/path-1.txt'
}

test_a_dry_run_runs_nothing_and_keeps_the_order() {
    seq 500 | run --dry-run -j 8 -- touch ran
    expect "exit status" "$rc" 0
    seq -f 'touch ran %.0f' 500 >wanted
    same out wanted
    [ ! -e ran ] || fail "something ran"
}
