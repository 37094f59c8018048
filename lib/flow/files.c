/* SPDX-License-Identifier: MIT */
/*
 * files.c - the regular files below a directory.
 *
 * A walk keeps one open directory per level and one path, which grows and
 * shrinks with them.  A directory that cannot be opened or read is noted (the
 * first one) and passed over, so that one bad corner does not hide the rest;
 * the note is what the walk ends with.
 */
#include "flow/producers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/error.h"
#include "base/fault.h"

struct level {
    DIR *directory;
    size_t path_length; /* of the directory, in walk->path */
};

struct walk {
    struct level *levels;
    size_t depth, level_room;
    char *path;
    size_t path_room;
    bool is_file; /* the root itself is what is to be handed out */
    int first_error;
    char first_failed[160]; /* its path, cut */
    struct weir__flag interrupted;
};

/* ------------------------------------------------------------ the path */

/* Makes an array of `*room` things at least `least` long. */
static bool grow_array(void **array, size_t *room, size_t least, size_t bytes)
{
    size_t wanted = 2 * least;
    void *longer;

    if (*array && least <= *room)
        return true;
    longer = weir__allocate_many(wanted, bytes);
    if (!longer)
        return false;
    if (*array)
        memcpy(longer, *array, *room * bytes);
    weir__release(*array);
    *array = longer;
    *room = wanted;
    return true;
}

/* DIRECTORY/NAME into the path. */
static bool set_path(struct walk *walk, size_t length, const char *name)
{
    size_t name_length = strlen(name);
    bool slash = length > 0 && walk->path[length - 1] != '/';
    void *path = walk->path;

    if (!grow_array(&path, &walk->path_room, length + name_length + 2, 1))
        return false;
    walk->path = path;
    if (slash)
        walk->path[length++] = '/';
    memcpy(walk->path + length, name, name_length + 1);
    return true;
}

static void note_error(struct walk *walk, int error)
{
    size_t length;

    if (walk->first_error || !walk->path)
        return;
    length = strlen(walk->path);
    walk->first_error = error;
    if (length >= sizeof(walk->first_failed))
        length = sizeof(walk->first_failed) - 1;
    memcpy(walk->first_failed, walk->path, length);
    walk->first_failed[length] = '\0';
}

/* ------------------------------------------------------------- the levels */

/* Goes into the directory that the path names, `name` in the one above. */
static weir_status
descend(struct walk *walk, int parent_fd, const char *name, int follow)
{
    int fd =
        openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    void *levels = walk->levels;

    if (!directory) {
        note_error(walk, errno);
        if (fd >= 0)
            close(fd);
        return WEIR_OK;
    }
    if (!grow_array(&levels, &walk->level_room, walk->depth + 1,
                    sizeof(*walk->levels))) {
        closedir(directory);
        return WEIR_ENOMEM;
    }
    walk->levels = levels;
    walk->levels[walk->depth++] = (struct level){directory, strlen(walk->path)};
    return WEIR_OK;
}

static void ascend(struct walk *walk)
{
    closedir(walk->levels[--walk->depth].directory);
}

/* DT_REG, DT_DIR or something else. */
static unsigned char
type_of(struct walk *walk, int fd, const struct dirent *found)
{
    struct stat about;

    if (found->d_type != DT_UNKNOWN)
        return found->d_type;
    if (fstatat(fd, found->d_name, &about, AT_SYMLINK_NOFOLLOW)) {
        note_error(walk, errno);
        return DT_UNKNOWN;
    }
    return S_ISREG(about.st_mode)   ? DT_REG
           : S_ISDIR(about.st_mode) ? DT_DIR
                                    : DT_UNKNOWN;
}

/* One step of the walk; *file: the path names a regular file. */
static weir_status step(struct walk *walk, bool *file)
{
    struct level *level = &walk->levels[walk->depth - 1];
    int fd = dirfd(level->directory);
    struct dirent *found;

    errno = 0;
    found = readdir(level->directory);
    if (!found) {
        walk->path[level->path_length] = '\0';
        if (errno)
            note_error(walk, errno);
        ascend(walk);
        return WEIR_OK;
    }
    if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
        return WEIR_OK;
    if (!set_path(walk, level->path_length, found->d_name))
        return WEIR_ENOMEM;
    switch (type_of(walk, fd, found)) {
    case DT_REG:
        *file = true;
        return WEIR_OK;
    case DT_DIR:
        return descend(walk, fd, found->d_name, O_NOFOLLOW);
    default:
        return WEIR_OK;
    }
}

/* ------------------------------------------------------------ the producer */

static weir_status hand_out_path(struct walk *walk, void *item)
{
    size_t bytes = strlen(walk->path) + 1;
    char *path = weir__allocate(bytes);

    if (!path)
        return WEIR_ENOMEM;
    memcpy(path, walk->path, bytes);
    memcpy(item, &path, sizeof(path));
    return WEIR_OK;
}

static weir_status end_of_walk(const struct walk *walk)
{
    if (!walk->first_error)
        return WEIR_END;
    errno = walk->first_error;
    return weir__refuse(WEIR_ESYSTEM, "%s could not be read: %s",
                        walk->first_failed, strerror(walk->first_error));
}

static weir_status next_file(void *self, void *item)
{
    struct walk *walk = self;
    weir_status status = WEIR_OK;
    bool file = walk->is_file;

    walk->is_file = false;
    while (!status && !file) {
        if (weir__flag_read(&walk->interrupted))
            return WEIR_CANCELLED;
        if (walk->depth == 0)
            return end_of_walk(walk);
        status = step(walk, &file);
    }
    if (!status)
        status = hand_out_path(walk, item);
    if (status == WEIR_ENOMEM)
        weir__refuse(status, "no memory to walk %s", walk->path);
    return status;
}

static void interrupt_walk(void *self)
{
    struct walk *walk = self;

    weir__flag_write(&walk->interrupted, true);
}

static void release_path(void *self, void *item)
{
    char *path;

    (void)self;
    memcpy(&path, item, sizeof(path));
    weir__release(path);
}

static void close_walk(void *self)
{
    struct walk *walk = self;

    while (walk->depth > 0)
        ascend(walk);
    weir__release(walk->levels);
    weir__release(walk->path);
    weir__release(walk);
}

static weir_status begin_walk(struct walk *walk, const char *root)
{
    struct stat about;
    weir_status status;

    if (!set_path(walk, 0, root))
        return WEIR_ENOMEM;
    if (stat(root, &about))
        return weir__refuse(WEIR_ESYSTEM, "%s: %s", root, strerror(errno));
    if (S_ISREG(about.st_mode)) {
        walk->is_file = true;
        return WEIR_OK;
    }
    if (!S_ISDIR(about.st_mode))
        return weir__refuse(WEIR_EINVAL, "%s is neither a directory nor a file",
                            root);
    status = descend(walk, AT_FDCWD, root, 0);
    if (!status && walk->first_error) {
        status = end_of_walk(walk);
    }
    return status;
}

weir_status weir_producer_files(weir_producer *out, const char *root)
{
    weir_status status = weir__producer_check(out, sizeof(char *));
    struct walk *walk;

    if (status)
        return status;
    if (!root || !*root) {
        weir__refuse(WEIR_EINVAL, "root is %s",
                     root ? "empty: use \".\"" : "NULL");
        return WEIR_EINVAL;
    }
    walk = weir__producer_allocate(sizeof(*walk));
    if (!walk)
        return WEIR_ENOMEM;
    status = begin_walk(walk, root);
    if (status == WEIR_ENOMEM)
        weir__refuse(status, "no memory to walk %s", root);
    if (status) {
        close_walk(walk);
        return status;
    }
    *out = (weir_producer){.size = sizeof(*out),
                           .item_size = sizeof(char *),
                           .next = next_file,
                           .interrupt = interrupt_walk,
                           .release = release_path,
                           .close = close_walk,
                           .self = walk,
                           .has_pointers = true};
    return WEIR_OK;
}
