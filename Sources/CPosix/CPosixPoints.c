#include "include/CPosix.h"

// The note that <sys/sdt.h> would make, without that header's package: a `nop`, its address, and where each argument is at it
// ("8@%rdi": eight bytes, unsigned). The two zeros: nothing tells that the file was moved after it was linked (prelink), and
// nothing counts who is attached.
#if defined(__x86_64__) || defined(__aarch64__)
#define POINT(name, arguments, ...)                                                                         \
    __asm__ volatile(                                                                                       \
        "990: nop\n"                                                                                        \
        ".pushsection .note.stapsdt,\"\",\"note\"\n"                                                        \
        ".balign 4\n"                                                                                       \
        ".4byte 992f-991f, 994f-993f, 3\n"                                                                  \
        "991: .asciz \"stapsdt\"\n"                                                                         \
        "992: .balign 4\n"                                                                                  \
        "993: .8byte 990b\n"                                                                                \
        ".8byte 0\n"                                                                                        \
        ".8byte 0\n"                                                                                        \
        ".asciz \"uproxy\"\n"                                                                               \
        ".asciz \"" #name "\"\n"                                                                            \
        ".asciz \"" arguments "\"\n"                                                                        \
        "994: .balign 4\n"                                                                                  \
        ".popsection\n"                                                                                     \
        : : __VA_ARGS__)
#else
#define POINT(name, arguments, ...) __asm__ volatile("" : : __VA_ARGS__)
#endif

#define POINT1(name, a) POINT(name, "8@%0", "r"(a))
#define POINT2(name, a, b) POINT(name, "8@%0 8@%1", "r"(a), "r"(b))
#define POINT3(name, a, b, c) POINT(name, "8@%0 8@%1 8@%2", "r"(a), "r"(b), "r"(c))
#define POINT4(name, a, b, c, d) POINT(name, "8@%0 8@%1 8@%2 8@%3", "r"(a), "r"(b), "r"(c), "r"(d))

// Of link-time optimisation too they are to stay functions, with all their arguments.
#define OUTSIDE __attribute__((noinline, used))

OUTSIDE void uproxy_probe_exchange_begin(uint64_t id, uint64_t listener) { POINT2(exchange_begin, id, listener); }

OUTSIDE void uproxy_probe_exchange_sent(uint64_t id, uint64_t attempt, uint64_t is_reused) {
    POINT3(exchange_sent, id, attempt, is_reused);
}

OUTSIDE void uproxy_probe_exchange_failed(uint64_t id, uint64_t error, uint64_t status) {
    POINT3(exchange_failed, id, error, status);
}

OUTSIDE void uproxy_probe_exchange_end(uint64_t id, uint64_t status, uint64_t duration, uint64_t waited) {
    POINT4(exchange_end, id, status, duration, waited);
}

OUTSIDE void uproxy_probe_retry(uint64_t id, uint64_t attempts) { POINT2(retry, id, attempts); }

OUTSIDE void uproxy_probe_connect_failed(uint64_t worker, uint64_t endpoint, uint64_t error) {
    POINT3(connect_failed, worker, endpoint, error);
}

OUTSIDE void uproxy_probe_refusal(uint64_t worker, uint64_t status) { POINT2(refusal, worker, status); }

OUTSIDE void uproxy_probe_reload(uint64_t worker) { POINT1(reload, worker); }

// A note names its function's address. Programs of ours that call none of these would lose the functions and keep the notes, which
// gold (the default linker of SwiftPM in Swift 6.3) takes for an error; something that is never lost has to name them.
__attribute__((constructor)) static void keep(void) {
    __asm__ volatile("" : : "r"(uproxy_probe_exchange_begin), "r"(uproxy_probe_exchange_sent),
                     "r"(uproxy_probe_exchange_failed), "r"(uproxy_probe_exchange_end));
    __asm__ volatile("" : : "r"(uproxy_probe_retry), "r"(uproxy_probe_connect_failed),
                     "r"(uproxy_probe_refusal), "r"(uproxy_probe_reload));
}
