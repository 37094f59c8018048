/* SPDX-License-Identifier: MIT */
/* place.c - see place.h. */
#include "place.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_ROOM = 256, KNOWN = 512 };

extern const char __executable_start[];

/* "FILE:LINE" of the place, or "". */
static void ask(const void *place, char *into, int room)
{
    char command[LINE_ROOM], self[128];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    FILE *answer;

    into[0] = '\0';
    if (length <= 0)
        return;
    self[length] = '\0';
    /* The place is where a call returns to: the call is before it. */
    snprintf(command, sizeof(command), "addr2line -e '%s' %zx 2>/dev/null",
             self,
             (size_t)((uintptr_t)place - 1 - (uintptr_t)__executable_start));
    answer = popen(command, "r"); /* NOLINT: the command is ours */
    if (!answer)
        return;
    if (!fgets(into, room, answer))
        into[0] = '\0';
    pclose(answer);
    into[strcspn(into, " \n")] = '\0'; /* " (discriminator 1)" too */
}

/* The line itself, without what it is indented by. */
static void read_source(const char *file, unsigned long line, char *into)
{
    char text[LINE_ROOM] = "";
    FILE *source = fopen(file, "re");

    into[0] = '\0';
    if (!source)
        return;
    while (line > 0 && fgets(text, sizeof(text), source))
        line--;
    fclose(source);
    text[strcspn(text, "\n")] = '\0';
    if (line == 0)
        memmove(into, text + strspn(text, " \t"),
                strlen(text + strspn(text, " \t")) + 1);
}

static void find(const void *place, char *into, size_t room)
{
    char answer[LINE_ROOM], source[LINE_ROOM];
    const char *name;
    char *colon;

    ask(place, answer, sizeof(answer));
    colon = strrchr(answer, ':');
    if (!colon || answer[0] == '?') {
        snprintf(into, room, "%p", place);
        return;
    }
    *colon = '\0';
    read_source(answer, strtoul(colon + 1, NULL, 10), source);
    name = strrchr(answer, '/') ? strrchr(answer, '/') + 1 : answer;
    snprintf(into, room, "%s:%s: %s", name, colon + 1, source);
}

const char *place_text(const void *place)
{
    static struct {
        const void *place;
        char text[128];
    } known[KNOWN];
    size_t at = 0;

    while (known[at].place && known[at].place != place)
        at++;
    if (at == KNOWN - 1) /* the last one stays empty */
        return "somewhere";
    if (!known[at].place)
        find(place, known[at].text, sizeof(known[at].text));
    known[at].place = place;
    return known[at].text;
}
