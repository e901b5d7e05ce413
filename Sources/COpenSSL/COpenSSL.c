#define _GNU_SOURCE
#include "COpenSSL.h"
#include "COpenSSLInternal.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// MARK: - Memory as a BIO

static BIO_METHOD *method;
// Looked for once: to find one takes a lock.
static EVP_CIPHER *long_ticket_cipher, *short_ticket_cipher;
static int names_index = -1, tickets_index = -1, staple_index = -1, peer_index = -1, is_kernel_set_up;

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
static void free_tickets(void *parent, void *keys, CRYPTO_EX_DATA *data, int index, long number, void *pointer);
static void free_staple(void *parent, void *staple, CRYPTO_EX_DATA *data, int index, long number, void *pointer);
static void free_peer(void *parent, void *peer, CRYPTO_EX_DATA *data, int index, long number, void *pointer);

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
    tickets_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_tickets);
    staple_index = X509_get_ex_new_index(0, NULL, NULL, NULL, free_staple);
    peer_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_peer);
    is_kernel_set_up = copenssl_set_up_kernel();
    long_ticket_cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    short_ticket_cipher = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
}

int copenssl_is_set_up(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_up);
    return method != NULL && names_index >= 0 && tickets_index >= 0 && staple_index >= 0 && peer_index >= 0 &&
           is_kernel_set_up && long_ticket_cipher != NULL && short_ticket_cipher != NULL;
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

int copenssl_read_certificates(BIO *bio, int (*take)(void *to, X509 *certificate), void *to) {
    if (!bio) return COPENSSL_OUT_OF_MEMORY;
    int was_asked = 0;
    while (1) {
        X509 *next = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, &was_asked);
        if (!next) {
            return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? 0 : COPENSSL_BAD_CERTIFICATE;
        }
        if (!take(to, next)) {
            X509_free(next);
            return COPENSSL_OUT_OF_MEMORY;
        }
    }
}

static int take_link(void *to, X509 *link) {
    struct copenssl_certificate *certificate = to;
    if (certificate->leaf) return sk_X509_push(certificate->chain, link);
    certificate->leaf = link;
    return 1;
}

static int read_chain(struct copenssl_certificate *certificate, const void *bytes, size_t size) {
    certificate->chain = sk_X509_new_null();
    if (!certificate->chain) return COPENSSL_OUT_OF_MEMORY;
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    int problem = copenssl_read_certificates(bio, take_link, certificate);
    BIO_free(bio);
    return problem == 0 && !certificate->leaf ? COPENSSL_NO_CERTIFICATE : problem;
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
    if (!copenssl_is_set_up() || chain_size > INT32_MAX || key_size > INT32_MAX) return NULL;
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

void copenssl_certificate_digest(const struct copenssl_certificate *certificate, uint8_t digest[32]) {
    uint8_t whole[2 * EVP_MAX_MD_SIZE] = {0};
    X509_digest(certificate->leaf, EVP_sha256(), whole, NULL);
    for (int index = 0; index < sk_X509_num(certificate->chain); index++) {
        X509_digest(sk_X509_value(certificate->chain, index), EVP_sha256(), whole + 32, NULL);
        EVP_Digest(whole, 64, whole, NULL, EVP_sha256(), NULL);
    }
    memcpy(digest, whole, 32);
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

int64_t copenssl_certificate_end(const struct copenssl_certificate *certificate) {
    struct tm parts;
    return ASN1_TIME_to_tm(X509_get0_notAfter(certificate->leaf), &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

const char *copenssl_certificate_name(const struct copenssl_certificate *certificate, size_t index) {
    return index < certificate->name_count ? certificate->names[index] : NULL;
}

void copenssl_cleanse(void *bytes, size_t size) { OPENSSL_cleanse(bytes, size); }

// MARK: - Clients' certificates

struct copenssl_clients {
    STACK_OF(X509) * roots;
    STACK_OF(X509_CRL) * revocations;
};

static int take_root(void *to, X509 *root) { return sk_X509_push(((struct copenssl_clients *)to)->roots, root); }

static int read_roots(struct copenssl_clients *clients, const void *bytes, size_t size) {
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    int problem = copenssl_read_certificates(bio, take_root, clients);
    BIO_free(bio);
    return problem == 0 && sk_X509_num(clients->roots) == 0 ? COPENSSL_NO_CERTIFICATE : problem;
}

static int read_revocations(struct copenssl_clients *clients, const void *bytes, size_t size) {
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    int problem = bio ? 0 : COPENSSL_OUT_OF_MEMORY, was_asked = 0;
    while (problem == 0) {
        X509_CRL *list = PEM_read_bio_X509_CRL(bio, NULL, no_passphrase, &was_asked);
        if (!list) {
            int is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            if (!is_end || sk_X509_CRL_num(clients->revocations) == 0) problem = COPENSSL_BAD_REVOCATIONS;
            break;
        }
        const ASN1_TIME *end = X509_CRL_get0_nextUpdate(list);
        if (end && X509_cmp_current_time(end) < 0) problem = COPENSSL_OLD_REVOCATIONS;
        if (problem || !sk_X509_CRL_push(clients->revocations, list)) {
            X509_CRL_free(list);
            if (problem == 0) problem = COPENSSL_OUT_OF_MEMORY;
        }
    }
    BIO_free(bio);
    return problem;
}

struct copenssl_clients *copenssl_clients_read(
    const void *roots, size_t roots_size, const void *revocations, size_t revocations_size, int *problem) {
    *problem = COPENSSL_OUT_OF_MEMORY;
    if (!copenssl_is_set_up() || roots_size > INT32_MAX || revocations_size > INT32_MAX) return NULL;
    struct copenssl_clients *clients = OPENSSL_zalloc(sizeof *clients);
    if (!clients) return NULL;
    clients->roots = sk_X509_new_null();
    clients->revocations = sk_X509_CRL_new_null();
    if (clients->roots && clients->revocations) {
        ERR_clear_error();
        *problem = read_roots(clients, roots, roots_size);
        ERR_clear_error();
        if (*problem == 0 && revocations) *problem = read_revocations(clients, revocations, revocations_size);
        ERR_clear_error();
    }
    if (*problem == 0) return clients;
    copenssl_clients_free(clients);
    return NULL;
}

void copenssl_clients_free(struct copenssl_clients *clients) {
    sk_X509_pop_free(clients->roots, X509_free);
    sk_X509_CRL_pop_free(clients->revocations, X509_CRL_free);
    OPENSSL_free(clients);
}

// MARK: - Stapled responses

struct staple {
    // Not shown after that; 0: it says nothing of an end.
    time_t end;
    size_t size;
    unsigned char bytes[];
};

static void free_staple(void *parent, void *staple, CRYPTO_EX_DATA *data, int index, long number, void *pointer) {
    (void)parent, (void)data, (void)index, (void)number, (void)pointer;
    OPENSSL_free(staple);
}

// What a response says of a certificate; the names of its issuer are in the certificate, its key in the chain.
static OCSP_SINGLERESP *find_response(OCSP_BASICRESP *basic, const struct copenssl_certificate *certificate) {
    const X509_NAME *issuer = X509_get_issuer_name(certificate->leaf);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate->leaf);
    // A certificate that signs itself is its own issuer.
    X509 *parent = X509_NAME_cmp(issuer, X509_get_subject_name(certificate->leaf)) == 0 ? certificate->leaf : NULL;
    for (int index = 0; index < sk_X509_num(certificate->chain) && !parent; index++) {
        X509 *other = sk_X509_value(certificate->chain, index);
        if (X509_NAME_cmp(issuer, X509_get_subject_name(other)) == 0) parent = other;
    }
    for (int index = 0; index < OCSP_resp_count(basic); index++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, index);
        const OCSP_CERTID *named = OCSP_SINGLERESP_get0_id(single);
        ASN1_OBJECT *digest = NULL;
        ASN1_INTEGER *number = NULL;
        ASN1_OCTET_STRING *key_hash = NULL;
        OCSP_id_get0_info(NULL, &digest, &key_hash, &number, (OCSP_CERTID *)named);
        const EVP_MD *method = EVP_get_digestbyobj(digest);
        if (!method || ASN1_INTEGER_cmp(number, serial) != 0) continue;
        OCSP_CERTID *wanted;
        if (parent) {
            wanted = OCSP_cert_to_id(method, certificate->leaf, parent);
        } else {
            // Without its issuer the name alone tells.
            ASN1_BIT_STRING key = {.length = 0};
            wanted = OCSP_cert_id_new(method, issuer, &key, serial);
            if (wanted) {
                ASN1_OCTET_STRING *hash = NULL;
                OCSP_id_get0_info(NULL, NULL, &hash, NULL, wanted);
                ASN1_OCTET_STRING_set(hash, ASN1_STRING_get0_data(key_hash), ASN1_STRING_length(key_hash));
            }
        }
        int is_same = wanted && OCSP_id_cmp(wanted, named) == 0;
        OCSP_CERTID_free(wanted);
        if (is_same) return single;
    }
    return NULL;
}

static int read_staple(struct copenssl_certificate *certificate, OCSP_RESPONSE *response, time_t *end) {
    if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL) return COPENSSL_FAILED_RESPONSE;
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    if (!basic) return COPENSSL_BAD_RESPONSE;
    int problem = 0;
    OCSP_SINGLERESP *single = find_response(basic, certificate);
    if (!single) {
        problem = COPENSSL_OTHER_RESPONSE;
    } else {
        ASN1_GENERALIZEDTIME *begun = NULL, *ends = NULL;
        int status = OCSP_single_get0_status(single, NULL, NULL, &begun, &ends);
        struct tm parts;
        if (status == V_OCSP_CERTSTATUS_REVOKED) problem = COPENSSL_REVOKED_RESPONSE;
        else if (status != V_OCSP_CERTSTATUS_GOOD) problem = COPENSSL_OTHER_RESPONSE;
        // Clocks may differ by five minutes.
        else if (!OCSP_check_validity(begun, ends, 300, -1)) problem = COPENSSL_OLD_RESPONSE;
        else if (ends && ASN1_TIME_to_tm(ends, &parts) == 1) *end = timegm(&parts);
    }
    OCSP_BASICRESP_free(basic);
    return problem;
}

int copenssl_certificate_staple(struct copenssl_certificate *certificate, const void *bytes, size_t size) {
    ERR_clear_error();
    const unsigned char *place = bytes;
    OCSP_RESPONSE *response = size > 0 && size <= 65535 ? d2i_OCSP_RESPONSE(NULL, &place, (long)size) : NULL;
    if (!response || place != (const unsigned char *)bytes + size) {
        OCSP_RESPONSE_free(response);
        ERR_clear_error();
        return COPENSSL_BAD_RESPONSE;
    }
    time_t end = 0;
    int problem = read_staple(certificate, response, &end);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    if (problem) return problem;
    struct staple *staple = OPENSSL_malloc(sizeof *staple + size);
    if (!staple) return COPENSSL_OUT_OF_MEMORY;
    staple->end = end;
    staple->size = size;
    memcpy(staple->bytes, bytes, size);
    if (!X509_set_ex_data(certificate->leaf, staple_index, staple)) {
        OPENSSL_free(staple);
        return COPENSSL_OUT_OF_MEMORY;
    }
    return 0;
}

// RFC 6066 §8: the client asks for the status of the certificate that it is about to be shown.
static int show_staple(SSL *session, void *pointer) {
    (void)pointer;
    X509 *certificate = SSL_get_certificate(session);
    const struct staple *staple = certificate ? X509_get_ex_data(certificate, staple_index) : NULL;
    if (!staple || (staple->end && time(NULL) > staple->end)) return SSL_TLSEXT_ERR_NOACK;
    unsigned char *copy = OPENSSL_memdup(staple->bytes, staple->size);
    if (!copy) return SSL_TLSEXT_ERR_NOACK;
    if (!SSL_set_tlsext_status_ocsp_resp(session, copy, (long)staple->size)) {
        OPENSSL_free(copy);
        return SSL_TLSEXT_ERR_NOACK;
    }
    return SSL_TLSEXT_ERR_OK;
}

// MARK: - Ticket keys

enum { TICKET_WORDS = COPENSSL_TICKETS * COPENSSL_TICKET_KEY / 8 };

// One writer at a time, and readers that look again if it wrote meanwhile.
struct copenssl_tickets {
    atomic_int references;
    atomic_uint sequence;
    atomic_uint count;
    _Atomic uint64_t words[TICKET_WORDS];
};

struct copenssl_tickets *copenssl_tickets_make(void) {
    if (!copenssl_is_set_up()) return NULL;
    struct copenssl_tickets *tickets = OPENSSL_zalloc(sizeof *tickets);
    if (tickets) atomic_init(&tickets->references, 1);
    return tickets;
}

void copenssl_tickets_free(struct copenssl_tickets *tickets) {
    if (atomic_fetch_sub_explicit(&tickets->references, 1, memory_order_acq_rel) != 1) return;
    OPENSSL_clear_free(tickets, sizeof *tickets);
}

static void free_tickets(void *parent, void *tickets, CRYPTO_EX_DATA *data, int index, long number, void *pointer) {
    (void)parent, (void)data, (void)index, (void)number, (void)pointer;
    if (tickets) copenssl_tickets_free(tickets);
}

void copenssl_tickets_set(struct copenssl_tickets *tickets, const uint8_t *keys, size_t count) {
    if (count > COPENSSL_TICKETS) count = COPENSSL_TICKETS;
    unsigned int sequence = atomic_load_explicit(&tickets->sequence, memory_order_relaxed);
    atomic_store_explicit(&tickets->sequence, sequence + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&tickets->count, (unsigned int)count, memory_order_relaxed);
    for (size_t index = 0; index < count * COPENSSL_TICKET_KEY / 8; index++) {
        uint64_t word;
        memcpy(&word, keys + index * 8, 8);
        atomic_store_explicit(&tickets->words[index], word, memory_order_relaxed);
    }
    atomic_store_explicit(&tickets->sequence, sequence + 2, memory_order_release);
}

// Copies the keys; how many there are.
static size_t read_tickets(struct copenssl_tickets *tickets, uint64_t keys[TICKET_WORDS]) {
    while (1) {
        unsigned int sequence = atomic_load_explicit(&tickets->sequence, memory_order_acquire);
        size_t count = atomic_load_explicit(&tickets->count, memory_order_relaxed);
        for (size_t index = 0; index < count * COPENSSL_TICKET_KEY / 8; index++) {
            keys[index] = atomic_load_explicit(&tickets->words[index], memory_order_relaxed);
        }
        atomic_thread_fence(memory_order_acquire);
        if (sequence % 2 == 0 && sequence == atomic_load_explicit(&tickets->sequence, memory_order_relaxed)) return count;
    }
}

// A key as nginx writes it: a name of 16 bytes, 32 for HMAC, 32 for AES-256; or a name, 16 for AES-128, 16 for HMAC, and zeros.
static int begin_ticket(const uint8_t *key, const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seals) {
    int is_long = key[0] != 48;
    const uint8_t *bytes = key + 8;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(bytes + (is_long ? 16 : 32)), is_long ? 32 : 16),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0), OSSL_PARAM_construct_end()};
    const EVP_CIPHER *method = is_long ? long_ticket_cipher : short_ticket_cipher;
    const uint8_t *secret = bytes + (is_long ? 48 : 16);
    return EVP_MAC_CTX_set_params(mac, parameters) && EVP_CipherInit_ex(cipher, method, NULL, secret, iv, seals);
}

// 0: there is no key for it; 1: go on; 2: go on, and give it another ticket.
static int use_ticket(SSL *session, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                      int seals) {
    struct copenssl_tickets *tickets = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(session), tickets_index);
    uint64_t words[TICKET_WORDS];
    size_t count = read_tickets(tickets, words);
    const uint8_t *keys = (const uint8_t *)words;
    int result = 0;
    if (seals && count > 0) {
        memcpy(name, keys + 8, 16);
        result = RAND_bytes(iv, 16) == 1 && begin_ticket(keys, iv, cipher, mac, 1) ? 1 : -1;
    }
    for (size_t index = 0; index < count && !seals; index++) {
        const uint8_t *key = keys + index * COPENSSL_TICKET_KEY;
        if (CRYPTO_memcmp(key + 8, name, 16) != 0) continue;
        // Another one is given for a key that is about to go, and to clients of TLS 1.3, who use each ticket once (RFC 8446 appendix C.4).
        int renews = index > 0 || SSL_version(session) >= TLS1_3_VERSION;
        result = begin_ticket(key, iv, cipher, mac, 0) ? (renews ? 2 : 1) : -1;
        break;
    }
    OPENSSL_cleanse(words, sizeof words);
    return result;
}

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

// MARK: - Keys for debugging

static atomic_int key_log = -1;

void copenssl_log_keys(int descriptor) { atomic_store(&key_log, descriptor); }

static void write_keys(const char *line) {
    char text[512];
    size_t size = strlen(line);
    if (size >= sizeof text) return;
    memcpy(text, line, size);
    text[size] = '\n';
    // In one piece, as those of several threads go into one file.
    ssize_t written = write(atomic_load(&key_log), text, size + 1);
    (void)written;
    OPENSSL_cleanse(text, sizeof text);
}

static void hear_keys(const SSL *session, const char *line) {
    if (atomic_load(&key_log) >= 0) write_keys(line);
    copenssl_hear_secret(session, line);
}

static void hear_logged_keys(const SSL *session, const char *line) {
    (void)session;
    write_keys(line);
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

void copenssl_set_modes(SSL_CTX *context) {
    // The buffers of a session that is quiet are given back.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    if (copenssl_hear_messages(context)) {
        SSL_CTX_set_keylog_callback(context, hear_keys);
    } else if (atomic_load(&key_log) >= 0) {
        SSL_CTX_set_keylog_callback(context, hear_logged_keys);
    }
}

SSL_CTX *copenssl_context_make(int min_version) {
    if (!copenssl_is_set_up()) return NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context) return NULL;
    copenssl_set_modes(context);
    // Tickets are all there is to be resumed by: nothing is kept here, and no lock is taken for it.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_tlsext_servername_callback(context, choose_context);
    SSL_CTX_set_tlsext_status_cb(context, show_staple);
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

int copenssl_context_set_tickets(SSL_CTX *context, struct copenssl_tickets *tickets) {
    if (!tickets) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        // What TLS 1.3 would send instead names a session that is kept here, and none is.
        return SSL_CTX_set_num_tickets(context, 0);
    }
    if (!SSL_CTX_set_ex_data(context, tickets_index, tickets)) return 0;
    atomic_fetch_add_explicit(&tickets->references, 1, memory_order_relaxed);
    return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, use_ticket) == 1;
}

int copenssl_context_set_clients(
    SSL_CTX *context, const struct copenssl_clients *clients, int depth, int is_required) {
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    for (int index = 0; index < sk_X509_num(clients->roots); index++) {
        X509 *root = sk_X509_value(clients->roots, index);
        if (!X509_STORE_add_cert(store, root) || !SSL_CTX_add_client_CA(context, root)) return 0;
    }
    for (int index = 0; index < sk_X509_CRL_num(clients->revocations); index++) {
        if (!X509_STORE_add_crl(store, sk_X509_CRL_value(clients->revocations, index))) return 0;
    }
    // Whatever stands in the file is trusted, be it a root or below one.
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
    if (sk_X509_CRL_num(clients->revocations) > 0) flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    X509_STORE_set_flags(store, flags);
    SSL_CTX_set_verify_depth(context, depth);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    return 1;
}

void copenssl_error_text(char *text, size_t size) {
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    strncpy(text, reason ? reason : "OpenSSL does not say why", size - 1);
    text[size - 1] = 0;
    ERR_clear_error();
}

// MARK: - Sessions

SSL *copenssl_session_begin(SSL_CTX *context, struct copenssl_io *io) {
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
    return session;
}

SSL *copenssl_session_make(SSL_CTX *context, struct copenssl_io *io) {
    SSL *session = copenssl_session_begin(context, io);
    if (session) SSL_set_accept_state(session);
    return session;
}

void copenssl_session_free(SSL *session) {
    // An end without a word says nothing against the tickets that it has given; a fatal alert has made them useless already.
    if (session && !SSL_in_init(session)) SSL_set_shutdown(session, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(session);
}

// What an earlier call left in the thread's queue of errors would be taken for this one's. A look is cheap, clearing is not.
static void forget_errors(void) {
    if (ERR_peek_error()) ERR_clear_error();
}

// Why a peer's certificate is not taken.
static int refusal(SSL *session) {
    switch (SSL_get_verify_result(session)) {
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED: return COPENSSL_OLD_PEER;
    case X509_V_ERR_CERT_REVOKED: return COPENSSL_REVOKED_PEER;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return COPENSSL_OTHER_PEER;
    default: return COPENSSL_UNKNOWN_PEER;
    }
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
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return COPENSSL_NO_PEER;
    case SSL_R_CERTIFICATE_VERIFY_FAILED: return refusal(session);
    default: return COPENSSL_FAILED;
    }
}

int copenssl_handshake(SSL *session) {
    forget_errors();
    int result = SSL_do_handshake(session);
    if (result != 1) return failure(session, result);
    // It has been shown.
    SSL_set_tlsext_status_ocsp_resp(session, NULL, 0);
    return 1;
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

const uint8_t *copenssl_session_text(const SSL *session, int text, size_t *size) {
    const unsigned char *protocol = NULL;
    unsigned int protocol_size = 0;
    const char *found = NULL;
    switch (text) {
    case COPENSSL_SESSION_HOST:
        // Of a session that was taken up again TLS 1.2 has the name of the first connection, whatever this one asked for.
        if (!SSL_session_reused(session) || SSL_version(session) >= TLS1_3_VERSION) {
            found = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
        }
        break;
    case COPENSSL_SESSION_PROTOCOL:
        SSL_get0_alpn_selected(session, &protocol, &protocol_size);
        *size = protocol_size;
        return protocol;
    case COPENSSL_SESSION_VERSION: found = SSL_get_version(session); break;
    default: found = SSL_get_cipher_name(session); break;
    }
    *size = found ? strlen(found) : 0;
    return (const uint8_t *)found;
}

// MARK: - The peer's certificate

struct peer {
    char *texts[COPENSSL_PEER_TEXTS];
    size_t sizes[COPENSSL_PEER_TEXTS];
};

static void free_peer(void *parent, void *pointer, CRYPTO_EX_DATA *data, int index, long number, void *argument) {
    (void)parent, (void)data, (void)index, (void)number, (void)argument;
    struct peer *peer = pointer;
    if (!peer) return;
    for (int text = 0; text < COPENSSL_PEER_TEXTS; text++) OPENSSL_free(peer->texts[text]);
    OPENSSL_free(peer);
}

static void write_hexadecimal(BIO *bio, const unsigned char *bytes, unsigned int size) {
    for (unsigned int index = 0; index < size; index++) BIO_printf(bio, "%02x", bytes[index]);
}

// RFC 9440 §2.2: Base64 of the DER, between colons.
static void write_field(BIO *bio, X509 *certificate) {
    unsigned char *bytes = NULL;
    int size = i2d_X509(certificate, &bytes);
    if (size <= 0) return;
    unsigned char *text = OPENSSL_malloc((size_t)(size + 2) / 3 * 4 + 1);
    if (text) BIO_printf(bio, ":%.*s:", EVP_EncodeBlock(text, bytes, size), (char *)text);
    OPENSSL_free(text);
    OPENSSL_free(bytes);
}

static void write_common_name(BIO *bio, X509 *certificate) {
    X509_NAME *name = X509_get_subject_name(certificate);
    int index = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (index < 0) return;
    unsigned char *text = NULL;
    int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
    if (size > 0) BIO_write(bio, text, size);
    OPENSSL_free(text);
}

static void write_text(BIO *bio, X509 *certificate, int text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    switch (text) {
    case COPENSSL_PEER_SUBJECT: X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253); break;
    case COPENSSL_PEER_ISSUER: X509_NAME_print_ex(bio, X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253); break;
    case COPENSSL_PEER_SERIAL: i2a_ASN1_INTEGER(bio, X509_get_serialNumber(certificate)); break;
    case COPENSSL_PEER_FINGERPRINT:
        if (X509_digest(certificate, EVP_sha256(), digest, &size)) write_hexadecimal(bio, digest, size);
        break;
    case COPENSSL_PEER_COMMON_NAME: write_common_name(bio, certificate); break;
    default: write_field(bio, certificate); break;
    }
}

int copenssl_has_peer(const SSL *session) { return SSL_get0_peer_certificate(session) != NULL; }

const uint8_t *copenssl_peer_text(SSL *session, int text, size_t *size) {
    *size = 0;
    X509 *certificate = SSL_get0_peer_certificate(session);
    if (!certificate || text < 0 || text >= COPENSSL_PEER_TEXTS) return NULL;
    struct peer *peer = SSL_get_ex_data(session, peer_index);
    if (!peer) {
        peer = OPENSSL_zalloc(sizeof *peer);
        if (!peer || !SSL_set_ex_data(session, peer_index, peer)) {
            OPENSSL_free(peer);
            return NULL;
        }
    }
    if (!peer->texts[text]) {
        BIO *bio = BIO_new(BIO_s_mem());
        if (!bio) return NULL;
        write_text(bio, certificate, text);
        char *bytes = NULL;
        long count = BIO_get_mem_data(bio, &bytes);
        if (count > 0) peer->texts[text] = OPENSSL_memdup(bytes, (size_t)count);
        if (peer->texts[text]) peer->sizes[text] = (size_t)count;
        BIO_free(bio);
        ERR_clear_error();
    }
    *size = peer->sizes[text];
    return (const uint8_t *)peer->texts[text];
}
