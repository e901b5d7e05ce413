// A terminal that is taken over as a whole, and given back whatever happens.
#pragma once
#include <stdint.h>

/// What `cposix_wait_for_terminal` says has come.
enum { CPOSIX_CAME_KEYS = 1, CPOSIX_CAME_SIGNAL = 2, CPOSIX_CAME_ANSWER = 4 };

/// The terminal that keys come from: the standard input, or the one that the process belongs to; -errno if there is none.
int cposix_open_terminal(void);
/// Keys come one by one and unseen, and `begin` is written to `output`. Until `cposix_leave_terminal`, or the end of the process by exit(3)
/// or by an error of its own (SIGABRT, SIGILL, SIGSEGV…), at which the same is done. `begin` and `end` stay where they are. 0 or -errno.
int cposix_enter_terminal(int input, int output, const char *begin, const char *end);
/// All is as it was before, and `end` is written. It may be called twice, and by a handler of signals.
void cposix_leave_terminal(void);
/// Columns and rows of a terminal; 0, or -errno if they are not known.
int cposix_terminal_size(int fd, int *columns, int *rows);
/// Where SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT and SIGWINCH are read from now on; -errno.
int cposix_open_terminal_signals(void);
/// The next of them; 0: none has come.
int cposix_next_terminal_signal(int fd);
/// Waits for at most `nanoseconds` (negative: for ever) for keys, for a signal, and for `answer` (-1: none), to read it or to write.
int cposix_wait_for_terminal(int keys, int signals, int answer, int is_writing, int64_t nanoseconds);
