/* SPDX-License-Identifier: MIT */
/* main.c - the first word of the command line. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weir/version.h>

#include "options.h"
#include "run.h"
#include "text.h"

static unsigned fill_descriptors(void);
static int dispatch(int argc, char **argv, bool input_closed);
static int print(const char *first, const char *second);
static int finish(int status);

int main(int argc, char **argv)
{
    unsigned closed = fill_descriptors();

    if (closed & 1u << STDOUT_FILENO) {
        fputs("weir: standard output is closed; >/dev/null drops what is "
              "printed\n",
              stderr);
        return EXIT_USAGE;
    }
    if ((fcntl(STDOUT_FILENO, F_GETFL) & O_ACCMODE) == O_RDONLY) {
        fputs("weir: standard output is not open for writing; >/dev/null "
              "drops what is printed\n",
              stderr);
        return EXIT_USAGE;
    }
    return finish(dispatch(argc, argv, closed & 1u << STDIN_FILENO));
}

/* Opens what is closed of 0, 1 and 2, so that no pipe or file of ours lands
 * there and is taken for what it is not.  Returns a bit for each. */
static unsigned fill_descriptors(void)
{
    unsigned closed = 0;

    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        /* The lowest free number is this one. */
        if (open("/dev/null", O_RDWR) == fd)
            closed |= 1u << fd;
    }
    return closed;
}

static int dispatch(int argc, char **argv, bool input_closed)
{
    const char *word = argc > 1 ? argv[1] : "";
    char shown[80];

    if (strcmp(word, "run") == 0)
        return run_command_line(argc - 1, argv + 1, input_closed);
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 ||
        strcmp(word, "-h") == 0)
        return print(options_help, "\nweir help prints this, weir --version "
                                   "the version.\n");
    if (strcmp(word, "--version") == 0) {
        print("weir ", weir_version());
        return print("\n", "");
    }
    if (argc < 2) {
        fputs("weir: nothing to do; write weir run [options] -- COMMAND, or "
              "weir help\n",
              stderr);
        return EXIT_USAGE;
    }
    text_escape(shown, sizeof(shown), word, strlen(word));
    fprintf(stderr, "weir: '%s': not a command; write weir run or weir help\n",
            shown);
    return EXIT_USAGE;
}

static int print(const char *first, const char *second)
{
    fputs(first, stdout);
    fputs(second, stdout);
    return EXIT_ALL_DONE;
}

/* Some file systems tell only at the close that what was written is lost. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && close(STDOUT_FILENO) == 0)
        return status;
    fprintf(stderr, "weir: standard output: %s\n", strerror(errno));
    return status == EXIT_ALL_DONE ? EXIT_NOT_ALL : status;
}
