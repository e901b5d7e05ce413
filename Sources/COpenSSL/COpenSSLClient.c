#define _GNU_SOURCE
#include "COpenSSLInternal.h"

#include <ctype.h>
#include <dirent.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

// MARK: - Roots

struct copenssl_roots {
    X509_STORE *store;
    size_t count;
    uint8_t digest[32];
};

static struct copenssl_roots *make_roots(void) {
    struct copenssl_roots *roots = copenssl_is_set_up() ? OPENSSL_zalloc(sizeof *roots) : NULL;
    if (!roots) return NULL;
    roots->store = X509_STORE_new();
    if (roots->store) return roots;
    OPENSSL_free(roots);
    return NULL;
}

void copenssl_roots_free(struct copenssl_roots *roots) {
    if (!roots) return;
    X509_STORE_free(roots->store);
    OPENSSL_free(roots);
}

void copenssl_roots_digest(const struct copenssl_roots *roots, uint8_t digest[32]) {
    memcpy(digest, roots->digest, sizeof roots->digest);
}

static int add_root(struct copenssl_roots *roots, X509 *certificate) {
    uint8_t digest[EVP_MAX_MD_SIZE];
    if (!X509_digest(certificate, EVP_sha256(), digest, NULL)) return 0;
    if (!X509_STORE_add_cert(roots->store, certificate)) return 0;
    // A sum, as it does not depend on the order.
    unsigned int carry = 0;
    for (size_t index = 0; index < sizeof roots->digest; index++) {
        carry += roots->digest[index] + digest[index];
        roots->digest[index] = (uint8_t)carry;
        carry >>= 8;
    }
    roots->count++;
    return 1;
}

static int take_root(void *to, X509 *certificate) {
    if (!add_root(to, certificate)) return 0;
    X509_free(certificate);
    return 1;
}

/// 0, or a problem.
static int add_roots(struct copenssl_roots *roots, BIO *bio) {
    ERR_clear_error();
    int problem = copenssl_read_certificates(bio, take_root, roots);
    ERR_clear_error();
    return problem;
}

struct copenssl_roots *copenssl_roots_read(const void *bytes, size_t size, int *problem) {
    *problem = COPENSSL_OUT_OF_MEMORY;
    struct copenssl_roots *roots = size <= INT32_MAX ? make_roots() : NULL;
    if (!roots) return NULL;
    // Whoever names a certificate means it: one below a root is enough.
    X509_STORE_set_flags(roots->store, X509_V_FLAG_PARTIAL_CHAIN);
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    *problem = add_roots(roots, bio);
    BIO_free(bio);
    if (*problem == 0 && roots->count == 0) *problem = COPENSSL_NO_CERTIFICATE;
    if (*problem == 0) return roots;
    copenssl_roots_free(roots);
    return NULL;
}

const char *copenssl_roots_file(void) {
    const char *file = getenv(X509_get_default_cert_file_env());
    return file ? file : X509_get_default_cert_file();
}

const char *copenssl_roots_directory(void) {
    const char *directory = getenv(X509_get_default_cert_dir_env());
    return directory ? directory : X509_get_default_cert_dir();
}

static void add_file(struct copenssl_roots *roots, const char *path) {
    BIO *bio = BIO_new_file(path, "r");
    // What cannot be read there is somebody else's to mend.
    if (bio) add_roots(roots, bio);
    BIO_free(bio);
    ERR_clear_error();
}

// A name by which OpenSSL would find a certificate: eight hexadecimal digits, a dot, and a number.
static int is_hashed(const char *name) {
    size_t size = strspn(name, "0123456789abcdef");
    return size == 8 && name[size] == '.' && isdigit((unsigned char)name[size + 1]) &&
           name[size + 1 + strspn(name + size + 1, "0123456789")] == 0;
}

static void add_directory(struct copenssl_roots *roots, const char *path) {
    DIR *directory = opendir(path);
    if (!directory) return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        char file[4096];
        if (!is_hashed(entry->d_name)) continue;
        int size = snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (size > 0 && (size_t)size < sizeof file) add_file(roots, file);
    }
    closedir(directory);
}

struct copenssl_roots *copenssl_roots_system(int *problem) {
    *problem = COPENSSL_OUT_OF_MEMORY;
    struct copenssl_roots *roots = make_roots();
    if (!roots) return NULL;
    // Read now and as a whole: OpenSSL itself would look into the directory in the midst of a handshake.
    add_file(roots, copenssl_roots_file());
    char *list = OPENSSL_strdup(copenssl_roots_directory());
    char *rest = list;
    for (char *path; rest && (path = strsep(&rest, ":"));) {
        if (*path) add_directory(roots, path);
    }
    OPENSSL_free(list);
    if (roots->count > 0) return roots;
    *problem = COPENSSL_NO_CERTIFICATE;
    copenssl_roots_free(roots);
    return NULL;
}

// MARK: - Contexts

static int keep_ticket(SSL *session, SSL_SESSION *ticket) {
    struct copenssl_io *io = BIO_get_data(SSL_get_rbio(session));
    if (io->ticket_count == COPENSSL_NEW_TICKETS) {
        SSL_SESSION_free(io->tickets[0]);
        memmove(&io->tickets[0], &io->tickets[1], (COPENSSL_NEW_TICKETS - 1) * sizeof io->tickets[0]);
        io->ticket_count--;
    }
    io->tickets[io->ticket_count++] = ticket;
    return 1;
}

SSL_CTX *copenssl_client_context_make(int min_version, const struct copenssl_roots *roots) {
    SSL_CTX *context = copenssl_is_set_up() ? SSL_CTX_new(TLS_client_method()) : NULL;
    if (!context) return NULL;
    copenssl_set_modes(context);
    // Tickets are their owner's: nothing is kept here, and no lock is taken for it.
    SSL_CTX_set_session_cache_mode(
        context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    SSL_CTX_sess_set_new_cb(context, keep_ticket);
    SSL_CTX_set_verify(context, roots ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (roots) SSL_CTX_set1_cert_store(context, roots->store);
    int version = min_version >= 13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    if (!SSL_CTX_set_min_proto_version(context, version)) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

// MARK: - Sessions

SSL *copenssl_client_session_make(
    SSL_CTX *context, struct copenssl_io *io, const char *host, int is_address, const unsigned char *protocols,
    size_t protocols_size,
    SSL_SESSION *ticket) {
    SSL *session = copenssl_session_begin(context, io);
    if (!session) return NULL;
    SSL_set_connect_state(session);
    X509_VERIFY_PARAM *wanted = SSL_get0_param(session);
    // RFC 9525 §6.3: a wildcard is a whole label; §2: common names are no names of hosts.
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    int is_set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host) : X509_VERIFY_PARAM_set1_host(wanted, host, 0);
    if (is_set && !is_address) is_set = SSL_set_tlsext_host_name(session, host);
    if (is_set && protocols_size > 0) is_set = SSL_set_alpn_protos(session, protocols, (unsigned)protocols_size) == 0;
    if (is_set) {
        // One that is too old is not used, and that is all.
        if (ticket) SSL_set_session(session, ticket);
        ERR_clear_error();
        return session;
    }
    SSL_free(session);
    ERR_clear_error();
    return NULL;
}

void copenssl_session_move(SSL *session, struct copenssl_io *io) { BIO_set_data(SSL_get_rbio(session), io); }

// MARK: - Tickets

int copenssl_ticket_is_lasting(const SSL_SESSION *ticket) {
    return SSL_SESSION_get_protocol_version(ticket) < TLS1_3_VERSION;
}

void copenssl_ticket_free(SSL_SESSION *ticket) { SSL_SESSION_free(ticket); }
