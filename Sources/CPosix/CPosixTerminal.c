#define _GNU_SOURCE
#include "include/CPosix.h"

#include <sys/signalfd.h>
#include <termios.h>

static struct {
    volatile sig_atomic_t is_entered;
    int input, output;
    const char *end;
    struct termios before;
} terminal;

int cposix_open_terminal(void) {
    if (isatty(0)) return 0;
    return cposix_result(open("/dev/tty", O_RDWR | O_CLOEXEC));
}

void cposix_leave_terminal(void) {
    if (!terminal.is_entered) return;
    terminal.is_entered = 0;
    ssize_t ignored = write(terminal.output, terminal.end, strlen(terminal.end));
    (void)ignored;
    // TCSAFLUSH: what was typed and not read is no command for the shell.
    tcsetattr(terminal.input, TCSAFLUSH, &terminal.before);
}

static void failed(int number) {
    cposix_leave_terminal();
    // SA_RESETHAND: this time it ends the process.
    raise(number);
}

int cposix_enter_terminal(int input, int output, const char *begin, const char *end) {
    static int is_prepared;
    if (tcgetattr(input, &terminal.before) < 0) return -errno;
    terminal.input = input;
    terminal.output = output;
    terminal.end = end;
    if (!is_prepared) {
        is_prepared = 1;
        atexit(cposix_leave_terminal);
        struct sigaction action = {.sa_handler = failed, .sa_flags = SA_RESETHAND | SA_NODEFER};
        const int errors[] = {SIGABRT, SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGSYS};
        for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) sigaction(errors[i], &action, NULL);
    }
    struct termios raw = terminal.before;
    // Signals of keys stay: Ctrl-C and Ctrl-Z are for the whole pipeline.
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    terminal.is_entered = 1;
    if (tcsetattr(input, TCSAFLUSH, &raw) < 0) {
        terminal.is_entered = 0;
        return -errno;
    }
    return write(output, begin, strlen(begin)) < 0 ? -errno : 0;
}

int cposix_terminal_size(int fd, int *columns, int *rows) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -errno;
    if (size.ws_col == 0 || size.ws_row == 0) return -ENODATA;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return 0;
}

int cposix_open_terminal_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaddset(&set, numbers[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return cposix_result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int cposix_next_terminal_signal(int fd) {
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

int cposix_wait_for_terminal(int keys, int signals, int answer, int is_writing, int64_t nanoseconds) {
    struct pollfd all[3] = {
        {.fd = keys, .events = POLLIN},
        {.fd = signals, .events = POLLIN},
        {.fd = answer, .events = is_writing ? POLLOUT : POLLIN},
    };
    struct timespec timeout = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    if (ppoll(all, 3, nanoseconds < 0 ? NULL : &timeout, NULL) <= 0) return 0;
    int came = 0;
    if (all[0].revents) came |= CPOSIX_CAME_KEYS;
    if (all[1].revents) came |= CPOSIX_CAME_SIGNAL;
    if (all[2].revents) came |= CPOSIX_CAME_ANSWER;
    return came;
}
