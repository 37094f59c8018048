/* SPDX-License-Identifier: MIT */
/*
 * epoll_server.c - a server whose one loop never waits but in epoll.
 *
 * It reads requests (a number) and hands them to a pool; handlers put their
 * answers (its square) into an outbox, and the loop sends them.  When the pool
 * is full it reads nothing, so the clients' own writes come to a stop: that is
 * backpressure, through the sockets.  The clients are threads of this program,
 * each sends as fast as it can, and when all have been answered it ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weir.h>

enum {
    CLIENTS = 4,
    REQUESTS = 1000, /* of each client */
    WINDOW = 64,     /* requests of a connection that are not answered yet */
    WAITING = 16,    /* of all, in the pool */
    LISTENER = CLIENTS,
    OUTBOX,
    POOL,
    SOURCES
};

struct request {
    uint32_t connection, number;
};
struct answer {
    uint32_t connection;
    uint64_t square;
};

struct connection {
    int fd;          /* -1: none */
    uint32_t events; /* that epoll waits for */
    bool is_over;    /* the client sends no more */
    unsigned inside; /* requests that are not answered yet */
    uint32_t number; /* the one that is being read, */
    size_t read;     /* and how much of it */
    size_t unsent;   /* bytes */
    uint64_t answers[WINDOW];
};

struct server {
    int epoll, listener;
    weir_pool *pool;
    weir_queue *outbox;
    struct connection connections[CLIENTS];
    unsigned come, gone;
    bool is_full; /* the pool was, at the last submit */
    unsigned long pauses;
};

static void check(bool right, const char *what)
{
    if (right)
        return;
    perror(what);
    exit(1);
}

static void watch(struct server *server, int fd, uint32_t source)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = source};

    check(fd >= 0 && !epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event),
          "watch");
}

/* ------------------------------------------------------------- the workers */

static int square(weir_task *task, void *item)
{
    const struct request *request = item;
    struct answer answer = {request->connection, 0};

    answer.square = (uint64_t)request->number * request->number;
    if (weir_task_sleep(task, WEIR_US(20))) /* it takes a while */
        return 1;
    return weir_queue_put(weir_task_context(task), &answer, WEIR_FOREVER) ? 1
                                                                          : 0;
}

/* ---------------------------------------------------------------- the loop */

static void accept_clients(struct server *server)
{
    int fd;

    while (server->come < CLIENTS &&
           (fd = accept4(server->listener, NULL, NULL,
                         SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        uint32_t i = server->come++;

        server->connections[i] =
            (struct connection){.fd = fd, .events = EPOLLIN};
        watch(server, fd, i);
    }
}

/* Requests, as long as there are any, and the pool takes them. */
static void read_requests(struct server *server, uint32_t i)
{
    struct connection *c = &server->connections[i];

    while (!server->is_full && !c->is_over && c->inside < WINDOW) {
        struct request request = {i, c->number};
        weir_status status;

        if (c->read < sizeof(c->number)) {
            ssize_t n = recv(c->fd, (char *)&c->number + c->read,
                             sizeof(c->number) - c->read, 0);

            if (n < 0 && errno == EAGAIN)
                return;
            c->is_over = n <= 0;
            c->read += n > 0 ? (size_t)n : 0;
            continue;
        }
        status =
            weir_pool_submit_copy(server->pool, square, &request, WEIR_NOW);
        if (status == WEIR_TIMED_OUT) { /* it stays here until there is room */
            server->is_full = true;
            server->pauses++;
            return;
        }
        check(!status, "submit");
        c->read = 0;
        c->inside++;
    }
}

static void take_answers(struct server *server)
{
    struct answer answer;

    /* Until it says that there is nothing: then the descriptor is quiet. */
    while (weir_queue_get(server->outbox, &answer, WEIR_NOW) == WEIR_OK) {
        struct connection *c = &server->connections[answer.connection];

        memcpy((char *)c->answers + c->unsent, &answer.square,
               sizeof(answer.square));
        c->unsent += sizeof(answer.square);
    }
}

static void send_answers(struct connection *c)
{
    ssize_t n = 0;
    size_t before = (c->unsent + 7) / 8;

    if (c->unsent > 0)
        n = send(c->fd, c->answers, c->unsent, MSG_NOSIGNAL);
    if (n > 0) {
        c->unsent -= (size_t)n;
        memmove(c->answers, (char *)c->answers + n, c->unsent);
        c->inside -= (unsigned)(before - (c->unsent + 7) / 8);
    }
    check(n >= 0 || errno == EAGAIN, "send");
}

/* What epoll is to wait for now. */
static void go_on_with(struct server *server, uint32_t i)
{
    struct connection *c = &server->connections[i];
    struct epoll_event event = {.data.u32 = i};

    if (!server->is_full && !c->is_over && c->inside < WINDOW)
        event.events |= EPOLLIN;
    if (c->unsent > 0)
        event.events |= EPOLLOUT;
    if (c->is_over && c->inside == 0) {
        close(c->fd);
        c->fd = -1;
        server->gone++;
    } else if (event.events != c->events) {
        c->events = event.events;
        check(!epoll_ctl(server->epoll, EPOLL_CTL_MOD, c->fd, &event), "epoll");
    }
}

static void serve(struct server *server)
{
    struct epoll_event events[SOURCES];

    while (server->gone < CLIENTS) {
        int n = epoll_wait(server->epoll, events, SOURCES, -1);

        check(n >= 0 || errno == EINTR, "epoll_wait");
        for (int i = 0; i < n; i++) {
            if (events[i].data.u32 == LISTENER)
                accept_clients(server);
            if (events[i].data.u32 == OUTBOX)
                take_answers(server);
            if (events[i].data.u32 == POOL) {
                /* First look, then try: what settles after this is told. */
                (void)weir_pool_settled(server->pool);
                server->is_full = false;
            }
        }
        for (uint32_t i = 0; i < server->come; i++) {
            if (server->connections[i].fd < 0)
                continue;
            send_answers(&server->connections[i]);
            read_requests(server, i);
        }
        for (uint32_t i = 0; i < server->come; i++)
            if (server->connections[i].fd >= 0)
                go_on_with(server, i);
    }
}

/* ------------------------------------------------------------- the clients */

struct client {
    pthread_t sender, receiver;
    int fd;
    unsigned long answers;
    uint64_t sum;
};

static void *send_all(void *arg)
{
    struct client *client = arg;

    for (uint32_t i = 1; i <= REQUESTS; i++)
        check(send(client->fd, &i, sizeof(i), MSG_NOSIGNAL) == sizeof(i),
              "a client's send");
    shutdown(client->fd, SHUT_WR);
    return NULL;
}

static void *receive_all(void *arg)
{
    struct client *client = arg;
    uint64_t answer;

    while (recv(client->fd, &answer, sizeof(answer), MSG_WAITALL) ==
           sizeof(answer)) {
        client->answers++;
        client->sum += answer;
    }
    return NULL;
}

static void begin_client(struct client *client, const struct sockaddr_in *to)
{
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(client->fd >= 0 &&
              !connect(client->fd, (const struct sockaddr *)to, sizeof(*to)),
          "connect");
    check(!pthread_create(&client->sender, NULL, send_all, client) &&
              !pthread_create(&client->receiver, NULL, receive_all, client),
          "a client's threads");
}

static void end_client(struct client *client)
{
    pthread_join(client->sender, NULL);
    pthread_join(client->receiver, NULL);
    close(client->fd);
}

/* ------------------------------------------------------------ life and end */

static void begin_server(struct server *server, struct sockaddr_in *at)
{
    weir_queue_options box = WEIR_QUEUE_OPTIONS_INIT;
    weir_pool_options options = WEIR_POOL_OPTIONS_INIT;
    socklen_t size = sizeof(*at);

    box.capacity = WAITING;
    check(!weir_queue_create(&server->outbox, sizeof(struct answer), &box),
          "the outbox");
    options.queue_capacity = WAITING;
    options.item_size = sizeof(struct request);
    options.context = server->outbox;
    check(!weir_pool_create(&server->pool, &options), "the pool");

    *at = (struct sockaddr_in){.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server->listener =
        socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    check(server->listener >= 0 &&
              !bind(server->listener, (struct sockaddr *)at, sizeof(*at)) &&
              !listen(server->listener, CLIENTS) &&
              !getsockname(server->listener, (struct sockaddr *)at, &size),
          "listen");
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(server, server->listener, LISTENER);
    watch(server, weir_queue_item_fd(server->outbox), OUTBOX);
    watch(server, weir_pool_fd(server->pool), POOL);
}

static void end_server(struct server *server)
{
    close(server->epoll); /* before the descriptors that it watches */
    close(server->listener);
    weir_pool_destroy(server->pool);
    weir_queue_destroy(server->outbox);
}

int main(void)
{
    static struct server server;
    static struct client clients[CLIENTS];
    const uint64_t n = REQUESTS, sum = n * (n + 1) * (2 * n + 1) / 6;
    weir_pool_stats stats = WEIR_POOL_STATS_INIT;
    struct sockaddr_in at;
    bool right = true;

    begin_server(&server, &at);
    for (int i = 0; i < CLIENTS; i++)
        begin_client(&clients[i], &at);
    serve(&server);
    for (int i = 0; i < CLIENTS; i++) {
        end_client(&clients[i]);
        right = right && clients[i].answers == n && clients[i].sum == sum;
    }
    if (weir_pool_stop(server.pool, WEIR_STOP_AFTER_DRAIN, WEIR_FOREVER))
        return 1;
    weir_pool_read_stats(server.pool, &stats);
    printf("%llu requests answered, %s; the loop stopped reading %lu times\n",
           (unsigned long long)stats.ledger.done,
           right ? "all of them right" : "not all of them right",
           server.pauses);
    printf("the ledger %s\n", weir_ledger_balances(&stats.ledger)
                                  ? "balances"
                                  : "does not balance");
    right = right && stats.ledger.done == n * CLIENTS &&
            weir_ledger_balances(&stats.ledger);
    end_server(&server);
    return !right;
}
