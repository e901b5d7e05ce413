// TLS clients that connect, shake hands, ask once and go, many at a time: each handshake in full, or each taking up the
// session of the connection before.
//
//     handshakes --port PORT [--connections 64] [--seconds 3] [--path /size/128] [--bytes 128] [--resume]
//
// TLS 1.3 with one cipher suite, one group and no certificate checked, so that each server does the same. Prints one line
// of JSON: `full` and `resumed` say which handshakes they were (whoever has no ticket's secret cannot resume), `tickets` how
// many the server gave, `negotiated` what was agreed on. Exit status: 0, 1 if there were errors, 64 for wrong usage.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// A head is shorter; what is open when the time is over has as many seconds to end.
enum { HEAD_SIZE = 4096, PATIENCE = 10, EVENTS = 256, MOST_CONNECTIONS = 4096 };

enum stage { CLOSED, SHAKING_HANDS, ASKING, READING };

static struct client {
    SSL *ssl;
    SSL_SESSION *session;
    int descriptor;
    enum stage stage;
    double began;
    size_t head_size;
    long body_size;
    char head[HEAD_SIZE + 1];
} *clients;

static struct {
    int port, connections;
    double seconds;
    const char *path;
    long bytes;
    int resumes;
} options = {.connections = 64, .seconds = 3, .path = "/size/128", .bytes = 128};

static struct {
    long requests, errors, full, resumed, tickets, bytes_in;
    char first_error[256], negotiated[128];
} count;

static double *latencies;
static size_t latency_room;
static SSL_CTX *context;
static struct sockaddr_in server = {.sin_family = AF_INET};
static char request[1024];
static int poller, active;
static double end;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void require(int condition, const char *what) {
    if (condition) return;
    fprintf(stderr, "handshakes: %s: %s\n", what, errno ? strerror(errno) : "OpenSSL refuses");
    exit(1);
}

// The last ticket of a connection is the one that is used.
static int ticket_came(SSL *ssl, SSL_SESSION *session) {
    struct client *client = SSL_get_app_data(ssl);
    count.tickets++;
    if (!options.resumes) return 0;
    SSL_SESSION_free(client->session);
    client->session = session;
    return 1;
}

static void make_context(void) {
    context = SSL_CTX_new(TLS_client_method());
    require(context != NULL, "TLS");
    require(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION), "TLS 1.3");
    require(SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256"), "cipher suite");
    require(SSL_CTX_set1_groups_list(context, "X25519"), "group");
    require(SSL_CTX_set1_sigalgs_list(context, "ECDSA+SHA256:RSA-PSS+SHA256"), "signatures");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, ticket_came);
}

static void begin(struct client *client) {
    client->began = now();
    client->head_size = 0;
    client->body_size = 0;
    client->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    require(client->descriptor >= 0, "socket");
    int yes = 1;
    setsockopt(client->descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    require(connect(client->descriptor, (struct sockaddr *)&server, sizeof server) == 0 || errno == EINPROGRESS, "connect");
    client->ssl = SSL_new(context);
    require(client->ssl && SSL_set_fd(client->ssl, client->descriptor), "TLS connection");
    SSL_set_app_data(client->ssl, client);
    SSL_set_connect_state(client->ssl);
    if (client->session) require(SSL_set_session(client->ssl, client->session), "session");
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = client};
    require(epoll_ctl(poller, EPOLL_CTL_ADD, client->descriptor, &event) == 0, "epoll");
    client->stage = SHAKING_HANDS;
    active++;
}

// This client's next connection begins, as long as there is time.
static void finish(struct client *client) {
    // Its session would not be taken up again otherwise, for we have not said close_notify.
    SSL_set_shutdown(client->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(client->ssl);
    close(client->descriptor);
    client->stage = CLOSED;
    active--;
    if (now() < end) begin(client);
}

static void fail(struct client *client, const char *what) {
    if (count.errors++ == 0) {
        char reason[128] = "the connection ended";
        unsigned long error = ERR_peek_error();
        if (error) ERR_error_string_n(error, reason, sizeof reason);
        snprintf(count.first_error, sizeof count.first_error, "%s: %s", what, reason);
        for (char *c = count.first_error; *c; c++)
            if (*c == '"' || *c == '\\' || *c < ' ') *c = '\'';
    }
    finish(client);
}

// Notes which of both it was; whether it agreed on the same as all before.
static int take_account(struct client *client) {
    if (SSL_session_reused(client->ssl)) count.resumed++;
    else count.full++;
    EVP_PKEY *key = X509_get0_pubkey(SSL_get0_peer_certificate(client->ssl));
    char agreed[sizeof count.negotiated];
    snprintf(agreed, sizeof agreed, "%s, %s, %s, %s %d bits", SSL_get_version(client->ssl), SSL_get_cipher(client->ssl),
             SSL_group_to_name(client->ssl, SSL_get_negotiated_group(client->ssl)), key ? EVP_PKEY_get0_type_name(key) : "no",
             key ? EVP_PKEY_get_bits(key) : 0);
    if (!*count.negotiated) strcpy(count.negotiated, agreed);
    return strcmp(agreed, count.negotiated) == 0;
}

static void took(struct client *client, const char *bytes, size_t size) {
    count.bytes_in += size;
    if (client->body_size > 0) {
        client->body_size += size;
        return;
    }
    size_t room = HEAD_SIZE - client->head_size, part = size < room ? size : room;
    memcpy(client->head + client->head_size, bytes, part);
    client->head_size += part;
    client->head[client->head_size] = 0;
    char *body = strstr(client->head, "\r\n\r\n");
    if (body) client->body_size = client->head + client->head_size - (body + 4) + (size - part);
}

static void answered(struct client *client) {
    int is_good = strncmp(client->head, "HTTP/1.", 7) == 0 && strncmp(client->head + 8, " 200", 4) == 0;
    if (!is_good || client->body_size != options.bytes) {
        fail(client, is_good ? "an answer of another length" : "no answer with 200");
        return;
    }
    if ((size_t)count.requests == latency_room) {
        latency_room = latency_room ? 2 * latency_room : 65536;
        latencies = realloc(latencies, latency_room * sizeof *latencies);
        require(latencies != NULL, "memory");
    }
    latencies[count.requests++] = (now() - client->began) * 1e6;
    finish(client);
}

// Whether the call has to wait for an event.
static int waits(struct client *client, int result) {
    int error = SSL_get_error(client->ssl, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static void go_on(struct client *client) {
    ERR_clear_error();
    if (client->stage == SHAKING_HANDS) {
        int result = SSL_do_handshake(client->ssl);
        if (result != 1) {
            if (!waits(client, result)) fail(client, "a handshake failed");
            return;
        }
        if (!take_account(client)) {
            fail(client, "handshakes agree on different things");
            return;
        }
        client->stage = ASKING;
    }
    if (client->stage == ASKING) {
        int result = SSL_write(client->ssl, request, strlen(request));
        if (result <= 0) {
            if (!waits(client, result)) fail(client, "a request could not be sent");
            return;
        }
        client->stage = READING;
    }
    while (client->stage == READING) {
        static char bytes[16384];
        int result = SSL_read(client->ssl, bytes, sizeof bytes);
        if (result > 0) {
            took(client, bytes, result);
        } else if (SSL_get_error(client->ssl, result) == SSL_ERROR_ZERO_RETURN) {
            answered(client);
            return;
        } else {
            if (!waits(client, result)) fail(client, "an answer was cut");
            return;
        }
    }
}

static void work_until(double limit) {
    static struct epoll_event events[EVENTS];
    while (active > 0 && now() < limit) {
        int found = epoll_wait(poller, events, EVENTS, 100);
        require(found >= 0 || errno == EINTR, "epoll_wait");
        for (int i = 0; i < found; i++) {
            struct client *client = events[i].data.ptr;
            if (client->stage != CLOSED) go_on(client);
        }
    }
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(double seconds) {
    static const double percentiles[] = {50, 75, 90, 95, 99, 99.9};
    double sum = 0;
    for (long i = 0; i < count.requests; i++) sum += latencies[i];
    qsort(latencies, count.requests, sizeof *latencies, ascending);
    printf("{\"requests\": %ld, \"seconds\": %.6f, \"full\": %ld, \"resumed\": %ld, \"tickets\": %ld, \"bytes_in\": %ld, "
           "\"errors\": %ld, \"first_error\": \"%s\", \"negotiated\": \"%s\", \"latency_us\": {",
           count.requests, seconds, count.full, count.resumed, count.tickets, count.bytes_in, count.errors,
           count.first_error, count.negotiated);
    long last = count.requests - 1;
    for (size_t i = 0; last >= 0 && i < sizeof percentiles / sizeof *percentiles; i++)
        printf("\"p%g\": %.0f, ", percentiles[i], latencies[(long)(last * percentiles[i] / 100)]);
    printf("\"mean\": %.1f, \"max\": %.0f}}\n", last < 0 ? 0 : sum / count.requests, last < 0 ? 0 : latencies[last]);
}

static void usage(void) {
    fprintf(stderr, "usage: handshakes --port PORT [--connections N] [--seconds S] [--path PATH] [--bytes N] [--resume]\n");
    exit(64);
}

static void read_options(char **word) {
    for (; *word; word++) {
        if (strcmp(*word, "--resume") == 0) {
            options.resumes = 1;
            continue;
        }
        const char *name = *word++;
        if (!*word) usage();
        if (strcmp(name, "--port") == 0) options.port = atoi(*word);
        else if (strcmp(name, "--connections") == 0) options.connections = atoi(*word);
        else if (strcmp(name, "--seconds") == 0) options.seconds = atof(*word);
        else if (strcmp(name, "--path") == 0) options.path = *word;
        else if (strcmp(name, "--bytes") == 0) options.bytes = atol(*word);
        else usage();
    }
    if (options.port <= 0 || options.port > 65535 || options.connections <= 0 || options.connections > MOST_CONNECTIONS ||
        options.seconds <= 0 || options.bytes < 0) usage();
}

int main(int argc, char **words) {
    (void)argc;
    read_options(words + 1);
    signal(SIGPIPE, SIG_IGN);
    server.sin_port = htons(options.port);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size_t size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n",
                           options.path, options.port);
    if (size >= sizeof request) usage();
    clients = calloc(options.connections, sizeof *clients);
    poller = epoll_create1(EPOLL_CLOEXEC);
    require(clients && poller >= 0, "start");
    make_context();
    double began = now();
    if (options.resumes) {
        // One client alone, once; all others take up its session, each a copy, for OpenSSL uses one once.
        begin(&clients[0]);
        work_until(began + PATIENCE);
        for (int i = 1; clients[0].session && i < options.connections; i++) {
            clients[i].session = SSL_SESSION_dup(clients[0].session);
            require(clients[i].session != NULL, "session");
        }
    }
    end = began + options.seconds;
    for (int i = 0; i < options.connections; i++) begin(&clients[i]);
    work_until(end + PATIENCE);
    for (int i = 0; i < options.connections; i++)
        if (clients[i].stage != CLOSED) fail(&clients[i], "no end");
    report(now() - began);
    return count.errors > 0;
}
