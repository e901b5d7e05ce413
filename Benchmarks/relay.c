// The floor that a proxy is compared with: it relays bytes between two connections and does nothing else. It knows no
// HTTP, has no pool (an upstream connection for each downstream one) and no limits.
//
//     byte-relay PORT UPSTREAM-PORT
//
// One thread, one io_uring: multishot receives into provided buffers (6.0), completions that run when this thread asks
// for them (DEFER_TASKRUN, 6.1). Of the ways to relay that were measured this needs the least CPU per message.
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BUFFERS = 4096, BUFFER_SIZE = 4096, CONNECTIONS = 65536, ENTRIES = 4096, GROUP = 1, NONE = -1 };
enum operation { ACCEPT, RECEIVE, SEND };

// What goes to a connection: the buffers that its partner has filled, one send at a time, for of two the second might
// overtake the first when the socket is full.
static struct connection {
    int partner, first, last, in_flight;
    char is_sending, is_closing;
} connections[CONNECTIONS];

static struct buffer { int next, offset, size; } buffers[BUFFERS];
static unsigned char *memory;
static struct io_uring ring;
static struct io_uring_buf_ring *provided;
static int freed;
// Connections whose receive found no buffer.
static int starved[CONNECTIONS], starved_count;
static struct sockaddr_in upstream = {.sin_family = AF_INET};

static void require(int result, const char *what) {
    if (result >= 0) return;
    fprintf(stderr, "byte-relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static struct io_uring_sqe *next_entry(void) {
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    if (sqe) return sqe;
    io_uring_submit(&ring);
    return io_uring_get_sqe(&ring);
}

static void name(struct io_uring_sqe *sqe, enum operation operation, int descriptor) {
    io_uring_sqe_set_data64(sqe, (uint64_t)operation << 32 | (uint32_t)descriptor);
}

static void receive(int descriptor) {
    struct io_uring_sqe *sqe = next_entry();
    io_uring_prep_recv_multishot(sqe, descriptor, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    name(sqe, RECEIVE, descriptor);
    connections[descriptor].in_flight++;
}

static void give_back(int buffer) {
    io_uring_buf_ring_add(provided, memory + buffer * BUFFER_SIZE, BUFFER_SIZE, buffer, BUFFERS - 1, freed++);
}

static void send_first(int descriptor) {
    struct connection *connection = &connections[descriptor];
    struct buffer *buffer = &buffers[connection->first];
    struct io_uring_sqe *sqe = next_entry();
    io_uring_prep_send(sqe, descriptor, memory + connection->first * BUFFER_SIZE + buffer->offset,
                       buffer->size - buffer->offset, MSG_NOSIGNAL);
    name(sqe, SEND, descriptor);
    connection->is_sending = 1;
    connection->in_flight++;
}

// Both ends are closed when the kernel holds nothing of either.
static void end(int descriptor) {
    int pair[] = {descriptor, connections[descriptor].partner};
    for (int i = 0; i < 2; i++) {
        if (!connections[pair[i]].is_closing) shutdown(pair[i], SHUT_RDWR);
        connections[pair[i]].is_closing = 1;
    }
    if (connections[pair[0]].in_flight || connections[pair[1]].in_flight) return;
    for (int i = 0; i < 2; i++) {
        for (int place = 0; place < starved_count; place++)
            if (starved[place] == pair[i]) starved[place--] = starved[--starved_count];
        for (int buffer = connections[pair[i]].first; buffer != NONE; buffer = buffers[buffer].next) give_back(buffer);
        close(pair[i]);
    }
}

static void accepted(int downstream) {
    int up = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    require(up, "socket");
    require(connect(up, (struct sockaddr *)&upstream, sizeof upstream), "connect");
    int pair[] = {downstream, up};
    for (int i = 0; i < 2; i++) {
        setsockopt(pair[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections[pair[i]] = (struct connection){.partner = pair[1 - i], .first = NONE, .last = NONE};
    }
    receive(downstream);
    receive(up);
}

static void received(int descriptor, struct io_uring_cqe *cqe) {
    struct connection *source = &connections[descriptor], *target = &connections[source->partner];
    int more = cqe->flags & IORING_CQE_F_MORE;
    if (!more) source->in_flight--;
    if (cqe->res > 0) {
        int buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
        buffers[buffer] = (struct buffer){.next = NONE, .size = cqe->res};
        if (target->first == NONE) target->first = buffer; else buffers[target->last].next = buffer;
        target->last = buffer;
        if (!target->is_sending && !target->is_closing) send_first(source->partner);
        if (!more && !source->is_closing) receive(descriptor);
    } else if (cqe->res == -ENOBUFS && !source->is_closing) {
        starved[starved_count++] = descriptor;
    } else {
        end(descriptor);
        return;
    }
    if (source->is_closing) end(descriptor);
}

static void sent(int descriptor, int result) {
    struct connection *connection = &connections[descriptor];
    connection->is_sending = 0;
    connection->in_flight--;
    if (result <= 0 || connection->is_closing) {
        end(descriptor);
        return;
    }
    struct buffer *buffer = &buffers[connection->first];
    buffer->offset += result;
    if (buffer->offset == buffer->size) {
        int done = connection->first;
        connection->first = buffer->next;
        give_back(done);
    }
    if (connection->first != NONE) send_first(descriptor);
}

int main(int count, char **words) {
    if (count != 3) return 64;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
    address.sin_addr.s_addr = upstream.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    upstream.sin_port = htons(atoi(words[2]));
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    require(bind(listener, (struct sockaddr *)&address, sizeof address), "bind");
    require(listen(listener, 4096), "listen");

    struct io_uring_params parameters = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
        .cq_entries = 4 * ENTRIES};
    require(-(errno = -io_uring_queue_init_params(ENTRIES, &ring, &parameters)), "io_uring");
    io_uring_register_ring_fd(&ring);
    memory = mmap(NULL, BUFFERS * BUFFER_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    provided = mmap(NULL, BUFFERS * sizeof(struct io_uring_buf), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct io_uring_buf_reg registration = {.ring_addr = (uintptr_t)provided, .ring_entries = BUFFERS, .bgid = GROUP};
    require(-(errno = -io_uring_register_buf_ring(&ring, &registration, 0)), "provided buffers");
    io_uring_buf_ring_init(provided);
    for (int buffer = 0; buffer < BUFFERS; buffer++) give_back(buffer);

    struct io_uring_sqe *sqe = next_entry();
    io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, 0);
    name(sqe, ACCEPT, listener);
    for (;;) {
        if (freed) io_uring_buf_ring_advance(provided, freed);
        while (freed && starved_count) receive(starved[--starved_count]);
        freed = 0;
        io_uring_submit_and_wait(&ring, 1);
        struct io_uring_cqe *cqe;
        unsigned head, seen = 0;
        io_uring_for_each_cqe(&ring, head, cqe) {
            int descriptor = (int)(uint32_t)cqe->user_data;
            switch ((enum operation)(cqe->user_data >> 32)) {
            case ACCEPT:
                require(cqe->res, "accept");
                accepted(cqe->res);
                break;
            case RECEIVE: received(descriptor, cqe); break;
            case SEND: sent(descriptor, cqe->res); break;
            }
            seen++;
        }
        io_uring_cq_advance(&ring, seen);
    }
}
