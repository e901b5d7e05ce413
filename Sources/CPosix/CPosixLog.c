#define _GNU_SOURCE
#include "include/CPosix.h"

#include <dirent.h>

int cposix_open_log(const char *path) {
    struct stat status;
    int isPipe = stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
    int access = isPipe ? O_RDWR : O_WRONLY | O_CREAT | O_APPEND;
    return cposix_result(open(path, access | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640));
}

static int describe(const struct stat *status, int64_t *size, int64_t *modified, uint64_t *device, uint64_t *inode) {
    *size = status->st_size;
    *modified = status->st_mtim.tv_sec;
    *device = status->st_dev;
    *inode = status->st_ino;
    if (S_ISREG(status->st_mode)) return CPOSIX_SINK_FILE;
    if (S_ISFIFO(status->st_mode)) return CPOSIX_SINK_PIPE;
    return S_ISSOCK(status->st_mode) ? CPOSIX_SINK_SOCKET : CPOSIX_SINK_DEVICE;
}

int cposix_describe_log(int fd, int64_t *size, int64_t *modified, uint64_t *device, uint64_t *inode) {
    struct stat status;
    if (fstat(fd, &status) < 0) return -errno;
    return describe(&status, size, modified, device, inode);
}

int cposix_describe_log_at(const char *path, int64_t *size, int64_t *modified, uint64_t *device, uint64_t *inode) {
    struct stat status;
    if (stat(path, &status) < 0) return -errno;
    return describe(&status, size, modified, device, inode);
}

int cposix_rename_new(const char *from, const char *to) {
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -errno;
    // The file system does not know the flag.
    struct stat status;
    if (lstat(to, &status) == 0) return -EEXIST;
    return cposix_result(rename(from, to));
}

int cposix_each_name(const char *directory, void (*body)(void *context, const char *name), void *context) {
    DIR *stream = opendir(directory);
    if (!stream) return -errno;
    for (struct dirent *entry; (entry = readdir(stream));) body(context, entry->d_name);
    closedir(stream);
    return 0;
}

int cposix_wait_for_room(int first, int second, int64_t nanoseconds) {
    return cposix_wait_for_either(first, second, POLLOUT, nanoseconds);
}

int cposix_wait_for_either(int first, int second, short events, int64_t nanoseconds) {
    struct pollfd both[2] = {{.fd = first, .events = POLLIN}, {.fd = second, .events = events}};
    struct timespec timeout = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    if (ppoll(both, 2, nanoseconds < 0 ? NULL : &timeout, NULL) <= 0) return 0;
    return (both[0].revents != 0) | (both[1].revents != 0) << 1;
}

int cposix_host_name(char *to, size_t size) {
    if (gethostname(to, size) < 0) return -errno;
    to[size - 1] = 0;
    return 0;
}

int64_t cposix_realtime_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec;
}
