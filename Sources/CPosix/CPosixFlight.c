#define _GNU_SOURCE
#include "CPosix.h"

#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <ucontext.h>

// MARK: - Stacks

// Of a thread that is known: what may be read of its stack. A handler reads it, so it is no pthread_getspecific.
static __thread uintptr_t stack_end;
static __thread void *signal_stack;
enum { signal_stack_size = 64 << 10 };

// By what a thread is asked where it is.
static int sample_signal(void) { return SIGRTMIN + 5; }

pid_t cposix_flight_enter_thread(void) {
    // Whoever started it may have blocked all signals, as the threads of a dispatch queue do.
    sigset_t asked;
    sigemptyset(&asked);
    sigaddset(&asked, sample_signal());
    pthread_sigmask(SIG_UNBLOCK, &asked, NULL);
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        void *start;
        size_t size;
        if (pthread_attr_getstack(&attributes, &start, &size) == 0) stack_end = (uintptr_t)start + size;
        pthread_attr_destroy(&attributes);
    }
    stack_t present;
    if (sigaltstack(NULL, &present) == 0 && present.ss_flags & SS_DISABLE) {
        void *memory = cposix_map(signal_stack_size);
        if (memory) {
            stack_t stack = {.ss_sp = memory, .ss_size = signal_stack_size};
            if (sigaltstack(&stack, NULL) == 0) signal_stack = memory;
            else cposix_unmap(memory, signal_stack_size);
        }
    }
    return (pid_t)syscall(SYS_gettid);
}

void cposix_flight_leave_thread(void) {
    stack_end = 0;
    if (!signal_stack) return;
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    cposix_unmap(signal_stack, signal_stack_size);
    signal_stack = NULL;
}

extern const char __executable_start[] __attribute__((weak));
extern const char etext[] __attribute__((weak));

static bool is_program(uintptr_t address) {
    return address >= (uintptr_t)__executable_start && address < (uintptr_t)etext;
}

// Follows frame pointers. Code without them (libc, libpcre2) breaks the chain: the first two words on the stack that look like one of the
// program's frames, and lead to another one, mend it.
static int walk(const ucontext_t *context, uint64_t *frames, int capacity) {
#if defined(__x86_64__)
    uintptr_t pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    uintptr_t fp = (uintptr_t)context->uc_mcontext.gregs[REG_RBP];
    uintptr_t sp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    uintptr_t pc = context->uc_mcontext.pc, fp = context->uc_mcontext.regs[29], sp = context->uc_mcontext.sp;
#else
    uintptr_t pc = 0, fp = 0, sp = 0;
#endif
    int count = 0;
    if (capacity > 0) frames[count++] = pc;
    uintptr_t end = stack_end;
    if (sp == 0 || sp >= end || sp & 7) return count;
    bool is_frame = fp >= sp && fp + 16 <= end && (fp & 7) == 0;
    if (!is_frame || !is_program(pc)) {
        uintptr_t limit = end - sp > 256 << 10 ? sp + (256 << 10) : end;
        bool found = false;
        for (uintptr_t at = sp; at + 16 <= limit; at += 8) {
            uintptr_t next = ((const uintptr_t *)at)[0], to = ((const uintptr_t *)at)[1];
            if (next > at && next + 16 <= end && (next & 7) == 0 && is_program(to)
                && is_program(((const uintptr_t *)next)[1])) {
                fp = at;
                found = true;
                break;
            }
        }
        if (!found) return count;
    }
    while (count < capacity && fp >= sp && fp + 16 <= end && (fp & 7) == 0) {
        uintptr_t next = ((const uintptr_t *)fp)[0], to = ((const uintptr_t *)fp)[1];
        if (to == 0) break;
        // Of the call, and not of what comes after it.
        frames[count++] = to - 1;
        if (next <= fp) break;
        fp = next;
    }
    return count;
}

// MARK: - Where a thread is

static pthread_mutex_t sampling = PTHREAD_MUTEX_INITIALIZER;
static struct {
    // Whom it is asked of; 0: nobody, who is late is to write nothing.
    _Atomic pid_t thread;
    _Atomic int count;
    uint64_t frames[CPOSIX_FLIGHT_FRAME_LIMIT];
} sample;

static void take_sample(int number, siginfo_t *info, void *context) {
    (void)number, (void)info;
    int error = errno;
    pid_t self = (pid_t)syscall(SYS_gettid);
    if (atomic_compare_exchange_strong(&sample.thread, &self, 0)) {
        int count = walk(context, sample.frames, CPOSIX_FLIGHT_FRAME_LIMIT);
        atomic_store_explicit(&sample.count, count, memory_order_release);
    }
    errno = error;
}

int cposix_flight_sample(pid_t thread, uint64_t *frames, int capacity, int64_t patience) {
    pthread_mutex_lock(&sampling);
    int number = sample_signal();
    static bool is_installed;
    if (!is_installed) {
        // SA_RESTART: what a worker waits in goes on; epoll_wait and io_uring_enter do not, and drivers know that.
        struct sigaction action = {.sa_sigaction = take_sample, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
        sigemptyset(&action.sa_mask);
        sigaction(number, &action, NULL);
        is_installed = true;
    }
    atomic_store(&sample.count, 0);
    atomic_store(&sample.thread, thread);
    int result = 0;
    if (syscall(SYS_tgkill, getpid(), thread, number) < 0) result = -errno;
    int64_t end = cposix_monotonic_nanoseconds() + patience;
    while (result == 0) {
        result = atomic_load_explicit(&sample.count, memory_order_acquire);
        if (result > 0) break;
        pid_t expected = thread;
        // Whoever takes the question back knows that nobody answers it any more.
        if (cposix_monotonic_nanoseconds() > end && atomic_compare_exchange_strong(&sample.thread, &expected, 0)) {
            result = -ETIMEDOUT;
            break;
        }
        struct timespec pause = {.tv_nsec = 50000};
        nanosleep(&pause, NULL);
    }
    atomic_store(&sample.thread, 0);
    for (int i = 0; i < result && i < capacity; i++) frames[i] = sample.frames[i];
    pthread_mutex_unlock(&sampling);
    return result > capacity ? capacity : result;
}

char cposix_thread_state(pid_t thread) {
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0) return 0;
    text[size] = 0;
    // Behind its name, in which anything may stand.
    const char *end = strrchr(text, ')');
    return end && end[1] == ' ' ? end[2] : 0;
}

int64_t cposix_thread_cpu_nanoseconds(pid_t thread) {
    // As pthread_getcpuclockid(3) makes it, for which one would have to have the thread's handle.
    clockid_t clock = (clockid_t)((~(unsigned)thread << 3) | 6);
    struct timespec time;
    if (clock_gettime(clock, &time) < 0) return -1;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// MARK: - Crashes

enum { ring_limit = 1040 };
static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE};
enum { crash_signal_count = sizeof crash_signals / sizeof *crash_signals };

struct names {
    size_t size;
    char bytes[];
};
static struct {
    char path[4096];
    struct sigaction before[65];
    struct {
        const char *memory;
        size_t header;
        uint64_t capacity;
        uint32_t number;
    } rings[ring_limit];
    _Atomic int ring_count;
    _Atomic uint64_t owner;
    _Atomic bool is_armed;
    bool is_installed;
    struct names *_Atomic names;
    // The last but one: a handler may still read it.
    struct names *old_names;
    _Atomic pid_t writer;
    _Atomic bool is_written;
} crash;

static void write_all(int fd, const void *bytes, size_t size) {
    while (size > 0) {
        ssize_t result = write(fd, bytes, size);
        if (result < 0 && errno == EINTR) continue;
        if (result <= 0) return;
        bytes = (const char *)bytes + result;
        size -= (size_t)result;
    }
}

static void write_section(int fd, uint32_t tag, uint32_t number, uint64_t size) {
    struct { uint32_t tag, number; uint64_t size; } section = {tag, number, size};
    write_all(fd, &section, sizeof section);
}

static void write_ring(int fd, const char *memory, size_t header, uint64_t capacity, uint32_t number) {
    // This may be its own writer, or another one who goes on: events that are written meanwhile are the newest, and stand where the
    // oldest were. These are left out.
    uint64_t count = atomic_load((const _Atomic uint64_t *)memory);
    uint64_t available = count < capacity ? count : capacity > 64 ? capacity - 64 : 0;
    uint64_t first = count - available;
    uint64_t snapshot = atomic_load((const _Atomic uint64_t *)memory + 1), head[2] = {first, snapshot};
    write_section(fd, CPOSIX_FLIGHT_RING, number, sizeof head + available * 32);
    write_all(fd, head, sizeof head);
    uint64_t start = first & (capacity - 1);
    uint64_t part = capacity - start < available ? capacity - start : available;
    write_all(fd, memory + header + start * 32, part * 32);
    write_all(fd, memory + header, (available - part) * 32);
}

static void write_crash(int number, const ucontext_t *context) {
    int fd = open(crash.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct {
        char magic[8];
        uint32_t version, header, reason, process;
        int64_t monotonic, realtime;
        uint64_t subject, detail, reserved;
    } head = {
        {'U', 'P', 'F', 'L', 'I', 'G', 'H', 'T'}, CPOSIX_FLIGHT_VERSION, CPOSIX_FLIGHT_HEADER, CPOSIX_FLIGHT_CRASH, (uint32_t)getpid(),
        cposix_monotonic_nanoseconds(), (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, (uint64_t)number,
        (uint64_t)syscall(SYS_gettid), 0};
    _Static_assert(sizeof head == CPOSIX_FLIGHT_HEADER, "as the reader expects it");
    write_all(fd, &head, sizeof head);
    uint64_t frames[CPOSIX_FLIGHT_FRAME_LIMIT + 2];
    cposix_program_range(&frames[0], &frames[1]);
    uint64_t count = (uint64_t)walk(context, frames + 2, CPOSIX_FLIGHT_FRAME_LIMIT) + 2;
    write_section(fd, CPOSIX_FLIGHT_FRAMES, 0, count * 8);
    write_all(fd, frames, count * 8);
    struct names *names = atomic_load(&crash.names);
    if (names) {
        write_section(fd, CPOSIX_FLIGHT_NAMES, 0, names->size);
        write_all(fd, names->bytes, (names->size + 7) & ~(size_t)7);
    }
    int rings = atomic_load(&crash.ring_count);
    for (int i = 0; i < rings; i++)
        write_ring(
            fd, crash.rings[i].memory, crash.rings[i].header, crash.rings[i].capacity, crash.rings[i].number);
    close(fd);
}

static void note_crash(int number, siginfo_t *info, void *context) {
    pid_t self = (pid_t)syscall(SYS_gettid), nobody = 0;
    if (atomic_load(&crash.is_armed)) {
        if (atomic_compare_exchange_strong(&crash.writer, &nobody, self)) {
            write_crash(number, context);
            atomic_store(&crash.is_written, true);
        } else if (nobody != self) {
            // Another thread crashes as well: this one is not to end the process before what happened stands in the file.
            struct timespec pause = {.tv_nsec = 10000000};
            for (int i = 0; i < 500 && !atomic_load(&crash.is_written); i++) nanosleep(&pause, NULL);
        }
    }
    // What would have happened without us: Swift's own backtraces among it (SWIFT_BACKTRACE). A fault happens again by itself, with all
    // that the kernel tells of it; what was sent, and a trap that has been passed, is sent again.
    sigaction(number, &crash.before[number], NULL);
    bool comes_again = info->si_code > 0 && number != SIGTRAP && number != SIGABRT;
    if (!comes_again) syscall(SYS_tgkill, getpid(), self, number);
}

int cposix_flight_arm(const char *path) {
    size_t length = strlen(path);
    if (length >= sizeof crash.path) return -ENAMETOOLONG;
    atomic_store(&crash.is_armed, false);
    memcpy(crash.path, path, length + 1);
    atomic_store(&crash.is_armed, true);
    if (crash.is_installed) return 0;
    crash.is_installed = true;
    for (int i = 0; i < crash_signal_count; i++) {
        struct sigaction action = {.sa_sigaction = note_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        sigemptyset(&action.sa_mask);
        if (sigaction(crash_signals[i], &action, &crash.before[crash_signals[i]]) < 0) return -errno;
    }
    return 0;
}

void cposix_flight_own(uint64_t owner) {
    atomic_store(&crash.is_armed, false);
    atomic_store(&crash.ring_count, 0);
    atomic_store(&crash.owner, owner);
}

void cposix_flight_disarm(uint64_t owner) {
    if (atomic_load(&crash.owner) == owner) cposix_flight_own(0);
}

int cposix_flight_add_ring(uint32_t number, const void *memory, size_t header, uint64_t capacity) {
    int index = atomic_load(&crash.ring_count);
    if (index >= ring_limit) return -ENOSPC;
    crash.rings[index].memory = memory;
    crash.rings[index].header = header;
    crash.rings[index].capacity = capacity;
    crash.rings[index].number = number;
    atomic_store(&crash.ring_count, index + 1);
    return 0;
}

int cposix_flight_set_names(const void *bytes, size_t size) {
    struct names *new = calloc(1, sizeof *new + ((size + 7) & ~(size_t)7));
    if (!new) return -ENOMEM;
    new->size = size;
    memcpy(new->bytes, bytes, size);
    free(crash.old_names);
    crash.old_names = atomic_exchange(&crash.names, new);
    return 0;
}

// MARK: - Names of functions

void cposix_program_range(uint64_t *base, uint64_t *size) {
    *base = (uint64_t)(uintptr_t)__executable_start;
    *size = (uint64_t)((uintptr_t)etext - (uintptr_t)__executable_start);
}

// The function around an address in a file's own table of symbols, which knows more than what it shows to others.
static bool find_symbol(const char *path, uint64_t offset_in_image, char *name, size_t name_size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    struct stat status;
    bool found = false;
    if (fstat(fd, &status) == 0 && (size_t)status.st_size > sizeof(Elf64_Ehdr)) {
        size_t size = (size_t)status.st_size;
        const char *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (file != MAP_FAILED) {
            const Elf64_Ehdr *head = (const Elf64_Ehdr *)file;
            bool is_elf = memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 && head->e_ident[EI_CLASS] == ELFCLASS64
                && head->e_shentsize == sizeof(Elf64_Shdr) && head->e_phentsize == sizeof(Elf64_Phdr)
                && head->e_shoff < size && head->e_shnum <= (size - head->e_shoff) / sizeof(Elf64_Shdr)
                && head->e_phoff < size && head->e_phnum <= (size - head->e_phoff) / sizeof(Elf64_Phdr);
            uint64_t first = 0;
            if (is_elf) {
                const Elf64_Phdr *segments = (const Elf64_Phdr *)(file + head->e_phoff);
                for (int i = 0; i < head->e_phnum; i++)
                    if (segments[i].p_type == PT_LOAD) {
                        first = segments[i].p_vaddr & ~(uint64_t)4095;
                        break;
                    }
            }
            uint64_t address = offset_in_image + first;
            const Elf64_Shdr *sections = (const Elf64_Shdr *)(file + (is_elf ? head->e_shoff : 0));
            for (int i = 0; is_elf && !found && i < head->e_shnum; i++) {
                const Elf64_Shdr *table = &sections[i];
                if (table->sh_type != SHT_SYMTAB && table->sh_type != SHT_DYNSYM) continue;
                if (table->sh_link >= head->e_shnum || table->sh_offset > size || table->sh_size > size - table->sh_offset)
                    continue;
                const Elf64_Shdr *strings = &sections[table->sh_link];
                if (strings->sh_offset > size || strings->sh_size > size - strings->sh_offset) continue;
                const Elf64_Sym *symbols = (const Elf64_Sym *)(file + table->sh_offset);
                for (size_t n = 0; n < table->sh_size / sizeof *symbols; n++) {
                    if (ELF64_ST_TYPE(symbols[n].st_info) != STT_FUNC || symbols[n].st_name >= strings->sh_size)
                        continue;
                    if (address < symbols[n].st_value || address >= symbols[n].st_value + symbols[n].st_size) continue;
                    const char *text = file + strings->sh_offset + symbols[n].st_name;
                    snprintf(name, name_size, "%.*s", (int)(strings->sh_size - symbols[n].st_name), text);
                    found = true;
                    break;
                }
            }
            munmap((void *)file, size);
        }
    }
    close(fd);
    return found;
}

void cposix_symbol(uint64_t address, char *name, size_t name_size, char *file, size_t file_size, uint64_t *offset) {
    name[0] = file[0] = 0;
    *offset = address;
    Dl_info info;
    if (!dladdr((void *)(uintptr_t)address, &info) || !info.dli_fbase) return;
    *offset = address - (uint64_t)(uintptr_t)info.dli_fbase;
    bool is_ours = info.dli_fbase == (const void *)__executable_start;
    const char *path = is_ours ? "/proc/self/exe" : info.dli_fname;
    const char *slash = info.dli_fname ? strrchr(info.dli_fname, '/') : NULL;
    snprintf(file, file_size, "%s", slash ? slash + 1 : info.dli_fname ? info.dli_fname : "");
    if (path && find_symbol(path, *offset, name, name_size)) return;
    if (info.dli_sname) snprintf(name, name_size, "%s", info.dli_sname);
}

// MARK: - Files

int cposix_write_new_file(const char *directory, const char *name, const void *bytes, size_t size) {
    char path[4096], hidden[4096];
    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path
        || snprintf(hidden, sizeof hidden, "%s/.%s", directory, name) >= (int)sizeof hidden)
        return -ENAMETOOLONG;
    int fd = open(hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return -errno;
    int error = 0;
    while (size > 0 && !error) {
        ssize_t result = write(fd, bytes, size);
        if (result < 0) {
            if (errno != EINTR) error = errno;
            continue;
        }
        bytes = (const char *)bytes + result;
        size -= (size_t)result;
    }
    if (close(fd) < 0 && !error) error = errno;
    if (!error && rename(hidden, path) < 0) error = errno;
    if (error) unlink(hidden);
    return -error;
}

struct dated {
    int64_t time;
    char name[256];
};

static int compare_dates(const void *a, const void *b) {
    const struct dated *first = a, *second = b;
    if (first->time != second->time) return first->time < second->time ? -1 : 1;
    return strcmp(first->name, second->name);
}

int cposix_delete_oldest(const char *directory, const char *prefix, const char *suffix, int keep) {
    DIR *folder = opendir(directory);
    if (!folder) return -errno;
    struct dated *files = NULL;
    int count = 0, room = 0, deleted = 0;
    size_t prefix_size = strlen(prefix), suffix_size = strlen(suffix);
    for (struct dirent *entry; (entry = readdir(folder));) {
        size_t size = strlen(entry->d_name);
        if (size < prefix_size + suffix_size || size >= sizeof files->name) continue;
        if (strncmp(entry->d_name, prefix, prefix_size) || strcmp(entry->d_name + size - suffix_size, suffix)) continue;
        struct stat status;
        if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode)) continue;
        if (count == room) {
            room = room ? room * 2 : 64;
            struct dated *more = realloc(files, (size_t)room * sizeof *files);
            if (!more) break;
            files = more;
        }
        files[count].time = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
        memcpy(files[count++].name, entry->d_name, size + 1);
    }
    if (count > keep) {
        qsort(files, (size_t)count, sizeof *files, compare_dates);
        for (int i = 0; i < count - keep; i++)
            if (unlinkat(dirfd(folder), files[i].name, 0) == 0) deleted++;
    }
    free(files);
    closedir(folder);
    return deleted;
}

int cposix_can_write_into(const char *directory) {
    struct stat status;
    if (stat(directory, &status) < 0) return -errno;
    if (!S_ISDIR(status.st_mode)) return -ENOTDIR;
    return access(directory, W_OK | X_OK) < 0 ? -errno : 0;
}
