/* SPDX-License-Identifier: MIT */
/*
 * replay.c - a fuzzer's main where there is no libFuzzer.
 *
 *     fuzz_NAME INPUTS FOLDER    replays each file of the folder, then so many
 *                                inputs of random bytes, the same each time
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

enum { MOST_BYTES = 4096, RANDOM_BYTES = 200 };

static uint8_t bytes[MOST_BYTES];

/* Returns how many files; the dot files of a folder are not inputs. */
static int replay_file(const char *folder, const char *name)
{
    char path[1024];
    FILE *file;
    size_t size;

    if (name[0] == '.')
        return 0;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, size);
    return 1;
}

static int replay_folder(const char *folder)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    int files = 0;

    if (!directory) {
        perror(folder);
        exit(EXIT_FAILURE);
    }
    while ((entry = readdir(directory)) != NULL)
        files += replay_file(folder, entry->d_name);
    closedir(directory);
    return files;
}

static void try_random_bytes(long inputs)
{
    uint64_t state = 1;

    for (long i = 0; i < inputs; i++) {
        for (size_t n = 0; n < RANDOM_BYTES; n++) {
            state = state * UINT64_C(6364136223846793005) +
                    UINT64_C(1442695040888963407);
            bytes[n] = (uint8_t)(state >> 33);
        }
        LLVMFuzzerTestOneInput(bytes, RANDOM_BYTES);
    }
}

int main(int argc, char **argv)
{
    long inputs;
    int files;

    if (argc != 3) {
        fprintf(stderr, "usage: %s INPUTS FOLDER\n", argv[0]);
        return 2;
    }
    inputs = strtol(argv[1], NULL, 10);
    files = replay_folder(argv[2]);
    try_random_bytes(inputs);
    printf("%d files and %ld random inputs replayed\n", files, inputs);
    return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
