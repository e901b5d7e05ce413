#define _GNU_SOURCE
#include "COpenSSL.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>

// MARK: - Memory as a BIO

static BIO_METHOD *method;
static int names_index = -1;

static int io_read(BIO *bio, char *bytes, int size) {
    struct copenssl_io *io = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0) return 0;
    if (io->in_size == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t count = (size_t)size < io->in_size ? (size_t)size : io->in_size;
    memcpy(bytes, io->in, count);
    io->in += count;
    io->in_size -= count;
    return (int)count;
}

static int io_write(BIO *bio, const char *bytes, int size) {
    struct copenssl_io *io = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0) return 0;
    size_t room = io->out_size - io->out_used;
    if (room == 0) {
        BIO_set_retry_write(bio);
        return -1;
    }
    size_t count = (size_t)size < room ? (size_t)size : room;
    memcpy(io->out + io->out_used, bytes, count);
    io->out_used += count;
    return (int)count;
}

static long io_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    // Nothing is held back.
    return command == BIO_CTRL_FLUSH;
}

static void free_names(void *parent, void *names, CRYPTO_EX_DATA *data, int index, long number, void *pointer);

static void set_up(void) {
    // Threads may still use it when the process ends: it goes with the process.
    OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL);
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "memory of the caller's");
    if (method) {
        BIO_meth_set_read(method, io_read);
        BIO_meth_set_write(method, io_write);
        BIO_meth_set_ctrl(method, io_control);
    }
    names_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_names);
}

static int is_set_up(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_up);
    return method != NULL && names_index >= 0;
}

// MARK: - Certificates

struct copenssl_certificate {
    X509 *leaf;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
    int kind;
    char **names;
    size_t name_count;
};

// `openssl` asks the terminal where nobody is.
static int no_passphrase(char *text, int size, int is_writing, void *was_asked) {
    (void)text, (void)size, (void)is_writing;
    *(int *)was_asked = 1;
    return -1;
}

static int read_chain(struct copenssl_certificate *certificate, const void *bytes, size_t size) {
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    certificate->chain = sk_X509_new_null();
    int problem = bio && certificate->chain ? 0 : COPENSSL_OUT_OF_MEMORY;
    int was_asked = 0;
    while (problem == 0) {
        X509 *next = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, &was_asked);
        if (!next) {
            int is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            if (!is_end) problem = COPENSSL_BAD_CERTIFICATE;
            else if (!certificate->leaf) problem = COPENSSL_NO_CERTIFICATE;
            break;
        }
        if (!certificate->leaf) {
            certificate->leaf = next;
        } else if (!sk_X509_push(certificate->chain, next)) {
            X509_free(next);
            problem = COPENSSL_OUT_OF_MEMORY;
        }
    }
    BIO_free(bio);
    return problem;
}

static int read_key(struct copenssl_certificate *certificate, const void *bytes, size_t size) {
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    if (!bio) return COPENSSL_OUT_OF_MEMORY;
    int was_asked = 0;
    certificate->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &was_asked);
    BIO_free(bio);
    if (!certificate->key) {
        if (was_asked) return COPENSSL_ENCRYPTED_KEY;
        // What the decoders of 3.0 say does not tell one from the other.
        static const char mark[] = "PRIVATE KEY-----";
        return size > 0 && memmem(bytes, size, mark, sizeof mark - 1) ? COPENSSL_BAD_KEY : COPENSSL_NO_KEY;
    }
    switch (EVP_PKEY_get_base_id(certificate->key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS: certificate->kind = COPENSSL_RSA; break;
    case EVP_PKEY_EC: certificate->kind = COPENSSL_ECDSA; break;
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448: certificate->kind = COPENSSL_EDDSA; break;
    default: return COPENSSL_UNKNOWN_KIND;
    }
    return X509_check_private_key(certificate->leaf, certificate->key) == 1 ? 0 : COPENSSL_OTHER_KEY;
}

// A host name as a client may ask for it, in lower case; 0 if it is none, or has a `*` elsewhere than as its first label.
static int lower_name(char *target, const unsigned char *source, size_t size) {
    if (size == 0 || size > 253) return 0;
    for (size_t index = 0; index < size; index++) {
        unsigned char byte = source[index];
        if (byte >= 'A' && byte <= 'Z') byte |= 0x20;
        int is_star = byte == '*' && index == 0 && size > 2 && source[1] == '.';
        int fits = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' ||
                   byte == '.';
        if (!is_star && !fits) return 0;
        target[index] = (char)byte;
    }
    target[size] = 0;
    return 1;
}

static int add_name(struct copenssl_certificate *certificate, const ASN1_STRING *text) {
    char name[256];
    if (!lower_name(name, ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text))) return 0;
    for (size_t index = 0; index < certificate->name_count; index++) {
        if (strcmp(certificate->names[index], name) == 0) return 0;
    }
    char **names =
        OPENSSL_realloc(certificate->names, (certificate->name_count + 1) * sizeof *certificate->names);
    if (!names) return COPENSSL_OUT_OF_MEMORY;
    certificate->names = names;
    names[certificate->name_count] = OPENSSL_strdup(name);
    if (!names[certificate->name_count]) return COPENSSL_OUT_OF_MEMORY;
    certificate->name_count++;
    return 0;
}

static int read_names(struct copenssl_certificate *certificate) {
    int problem = 0, has_names = 0;
    GENERAL_NAMES *all = X509_get_ext_d2i(certificate->leaf, NID_subject_alt_name, NULL, NULL);
    for (int index = 0; index < sk_GENERAL_NAME_num(all) && problem == 0; index++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(all, index);
        if (one->type != GEN_DNS) continue;
        has_names = 1;
        problem = add_name(certificate, one->d.dNSName);
    }
    GENERAL_NAMES_free(all);
    if (problem || has_names) return problem;
    // RFC 6125 §6.4.4: only where there is no name of the kind that is asked for.
    X509_NAME *subject = X509_get_subject_name(certificate->leaf);
    int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (place < 0) return 0;
    return add_name(certificate, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
}

struct copenssl_certificate *copenssl_certificate_read(
    const void *chain, size_t chain_size, const void *key, size_t key_size, int *problem) {
    *problem = COPENSSL_OUT_OF_MEMORY;
    if (!is_set_up() || chain_size > INT32_MAX || key_size > INT32_MAX) return NULL;
    struct copenssl_certificate *certificate = OPENSSL_zalloc(sizeof *certificate);
    if (!certificate) return NULL;
    ERR_clear_error();
    *problem = read_chain(certificate, chain, chain_size);
    ERR_clear_error();
    if (*problem == 0) *problem = read_key(certificate, key, key_size);
    ERR_clear_error();
    if (*problem == 0) *problem = read_names(certificate);
    ERR_clear_error();
    if (*problem == 0) return certificate;
    copenssl_certificate_free(certificate);
    return NULL;
}

void copenssl_certificate_free(struct copenssl_certificate *certificate) {
    X509_free(certificate->leaf);
    sk_X509_pop_free(certificate->chain, X509_free);
    EVP_PKEY_free(certificate->key);
    for (size_t index = 0; index < certificate->name_count; index++) OPENSSL_free(certificate->names[index]);
    OPENSSL_free(certificate->names);
    OPENSSL_free(certificate);
}

int copenssl_certificate_kind(const struct copenssl_certificate *certificate) { return certificate->kind; }

int copenssl_certificate_age(const struct copenssl_certificate *certificate) {
    if (X509_cmp_current_time(X509_get0_notBefore(certificate->leaf)) > 0) return -1;
    return X509_cmp_current_time(X509_get0_notAfter(certificate->leaf)) < 0;
}

static void write_time(const ASN1_TIME *time, char text[32]) {
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1 || strftime(text, 32, "%F %T UTC", &parts) == 0) text[0] = 0;
}

void copenssl_certificate_times(const struct copenssl_certificate *certificate, char begin[32], char end[32]) {
    write_time(X509_get0_notBefore(certificate->leaf), begin);
    write_time(X509_get0_notAfter(certificate->leaf), end);
}

const char *copenssl_certificate_name(const struct copenssl_certificate *certificate, size_t index) {
    return index < certificate->name_count ? certificate->names[index] : NULL;
}

void copenssl_cleanse(void *bytes, size_t size) { OPENSSL_cleanse(bytes, size); }

// MARK: - Contexts by name

struct entry {
    char *name;
    // NULL: the one that has the table, which would hold itself otherwise.
    SSL_CTX *context;
};

// In the order of their names.
struct names {
    struct entry *entries;
    size_t count, capacity;
};

static void free_names(void *parent, void *table, CRYPTO_EX_DATA *data, int index, long number, void *pointer) {
    (void)parent, (void)data, (void)index, (void)number, (void)pointer;
    struct names *names = table;
    if (!names) return;
    for (size_t place = 0; place < names->count; place++) {
        OPENSSL_free(names->entries[place].name);
        SSL_CTX_free(names->entries[place].context);
    }
    OPENSSL_free(names->entries);
    OPENSSL_free(names);
}

// The place of the first name that is not before this one.
static size_t place_of(const struct names *names, const char *name) {
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(names->entries[middle].name, name) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static const struct entry *find(const struct names *names, const char *name) {
    size_t place = place_of(names, name);
    if (place == names->count || strcmp(names->entries[place].name, name) != 0) return NULL;
    return &names->entries[place];
}

int copenssl_context_add_name(SSL_CTX *context, const char *name, SSL_CTX *other) {
    struct names *names = SSL_CTX_get_ex_data(context, names_index);
    if (!names) {
        names = OPENSSL_zalloc(sizeof *names);
        if (!names) return 0;
        if (!SSL_CTX_set_ex_data(context, names_index, names)) {
            OPENSSL_free(names);
            return 0;
        }
    }
    if (find(names, name)) return 1;
    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? names->capacity * 2 : 8;
        struct entry *entries = OPENSSL_realloc(names->entries, capacity * sizeof *entries);
        if (!entries) return 0;
        names->entries = entries;
        names->capacity = capacity;
    }
    char *copy = OPENSSL_strdup(name);
    if (!copy) return 0;
    if (other != context) SSL_CTX_up_ref(other);
    size_t place = place_of(names, name);
    memmove(&names->entries[place + 1], &names->entries[place], (names->count - place) * sizeof *names->entries);
    names->entries[place] = (struct entry){copy, other == context ? NULL : other};
    names->count++;
    return 1;
}

SSL_CTX *copenssl_context_find(SSL_CTX *context, const char *host) {
    const struct names *names = SSL_CTX_get_ex_data(context, names_index);
    char name[256];
    size_t size = strlen(host);
    // A name in full is the same without the dot at its end.
    if (size > 1 && host[size - 1] == '.') size--;
    if (!names || host[0] == '*' || !lower_name(name, (const unsigned char *)host, size)) return context;
    const struct entry *entry = find(names, name);
    char *dot = strchr(name, '.');
    if (!entry && dot && dot > name) {
        dot[-1] = '*';
        entry = find(names, dot - 1);
    }
    return entry && entry->context ? entry->context : context;
}

static int choose_context(SSL *session, int *alert, void *pointer) {
    (void)alert, (void)pointer;
    const char *host = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
    if (!host) return SSL_TLSEXT_ERR_NOACK;
    SSL_CTX *context = SSL_get_SSL_CTX(session);
    SSL_CTX *chosen = copenssl_context_find(context, host);
    if (chosen != context && !SSL_set_SSL_CTX(session, chosen)) return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

// MARK: - Contexts

// RFC 7301: in the order of preference, and behind them what is spoken without HTTP/2.
static const unsigned char http_protocols[] = "\x02h2\x08http/1.1\x08http/1.0";

// RFC 7301 §3.2: who offers nothing that is spoken here is told so.
static int choose_protocol(SSL *session, const unsigned char **chosen, unsigned char *size, const unsigned char *offered,
                           unsigned int offered_size, void *pointer) {
    (void)session;
    const unsigned char *spoken = pointer;
    unsigned int spoken_size = (unsigned int)(http_protocols + sizeof http_protocols - 1 - spoken);
    unsigned char *found = NULL;
    if (SSL_select_next_proto(&found, size, spoken, spoken_size, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

SSL_CTX *copenssl_context_make(int min_version) {
    if (!is_set_up()) return NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context) return NULL;
    // The buffers of a session that is quiet are given back.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // Tickets are all there is to be resumed by: nothing is kept here, and no lock is taken for it.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_tlsext_servername_callback(context, choose_context);
    int version = min_version >= 13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    // Groups as Mozilla's intermediate configuration has them: those of finite fields take a server milliseconds.
    if (!SSL_CTX_set_min_proto_version(context, version) ||
        !SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384")) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

void copenssl_context_free(SSL_CTX *context) { SSL_CTX_free(context); }

void copenssl_context_speak_http(SSL_CTX *context, int speaks_http2) {
    const unsigned char *spoken = speaks_http2 ? http_protocols : http_protocols + 3;
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, (void *)spoken);
}

int copenssl_context_set_ciphers(SSL_CTX *context, const char *ciphers) {
    int is_set = SSL_CTX_set_cipher_list(context, ciphers);
    ERR_clear_error();
    return is_set;
}

int copenssl_context_set_suites(SSL_CTX *context, const char *suites) {
    int is_set = SSL_CTX_set_ciphersuites(context, suites);
    ERR_clear_error();
    return is_set;
}

int copenssl_context_add(SSL_CTX *context, const struct copenssl_certificate *certificate) {
    return SSL_CTX_use_cert_and_key(context, certificate->leaf, certificate->key, certificate->chain, 1);
}

void copenssl_context_set_identity(SSL_CTX *context, const void *identity, size_t size) {
    SSL_CTX_set_session_id_context(context, identity, (unsigned int)size);
}

int copenssl_context_set_ticket_keys(SSL_CTX *context, const uint8_t keys[COPENSSL_TICKET_KEYS]) {
    return SSL_CTX_set_tlsext_ticket_keys(context, (void *)keys, COPENSSL_TICKET_KEYS) == 1;
}

void copenssl_error_text(char *text, size_t size) {
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    strncpy(text, reason ? reason : "OpenSSL does not say why", size - 1);
    text[size - 1] = 0;
    ERR_clear_error();
}

// MARK: - Sessions

SSL *copenssl_session_make(SSL_CTX *context, struct copenssl_io *io) {
    SSL *session = SSL_new(context);
    BIO *bio = session ? BIO_new(method) : NULL;
    if (!bio) {
        SSL_free(session);
        ERR_clear_error();
        return NULL;
    }
    BIO_set_data(bio, io);
    BIO_set_init(bio, 1);
    SSL_set_bio(session, bio, bio);
    SSL_set_accept_state(session);
    return session;
}

void copenssl_session_free(SSL *session) { SSL_free(session); }

// What an earlier call left in the thread's queue of errors would be taken for this one's. A look is cheap, clearing is not.
static void forget_errors(void) {
    if (ERR_peek_error()) ERR_clear_error();
}

// Why a call came to nothing.
static int failure(SSL *session, int result) {
    switch (SSL_get_error(session, result)) {
    case SSL_ERROR_WANT_READ: return COPENSSL_WANTS_INPUT;
    case SSL_ERROR_WANT_WRITE: return COPENSSL_WANTS_ROOM;
    case SSL_ERROR_ZERO_RETURN: return COPENSSL_ENDED;
    default: break;
    }
    unsigned long error = ERR_peek_error();
    int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
    // A peer's alerts are reasons from there on.
    if (reason > SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + 255) return COPENSSL_ALERTED;
    switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_UNSUPPORTED_SSL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_INAPPROPRIATE_FALLBACK:
    case SSL_R_NO_APPLICATION_PROTOCOL: return COPENSSL_INCOMPATIBLE;
    default: return COPENSSL_FAILED;
    }
}

int copenssl_handshake(SSL *session) {
    forget_errors();
    int result = SSL_do_handshake(session);
    return result == 1 ? 1 : failure(session, result);
}

int copenssl_read(SSL *session, void *bytes, size_t size) {
    forget_errors();
    int result = SSL_read(session, bytes, size > INT32_MAX ? INT32_MAX : (int)size);
    return result > 0 ? result : failure(session, result);
}

int copenssl_write(SSL *session, const void *bytes, size_t size) {
    forget_errors();
    int result = SSL_write(session, bytes, size > 16384 ? 16384 : (int)size);
    return result > 0 ? result : failure(session, result);
}

int copenssl_close(SSL *session) {
    forget_errors();
    int result = SSL_shutdown(session);
    // 0: the peer's has not come yet.
    return result >= 0 ? 1 : failure(session, result);
}

size_t copenssl_pending(const SSL *session) { return (size_t)SSL_pending(session); }

int copenssl_chose_http2(const SSL *session) {
    const unsigned char *chosen = NULL;
    unsigned int size = 0;
    SSL_get0_alpn_selected(session, &chosen, &size);
    return size == 2 && memcmp(chosen, "h2", 2) == 0;
}

int copenssl_is_resumed(const SSL *session) { return SSL_session_reused(session); }
