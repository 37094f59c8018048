/* SPDX-License-Identifier: MIT */
/* log.c - what a pool tells an operator, as a line: see weir/log.h. */
#include <weir/log.h>

#include <inttypes.h>
#include <unistd.h>

#include "base/trap.h"
#include "edge/words.h"

static const struct weir__escape log_escapes[] = {{'\\', "\\\\"},
                                                  {'"', "\\\""},
                                                  {'\n', "\\n"}};

const char *weir_log_level_name(weir_log_level level)
{
    switch (level) {
    case WEIR_LOG_ERROR:
        return "error";
    case WEIR_LOG_WARNING:
        return "warning";
    case WEIR_LOG_INFO:
        return "info";
    }
    return "unknown level";
}

const char *weir_log_kind_name(weir_log_kind kind)
{
    switch (kind) {
    case WEIR_LOG_DEGRADED:
        return "degraded";
    case WEIR_LOG_RECOVERED:
        return "recovered";
    case WEIR_LOG_TAINTED:
        return "tainted";
    case WEIR_LOG_ABANDONED:
        return "abandoned";
    case WEIR_LOG_EXITED:
        return "exited";
    case WEIR_LOG_CRASHED:
        return "crashed";
    case WEIR_LOG_RETRIES_EXHAUSTED:
        return "retries exhausted";
    case WEIR_LOG_RETRY_DENIED:
        return "retry denied";
    case WEIR_LOG_NO_WORKER:
        return "no worker";
    case WEIR_LOG_NO_SERVER:
        return "no server";
    case WEIR_LOG_BREAKER_OPEN:
        return "breaker open";
    case WEIR_LOG_BREAKER_CLOSED:
        return "breaker closed";
    }
    return "unknown kind";
}

static void
say_text(struct weir__words *words, const char *key, const char *text)
{
    weir__words_say(words, " %s=\"", key);
    weir__words_quote(words, text, log_escapes,
                      sizeof(log_escapes) / sizeof(log_escapes[0]));
    weir__words_say(words, "\"");
}

void weir_log_stderr(void *arg, const weir_log_record *record)
{
    WEIR__UNTRAPPED;
    struct weir__words words;

    (void)arg;
    weir__words_open(&words, STDERR_FILENO);
    weir__words_say(&words, "level=%s", weir_log_level_name(record->level));
    say_text(&words, "kind", weir_log_kind_name(record->kind));
    say_text(&words, "pool", record->pool);
    if (record->task_id > 0)
        weir__words_say(&words, " task=%" PRIu64, record->task_id);
    if (record->label[0])
        say_text(&words, "label", record->label);
    if (record->attempt > 0)
        weir__words_say(&words, " attempt=%u", (unsigned)record->attempt);
    if (record->worker != UINT32_MAX)
        weir__words_say(&words, " worker=%u", (unsigned)record->worker);
    if (record->code != 0)
        weir__words_say(&words, " code=%d", record->code);
    if (record->left_out > 0)
        weir__words_say(&words, " left_out=%" PRIu64, record->left_out);
    say_text(&words, "msg", record->message);
    weir__words_say(&words, "\n");
    weir__words_flush(&words);
}
