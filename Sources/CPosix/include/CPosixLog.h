// What the thread that writes access logs asks of the system.
#pragma once
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/// What is written to, as far as it matters how.
enum {
    CPOSIX_SINK_FILE = 1,
    CPOSIX_SINK_PIPE = 2,
    /// A terminal, or another device.
    CPOSIX_SINK_DEVICE = 3,
    CPOSIX_SINK_SOCKET = 4,
    CPOSIX_SOCK_DGRAM = SOCK_DGRAM,
};

/// Opens a log to append to, and makes it if there is none, for its owner to write and its group to read; -errno. A named pipe is opened
/// for both, so that it is no matter whether somebody reads. It never waits.
int cposix_open_log(const char *path);
/// What an open descriptor is (CPOSIX_SINK_…), its size, when it was last written (seconds since 1970), and which file it is; or -errno.
int cposix_describe_log(int fd, int64_t *size, int64_t *modified, uint64_t *device, uint64_t *inode);
/// The same of the file that has a name.
int cposix_describe_log_at(const char *path, int64_t *size, int64_t *modified, uint64_t *device, uint64_t *inode);
/// Renames a file; -EEXIST if the other name is taken.
int cposix_rename_new(const char *from, const char *to);
/// Calls `body` with each name in a directory; 0 or -errno.
int cposix_each_name(const char *directory, void (*body)(void *context, const char *name), void *context);
/// Waits for at most `nanoseconds` (negative: for ever) until `first` is readable (bit 0 of the result), or there is room in `second`, or
/// something wrong with it (bit 1). `second` may be -1.
int cposix_wait_for_room(int first, int second, int64_t nanoseconds);
/// Waits for at most `nanoseconds` (negative: for ever) until `first` is readable (bit 0 of the result), or one of `events` has come to
/// `second`, or something is wrong with it (bit 1). `second` may be -1.
int cposix_wait_for_either(int first, int second, short events, int64_t nanoseconds);
/// The name of this machine, for logs that several send to one place.
int cposix_host_name(char *to, size_t size);
/// CLOCK_REALTIME in seconds since 1970.
int64_t cposix_realtime_seconds(void);
