/* SPDX-License-Identifier: MIT */
/*
 * fetch_urls.c - fetches URLs and tells of each as it comes: two at a time from
 * any one host, fifty a second in all, again if a host is busy.
 *
 *     fetch_urls URL...
 *
 * A client of libcurl is for one thread at a time, and keeps its connections
 * for the next URL: so each worker has one.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir.h>

enum { WORKERS = 8, PER_HOST = 2, PER_SECOND = 50, BURST = 10, BUSY = 503 };

struct host {
    char *name; /* and port */
    weir_semaphore *permits;
};
struct job {
    const char *url;
    struct host *host;
};
struct answer {
    long status;
    size_t bytes;
};
struct client {
    CURLM *multi;
    CURL *easy;
};

static struct client clients[WORKERS];
static weir_rate *rate;

/* ------------------------------------------------------------- the workers */

static size_t count_bytes(char *bytes, size_t size, size_t count, void *sum)
{
    (void)bytes;
    *(size_t *)sum += size * count;
    return size * count;
}

static void close_client(void *arg, uint32_t worker)
{
    (void)arg;
    curl_easy_cleanup(clients[worker].easy);
    curl_multi_cleanup(clients[worker].multi);
}

static int open_client(void *arg, uint32_t worker)
{
    struct client *client = &clients[worker];

    client->multi = curl_multi_init();
    client->easy = curl_easy_init();
    if (client->multi && client->easy &&
        !curl_easy_setopt(client->easy, CURLOPT_NOSIGNAL, 1L) &&
        !curl_easy_setopt(client->easy, CURLOPT_WRITEFUNCTION, count_bytes))
        return 0;
    close_client(arg, worker);
    return 1;
}

/* Waits for the host and for being asked to stop, whichever comes first. */
static CURLcode transfer(weir_task *task, struct client *client)
{
    struct curl_waitfd asked = {.fd = weir_task_cancel_fd(task),
                                .events = CURL_WAIT_POLLIN};
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    int running = 1, left;
    CURLMsg *message;

    curl_multi_add_handle(client->multi, client->easy);
    while (running && !weir_task_cancelled(task)) {
        if (curl_multi_perform(client->multi, &running))
            break;
        if (running)
            curl_multi_poll(client->multi, &asked, 1, 1000, NULL);
    }
    if ((message = curl_multi_info_read(client->multi, &left)))
        code = message->data.result;
    curl_multi_remove_handle(client->multi, client->easy);
    return code;
}

static int fetch(weir_task *task, void *item)
{
    const struct job *job = item;
    struct client *client = &clients[weir_task_worker(task)];
    weir_deadline until = weir_task_deadline(task);
    struct answer answer = {0};
    CURLcode code;

    /* Of this attempt: it goes back when the attempt has ended. */
    if (weir_semaphore_acquire(job->host->permits, 1, until) ||
        weir_rate_acquire(rate, 1, until))
        return weir_task_fail(task, BUSY, "no turn in time");
    curl_easy_setopt(client->easy, CURLOPT_URL, job->url);
    curl_easy_setopt(client->easy, CURLOPT_WRITEDATA, &answer.bytes);
    code = transfer(task, client);
    if (code)
        return weir_task_fail(task, (int)code, "%s", curl_easy_strerror(code));
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &answer.status);
    if (answer.status >= 400)
        return weir_task_fail(task, (int)answer.status, "status %ld",
                              answer.status);
    return weir_task_result(task, &answer, sizeof(answer));
}

/* ------------------------------------------------------------ what is asked */

static bool is_worth_it(void *arg, const weir_outcome *outcome)
{
    (void)arg;
    return outcome->kind == WEIR_OUTCOME_TIMED_OUT || outcome->code == BUSY;
}

/* NULL if it has none. */
static char *host_name(const char *url)
{
    char *host = NULL, *port = NULL, *name = NULL;
    CURLU *parts = curl_url();

    if (parts && !curl_url_set(parts, CURLUPART_URL, url, 0) &&
        !curl_url_get(parts, CURLUPART_HOST, &host, 0) &&
        !curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
        asprintf(&name, "%s:%s", host, port) < 0)
        name = NULL;
    curl_free(port);
    curl_free(host);
    curl_url_cleanup(parts);
    return name;
}

/* `hosts` has room for one for each URL, and ends with one without a name. */
static struct host *find_host(struct host *hosts, const char *url)
{
    struct host *host = hosts;
    char *name = host_name(url);

    if (!name)
        return NULL;
    while (host->name && strcmp(host->name, name) != 0)
        host++;
    if (host->name) {
        free(name);
    } else {
        host->name = name;
        if (weir_semaphore_create(&host->permits, PER_HOST))
            return NULL; /* main frees what there is */
    }
    return host;
}

static weir_status open_pool(weir_pool **pool)
{
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    weir_retry retry = WEIR_RETRY_INIT;

    retry.max_attempts = 3;
    retry.base_ns = WEIR_MS(50); /* 50 ms, 100 ms, each drawn from 0 up */
    retry.retryable = is_worth_it;
    retry.patience_ns = WEIR_SECONDS(1); /* for a transfer to be given up */
    options.workers = WORKERS;
    options.item_size = sizeof(struct job);
    options.timeout_ns = WEIR_SECONDS(1); /* of an attempt, its turn included */
    options.retry = &retry;
    options.worker_start = open_client;
    options.worker_stop = close_client;
    return weir_pool_create(pool, &options);
}

/* ------------------------------------------------------------- what is told */

static weir_status tell_all(weir_stream *stream, char **urls)
{
    weir_outcome outcome = WEIR_OUTCOME_INIT;
    weir_status status;

    while (!(status = weir_stream_next(stream, NULL, &outcome, WEIR_FOREVER))) {
        const char *url = urls[outcome.task_id - 1]; /* tasks count from 1 */
        const struct answer *answer = outcome.result;

        if (outcome.kind == WEIR_OUTCOME_DONE)
            printf("%s: %zu bytes, attempt %u\n", url, answer->bytes,
                   outcome.attempts);
        else
            printf("%s: %s, attempt %u: %s\n", url,
                   weir_outcome_name(outcome.kind), outcome.attempts,
                   outcome.message);
        fflush(stdout);
    }
    return status;
}

static bool tell_sum(weir_pool *pool)
{
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    const weir_ledger *ledger = &stats.ledger;

    weir_pool_read_stats(pool, &stats);
    printf("%llu URLs: done %llu, failed %llu, timed out %llu; %llu attempts; "
           "the ledger %s\n",
           (unsigned long long)ledger->accepted,
           (unsigned long long)ledger->done, (unsigned long long)ledger->failed,
           (unsigned long long)ledger->timed_out,
           (unsigned long long)ledger->attempts,
           weir_ledger_balances(ledger) ? "balances" : "does not balance");
    return weir_ledger_balances(ledger) && ledger->done == ledger->accepted;
}

static bool fetch_all(char **urls, const struct job *jobs, size_t count)
{
    weir_stream_options options = WEIR_STREAM_OPTIONS_INIT;
    weir_producer producer;
    weir_stream *stream;
    weir_pool *pool;
    bool all = false;

    options.handler = fetch;
    options.window = 4 * WORKERS;
    if (open_pool(&pool))
        return false;
    if (!weir_producer_array(&producer, jobs, count, sizeof(*jobs))) {
        if (weir_stream_open(&stream, pool, &producer, &options)) {
            producer.close(producer.self);
        } else {
            all = tell_all(stream, urls) == WEIR_END && tell_sum(pool);
            weir_stream_close(stream);
        }
    }
    weir_pool_destroy(pool);
    return all;
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? (size_t)argc - 1 : 0;
    struct host *hosts = calloc(count + 1, sizeof(*hosts));
    struct job *jobs = calloc(count + 1, sizeof(*jobs));
    bool all = hosts && jobs && !curl_global_init(CURL_GLOBAL_DEFAULT) &&
               !weir_rate_create(&rate, PER_SECOND, BURST);

    for (size_t i = 0; all && i < count; i++) {
        jobs[i] = (struct job){argv[i + 1], find_host(hosts, argv[i + 1])};
        if (!jobs[i].host)
            fprintf(stderr, "%s: not a URL\n", argv[i + 1]);
        all = jobs[i].host != NULL;
    }
    all = all && fetch_all(argv + 1, jobs, count);
    for (struct host *host = hosts; host && host->name; host++) {
        weir_semaphore_destroy(host->permits);
        free(host->name);
    }
    weir_rate_destroy(rate);
    curl_global_cleanup();
    free(jobs);
    free(hosts);
    return !all;
}
