/* SPDX-License-Identifier: MIT */
/*
 * screen.c - the terminal, lent to a picture and given back as it was.
 *
 * THE IDEA
 *
 * The picture has the alternate screen, of which the user's own knows nothing.
 * What tasks print on the same terminal goes to the user's screen, for which
 * the picture steps aside and comes back in the same moment: so it is all
 * there, and nothing else, when the picture has gone.
 *
 * STATES
 *
 *   away    the user's screen is shown
 *     -> shown   the first picture; or the next, after a stop
 *   shown   the alternate screen
 *     -> lent    somebody prints
 *     -> away    the end; a stop (^Z); a signal that ends the process
 *   lent    the user's screen is shown, `lock` is held
 *     -> shown   the printing is done
 *     -> away    there was no picture
 *
 * A picture is one write: home, each line with what is behind it erased, what
 * is below erased.  Nothing is cleared first, so nothing flickers; terminals
 * that know of synchronised output (mode 2026) do not even show a half.
 *
 * The terminal is opened anew and does not block, whatever standard error's
 * readers do to theirs.
 *
 * SIGNALS
 *
 * A signal that would end the process is caught to give the screen back, and
 * then ends it.  A stop from the keyboard is noted; the thread that draws gives
 * the screen back and stops the process by the same signal, so that where it
 * would be ignored, because nobody is there to continue it, it still is.
 *
 * LIMITS
 *
 * Nobody can give the screen back after a SIGKILL: `reset` does.  A terminal
 * without an alternate screen is drawn over.
 */
#include "screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* How long a terminal that takes nothing is waited for. */
enum { STALL_MS = 500 };

static const char enter[] = "\033[?1049h\033[?25l";
/* Also ends what a half of a picture may have begun. */
static const char leave[] = "\033[0m\033[?2026l\033[?25h\033[?1049l";
/* For a moment, which ends with the next picture. */
static const char step_aside[] =
    "\033[?2026h\033[H\033[J\033[0m\033[?25h\033[?1049l";
static const char wipe[] = "\033[H\033[J";
static const char begin[] = "\033[?2026h\033[H";
static const char end_full[] = "\033[?2026l";
static const char end[] = "\033[J\033[?2026l";

/* I: set by open.  L: with `lock` held. */
struct screen {
    int fd; /* I */
    pthread_mutex_t lock;
    char *frame;                   /* L: what was shown last, as bytes */
    size_t frame_size, frame_room; /* L */
    bool had_picture;              /* L: when it was lent */
    bool has_left;                 /* L: no picture any more */
};

/* Ends the process unless it is caught. */
static const int deadly[] = {SIGQUIT, SIGILL,  SIGTRAP, SIGABRT,
                             SIGBUS,  SIGFPE,  SIGSEGV, SIGSYS,
                             SIGXCPU, SIGALRM, SIGUSR1, SIGUSR2};
enum { DEADLY = sizeof(deadly) / sizeof(deadly[0]) };

/* A signal handler has no argument of ours, hence file scope. */
static atomic_int shown_on;    /* the terminal with the picture; -1: none */
static atomic_bool stop_noted; /* SIGTSTP has come */
static atomic_bool stale;      /* what is shown may be another picture */
static struct sigaction before_deadly[DEADLY], before_stop, before_continue;

static int open_terminal(void);
static void handle_signals(void);
static void stop_handling(void);
static void write_all(int fd, const char *bytes, size_t size);
static bool is_in_background(const struct screen *screen);
static void give_back_locked(struct screen *screen);
static void draw_locked(struct screen *screen);

/* ------------------------------------------------------------------- life */

bool screen_is_able(void)
{
    const char *term = getenv("TERM");

    return term && term[0] && strcmp(term, "dumb") != 0;
}

bool screen_open(struct screen **out)
{
    struct screen *screen = calloc(1, sizeof(*screen));
    int error = ENOMEM;

    if (!screen)
        return false;
    screen->fd = open_terminal();
    if (screen->fd < 0) {
        error = ENOTTY;
        goto free_screen;
    }
    error = pthread_mutex_init(&screen->lock, NULL);
    if (error)
        goto close_terminal;
    atomic_store(&shown_on, -1);
    handle_signals();
    *out = screen;
    return true;

close_terminal:
    close(screen->fd);
free_screen:
    free(screen);
    errno = error;
    return false;
}

/* An open of our own, so that it can be told not to block. */
static int open_terminal(void)
{
    const int how = O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
    int fd = open("/dev/tty", how);

    if (fd >= 0 || !isatty(STDERR_FILENO))
        return fd;
    return open("/proc/self/fd/2", how);
}

void screen_close(struct screen *screen)
{
    if (!screen)
        return;
    screen_leave(screen, NULL);
    stop_handling();
    close(screen->fd);
    pthread_mutex_destroy(&screen->lock);
    free(screen->frame);
    free(screen);
}

/* ----------------------------------------------------------------- drawing */

void screen_size(const struct screen *screen, unsigned *rows, unsigned *columns)
{
    struct winsize size;

    *rows = 24;
    *columns = 80;
    if (ioctl(screen->fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 &&
        size.ws_col > 0) {
        *rows = size.ws_row;
        *columns = size.ws_col;
    }
}

static void append(struct screen *screen, const char *bytes, size_t size)
{
    memcpy(screen->frame + screen->frame_size, bytes, size);
    screen->frame_size += size;
}

/* Returns whether it differs from what is shown. */
static bool
keep_frame_locked(struct screen *screen, const struct canvas *canvas)
{
    size_t need = canvas->used + sizeof(begin) + sizeof(end);
    bool is_full = canvas_rows_left(canvas) == 0;
    char *grown;

    if (screen->frame_size > 0 && !atomic_load(&stale) &&
        screen->frame_size == canvas->used + sizeof(begin) - 1 +
                                  strlen(is_full ? end_full : end) &&
        memcmp(screen->frame + sizeof(begin) - 1, canvas->bytes,
               canvas->used) == 0)
        return false;
    if (need > screen->frame_room) {
        grown = realloc(screen->frame, need);
        if (!grown)
            return false;
        screen->frame = grown;
        screen->frame_room = need;
    }
    screen->frame_size = 0;
    append(screen, begin, sizeof(begin) - 1);
    append(screen, canvas->bytes, canvas->used);
    append(screen, is_full ? end_full : end, strlen(is_full ? end_full : end));
    return true;
}

void screen_show(struct screen *screen, const struct canvas *canvas)
{
    pthread_mutex_lock(&screen->lock);
    if (!screen->has_left && !is_in_background(screen) &&
        (keep_frame_locked(screen, canvas) || atomic_load(&shown_on) < 0))
        draw_locked(screen);
    pthread_mutex_unlock(&screen->lock);
}

static void draw_locked(struct screen *screen)
{
    bool was_stale;

    if (screen->frame_size == 0)
        return;
    was_stale = atomic_exchange(&stale, false);
    /* The number first: a signal in between only gives back too much. */
    if (atomic_exchange(&shown_on, screen->fd) < 0 || was_stale)
        write_all(screen->fd, enter, sizeof(enter) - 1);
    write_all(screen->fd, screen->frame, screen->frame_size);
}

/* The picture is wiped out first: a terminal that was resized meanwhile may mix
 * the two screens (tmux does). */
static void give_back_locked(struct screen *screen)
{
    if (atomic_exchange(&shown_on, -1) < 0)
        return;
    write_all(screen->fd, wipe, sizeof(wipe) - 1);
    write_all(screen->fd, leave, sizeof(leave) - 1);
}

/* A terminal that has no foreground, as it is not ours, is nobody's. */
static bool is_in_background(const struct screen *screen)
{
    pid_t group = tcgetpgrp(screen->fd);

    return group > 0 && group != getpgrp();
}

void screen_leave(struct screen *screen, const struct canvas *last)
{
    pthread_mutex_lock(&screen->lock);
    screen->has_left = true;
    give_back_locked(screen);
    if (last)
        write_all(screen->fd, last->bytes, last->used);
    pthread_mutex_unlock(&screen->lock);
}

/* -------------------------------------------------------- others' printing */

void screen_lend(struct screen *screen)
{
    pthread_mutex_lock(&screen->lock);
    screen->had_picture = atomic_exchange(&shown_on, -1) >= 0;
    if (screen->had_picture)
        write_all(screen->fd, step_aside, sizeof(step_aside) - 1);
}

void screen_take_back(struct screen *screen)
{
    if (screen->had_picture)
        draw_locked(screen);
    pthread_mutex_unlock(&screen->lock);
}

/* ----------------------------------------------------------------- signals */

static void end_by(int number)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    int fd = atomic_exchange(&shown_on, -1);
    ssize_t written = 0;

    if (fd >= 0)
        written = write(fd, leave, sizeof(leave) - 1);
    (void)written;
    sigaction(number, &usual, NULL);
    raise(number); /* taken when this returns */
}

static void note_stop(int number)
{
    (void)number;
    atomic_store(&stop_noted, true);
}

static void note_continue(int number)
{
    (void)number;
    atomic_store(&stale, true);
}

/* What was ignored stays so. */
static void
intercept(int number, void (*handler)(int), struct sigaction *before)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    if (sigaction(number, NULL, before) == 0 && before->sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

static void handle_signals(void)
{
    for (size_t i = 0; i < DEADLY; i++)
        intercept(deadly[i], end_by, &before_deadly[i]);
    intercept(SIGTSTP, note_stop, &before_stop);
    intercept(SIGCONT, note_continue, &before_continue);
}

static void stop_handling(void)
{
    for (size_t i = 0; i < DEADLY; i++)
        sigaction(deadly[i], &before_deadly[i], NULL);
    sigaction(SIGTSTP, &before_stop, NULL);
    sigaction(SIGCONT, &before_continue, NULL);
}

/* By this thread, so that it happens before the call returns; it stops all. */
static void stop_process(void)
{
    struct sigaction usual = {.sa_handler = SIG_DFL}, ours;
    sigset_t stop;

    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    sigaction(SIGTSTP, &usual, &ours);
    pthread_kill(pthread_self(), SIGTSTP);
    pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    sigaction(SIGTSTP, &ours, NULL);
}

void screen_mind_signals(struct screen *screen)
{
    if (!atomic_exchange(&stop_noted, false))
        return;
    pthread_mutex_lock(&screen->lock);
    give_back_locked(screen);
    stop_process();
    pthread_mutex_unlock(&screen->lock);
}

/* ---------------------------------------------------------------- helpers */

static void write_all(int fd, const char *bytes, size_t size)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};

    while (size > 0) {
        ssize_t written = write(fd, bytes, size);

        if (written > 0) {
            bytes += written;
            size -= (size_t)written;
        } else if (written < 0 && errno != EINTR &&
                   (errno != EAGAIN || poll(&room, 1, STALL_MS) == 0)) {
            atomic_store(&stale, true);
            return;
        }
    }
}
