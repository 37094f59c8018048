/* SPDX-License-Identifier: MIT */
/*
 * helper.c - what a shell cannot do for the tests of the command line.
 *
 *   helper default CMD...            with INT, TERM, HUP as they usually are:
 *                                    a script's `&` ignores INT
 *   helper stubborn FILE             ignores TERM, has a child that does too,
 *                                    writes both numbers to FILE, waits for
 * ever helper both TAG N                N lines on each of standard output and
 *                                    standard error, in small pieces
 *   helper pty [TEXT KEYS]... -- CMD...
 *                                    on a terminal of its own: types KEYS when
 *                                    it has shown TEXT, then looks for the
 * next; shows what it shows
 */
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT = 99 };

static int with_defaults(char **argv);
static int stubborn(const char *file);
static int both(const char *tag, int count);
static int on_terminal(char **argv);
static void converse(int master, char **script);

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";

    if (strcmp(what, "default") == 0)
        return with_defaults(argv + 2);
    if (strcmp(what, "stubborn") == 0)
        return stubborn(argv[2]);
    if (strcmp(what, "both") == 0 && argc > 3)
        return both(argv[2], atoi(argv[3]));
    if (strcmp(what, "pty") == 0 && argc > 3)
        return on_terminal(argv + 2);
    fprintf(stderr, "helper: see helper.c\n");
    return CANNOT;
}

static int with_defaults(char **argv)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    execvp(argv[0], argv);
    perror(argv[0]);
    return CANNOT;
}

/* The file appears in one piece, by its rename. */
static int stubborn(const char *file)
{
    char name[4096];
    FILE *out;
    pid_t child;

    signal(SIGTERM, SIG_IGN);
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    snprintf(name, sizeof(name), "%s.new", file);
    out = fopen(name, "w");
    if (child < 0 || !out)
        return CANNOT;
    fprintf(out, "%d %d\n", (int)getpid(), (int)child);
    if (fclose(out) != 0 || rename(name, file) != 0)
        return CANNOT;
    printf("stubborn\n");
    fflush(stdout);
    for (;;)
        pause();
}

static int both(const char *tag, int count)
{
    setvbuf(stdout, NULL, _IOLBF, 64);
    setvbuf(stderr, NULL, _IOLBF, 64);
    for (int i = 0; i < count; i++) {
        printf("out %s %d\n", tag, i);
        fprintf(stderr, "err %s %d\n", tag, i);
    }
    return 0;
}

/* ------------------------------------------------------------- a terminal */

static int on_terminal(char **argv)
{
    char **command = argv;
    int master, status = 0;
    pid_t child;

    while (*command && strcmp(*command, "--") != 0)
        command++;
    if (!command[0] || !command[1])
        return CANNOT;
    child = forkpty(&master, NULL, NULL, NULL);
    if (child < 0) {
        perror("forkpty");
        return CANNOT;
    }
    if (child == 0)
        return with_defaults(command + 1);
    converse(master, argv);
    if (waitpid(child, &status, 0) != child)
        return CANNOT;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Until the terminal's last user has gone, when read fails. */
static void converse(int master, char **script)
{
    static char seen[1 << 20];
    char *from = seen;
    size_t length = 0;
    ssize_t got;

    while (length < sizeof(seen) - 1 &&
           (got = read(master, seen + length, sizeof(seen) - 1 - length)) > 0) {
        if (write(STDOUT_FILENO, seen + length, (size_t)got) != got)
            return;
        length += (size_t)got;
        seen[length] = '\0';
        if (strcmp(script[0], "--") == 0 || !strstr(from, script[0]))
            continue;
        from = seen + length;
        if (write(master, script[1], strlen(script[1])) < 0)
            return;
        script += 2;
    }
}
