// For the flight recorder: what is written when the process crashes, where a thread is, and how functions are called.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Of a dump file: the numbers that both sides write. Everything is in the machine's own order of bytes.
enum {
    CPOSIX_FLIGHT_VERSION = 1,
    CPOSIX_FLIGHT_HEADER = 64,
    CPOSIX_FLIGHT_NAMES = 1, CPOSIX_FLIGHT_RING = 2, CPOSIX_FLIGHT_FRAMES = 3, CPOSIX_FLIGHT_TEXT = 4,
    CPOSIX_FLIGHT_CRASH = 4,
    CPOSIX_FLIGHT_FRAME_LIMIT = 64,
};

/// Makes a thread known whose stack may be looked at, and gives it a stack for signals, if it has none: one that has run out of stack
/// can tell of it. Its number for the kernel.
pid_t cposix_flight_enter_thread(void);
/// Before such a thread ends.
void cposix_flight_leave_thread(void);

/// From now on a crash (SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE) leaves a dump at `path`, and then takes its course as it would
/// have before. 0 or -errno.
int cposix_flight_arm(const char *path);
/// Rings that are added from here on are this owner's, and those before go.
void cposix_flight_own(uint64_t owner);
/// No dump is left any more, if it would be this owner's.
void cposix_flight_disarm(uint64_t owner);
/// A ring that belongs into it: a count in a word, the snapshot's number in the next,
/// and from `header` bytes on `capacity` events of 32 bytes each. 0, or -ENOSPC.
int cposix_flight_add_ring(uint32_t number, const void *memory, size_t header, uint64_t capacity);
/// The names that belong into it; they are copied. 0, or -ENOMEM.
int cposix_flight_set_names(const void *bytes, size_t size);

/// Where a thread of this process that has made itself known is: the addresses of its frames, the innermost first. Their count, or -errno;
/// -ETIMEDOUT: it takes no signal, as it is deep in the kernel, or gets no CPU. What it waits in goes on.
int cposix_flight_sample(pid_t thread, uint64_t *frames, int capacity, int64_t patience);
/// What a thread does, as the kernel sees it: R, S, D…; 0 if it has ended.
char cposix_thread_state(pid_t thread);
/// Nanoseconds that a thread of this process has had of CPUs; negative if that cannot be told.
int64_t cposix_thread_cpu_nanoseconds(pid_t thread);

/// The function that an address is in, as linkers know it, and the file; both end with a zero byte and are empty if unknown. Reads that
/// file: not for workers.
///
/// - offset: of the address, in the file's address space.
void cposix_symbol(uint64_t address, char *name, size_t name_size, char *file, size_t file_size, uint64_t *offset);
/// Where the program is in memory, and how many bytes of it are code: what tells two builds apart.
void cposix_program_range(uint64_t *base, uint64_t *size);

/// Makes a file with `size` bytes, which has its name once they are there. 0 or -errno.
int cposix_write_new_file(const char *directory, const char *name, const void *bytes, size_t size);
/// Deletes, of the files whose names begin and end so, the oldest until `keep` are left. How many were deleted, or -errno.
int cposix_delete_oldest(const char *directory, const char *prefix, const char *suffix, int keep);
/// Whether files may be made there: 0 or -errno.
int cposix_can_write_into(const char *directory);
