// Takes call stacks of a running process where the kernel lends nobody its own sampler (perf_event_open): a thread that runs at a
// tick is stopped (ptrace), its frame pointers are followed, and it goes on. What it does in the kernel shows as the system call
// that it came by.
//
//   sampler PID HERTZ SECONDS
//
// A line for each stack: the thread, its name, and addresses from the innermost on. Ends with the number of ticks.
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <sys/user.h>
typedef struct user_regs_struct registers_t;
#define INSTRUCTION(r) ((r).rip)
#define FRAME(r) ((r).rbp)
#define STACK(r) ((r).rsp)
#elif defined(__aarch64__)
#include <sys/user.h>
typedef struct user_regs_struct registers_t;
#define INSTRUCTION(r) ((r).pc)
#define FRAME(r) ((r).regs[29])
#define STACK(r) ((r).sp)
#else
#error "the frame pointer of this architecture is not known here"
#endif

enum { THREADS = 4096, DEPTH = 128, RANGES = 512, WORDS = 128 };
static pid_t attached[THREADS];
static int attached_count;
static pid_t process;

static struct { uint64_t start, end; } code[RANGES];
static int code_count;

static void read_map(void) {
    char path[64], line[4352], flags[5];
    snprintf(path, sizeof path, "/proc/%d/maps", process);
    FILE *file = fopen(path, "re");
    unsigned long long start, end;
    while (file && code_count < RANGES && fgets(line, sizeof line, file))
        if (sscanf(line, "%llx-%llx %4s", &start, &end, flags) == 3 && flags[2] == 'x') {
            code[code_count].start = start;
            code[code_count++].end = end;
        }
    if (file) fclose(file);
}

static int is_code(uint64_t address) {
    for (int i = 0; i < code_count; i++)
        if (address >= code[i].start && address < code[i].end) return 1;
    return 0;
}

static size_t read_words(uint64_t from, uint64_t *to, size_t count) {
    struct iovec here = {to, count * 8}, there = {(void *)from, count * 8};
    ssize_t got = process_vm_readv(process, &here, 1, &there, 1, 0);
    return got < 0 ? 0 : (size_t)got / 8;
}

/// Whether a frame is there: a link to one further out, or none, and where code returns to.
static int is_frame(uint64_t frame, uint64_t stack, uint64_t pair[2]) {
    return frame >= stack && frame - stack < 1 << 20 && frame % 8 == 0 && read_words(frame, pair, 2) == 2
        && (pair[0] == 0 || pair[0] > frame) && is_code(pair[1]);
}

/// The C library keeps no frame pointers, and some of its system calls use the register otherwise. They have saved it: the first
/// word on the stack that links frames is it, and what follows and is code is where they return to.
static uint64_t find_frame(uint64_t stack, uint64_t *caller) {
    uint64_t words[WORDS], pair[2];
    size_t count = read_words(stack, words, WORDS);
    for (size_t i = 0; i < count; i++) {
        if (words[i] <= stack || !is_frame(words[i], stack, pair)) continue;
        for (size_t next = i + 1; next < count && stack + next * 8 < words[i]; next++)
            if (is_code(words[next])) {
                *caller = words[next];
                break;
            }
        return words[i];
    }
    return 0;
}

static int is_attached(pid_t thread) {
    for (int i = 0; i < attached_count; i++)
        if (attached[i] == thread) return 1;
    return 0;
}

static void forget(pid_t thread) {
    for (int i = 0; i < attached_count; i++)
        if (attached[i] == thread) attached[i--] = attached[--attached_count];
}

/// Lets a thread go on that a stop was told of; 1 if that is the stop which was asked for.
static int pass(pid_t thread, int status) {
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
        forget(thread);
        return 0;
    }
    int signal = WSTOPSIG(status), event = status >> 16;
    if (event == PTRACE_EVENT_STOP) {
        if (signal == SIGTRAP) return 1;
        ptrace(PTRACE_LISTEN, thread, 0, 0);  // The process is stopped as a whole, and stays so until it is continued.
        return 0;
    }
    ptrace(PTRACE_CONT, thread, 0, event ? 0 : signal);
    return 0;
}

/// Signals that came to threads which go on: they wait for us.
static void pass_all(void) {
    int status;
    pid_t thread;
    while ((thread = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
        if (pass(thread, status)) ptrace(PTRACE_CONT, thread, 0, 0);
}

/// The state's letter, and the name.
static char state_of(pid_t thread, char *name, size_t size) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", process, thread);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    if (got <= 0) return 0;
    text[got] = 0;
    char *begin = strchr(text, '('), *end = strrchr(text, ')');
    if (!begin || !end || end[1] != ' ') return 0;
    *end = 0;
    snprintf(name, size, "%s", begin + 1);
    return end[2];
}

static void take(pid_t thread, const char *name) {
    if (!is_attached(thread)) {
        if (attached_count == THREADS || ptrace(PTRACE_SEIZE, thread, 0, 0) < 0) return;
        attached[attached_count++] = thread;
    }
    if (ptrace(PTRACE_INTERRUPT, thread, 0, 0) < 0) return;
    // Of all threads, until it is this one's turn: if the process ends, its first thread's end is told when all others' have been.
    for (;;) {
        int status;
        pid_t other = waitpid(-1, &status, __WALL);
        if (other < 0) return;
        if (other != thread) {
            if (pass(other, status)) ptrace(PTRACE_CONT, other, 0, 0);
            continue;
        }
        if (pass(thread, status)) break;
        if (!is_attached(thread) || status >> 16 == PTRACE_EVENT_STOP) return;
    }

    registers_t registers;
    struct iovec whole = {&registers, sizeof registers};
    if (ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &whole) == 0) {
        uint64_t frame = FRAME(registers), stack = STACK(registers), caller = 0, pair[2];
        printf("%d %s\t%llx", thread, name, (unsigned long long)INSTRUCTION(registers));
        if (!is_frame(frame, stack, pair)) frame = find_frame(stack, &caller);
        if (caller) printf(" %llx", (unsigned long long)caller);
        for (int depth = 1; depth < DEPTH && frame && is_frame(frame, stack, pair); depth++) {
            printf(" %llx", (unsigned long long)pair[1]);
            frame = pair[0];
        }
        putchar('\n');
    }
    ptrace(PTRACE_CONT, thread, 0, 0);
}

int main(int count, char **arguments) {
    if (count != 4) return 64;
    process = atoi(arguments[1]);
    long hertz = atol(arguments[2]);
    double seconds = atof(arguments[3]);
    if (process <= 0 || hertz <= 0 || hertz > 10000 || seconds <= 0) return 64;

    if (ptrace(PTRACE_SEIZE, process, 0, 0) < 0) {
        fprintf(stderr, "ptrace of process %d: %s\n", process, strerror(errno));
        return 1;
    }
    attached[attached_count++] = process;
    read_map();

    char path[64], name[64];
    snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *tasks = opendir(path);
    if (!tasks) return 1;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    long ticks = (long)(seconds * hertz), done = 0;
    for (; done < ticks && attached_count; done++) {
        next.tv_nsec += 1000000000 / hertz;
        if (next.tv_nsec >= 1000000000) next.tv_sec++, next.tv_nsec -= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        rewinddir(tasks);
        struct dirent *entry;
        while ((entry = readdir(tasks))) {
            pid_t thread = atoi(entry->d_name);
            if (thread <= 0 || state_of(thread, name, sizeof name) != 'R') continue;
            // The ring's threads in the kernel never come out of it, where they could be stopped.
            if (strncmp(name, "iou-", 4)) take(thread, name);
        }
        pass_all();
    }
    // Who is stopped to be left alone goes on; our end would do the same, but not pass signals.
    printf("ticks %ld\n", done);
    return fflush(stdout) ? 1 : 0;
}
