#include "CTestTLS.h"

#include <linux/tls.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

// MARK: - Client

struct ctest_client {
    SSL_CTX *context;
    SSL *session;
    SSL_SESSION *ticket;
    char error[256];
    // Of TLS 1.3, for records of its own making.
    unsigned char secret[48];
    size_t secret_size;
    uint64_t record_number;
    // Of a server's end: what it chooses by ALPN, with its size before it; of size 0: nothing.
    unsigned char protocol[16];
};

static int keep_ticket(SSL *session, SSL_SESSION *ticket) {
    struct ctest_client *client = SSL_get_app_data(session);
    SSL_SESSION_free(client->ticket);
    client->ticket = ticket;
    return 1;
}

static void keep_secret(const SSL *session, const char *line) {
    struct ctest_client *client = SSL_get_app_data(session);
    static const char label[] = "CLIENT_TRAFFIC_SECRET_0 ";
    const char *hex = strrchr(line, ' ');
    if (strncmp(line, label, sizeof label - 1) != 0 || !hex) return;
    OPENSSL_hexstr2buf_ex(client->secret, sizeof client->secret, &client->secret_size, hex + 1, 0);
}

static int version_of(int number) {
    switch (number) {
    case 10: return TLS1_VERSION;
    case 11: return TLS1_1_VERSION;
    case 12: return TLS1_2_VERSION;
    default: return TLS1_3_VERSION;
    }
}

struct ctest_client *ctest_client_make(
    int least, int most, const char *host, const char *alpn, const char *ciphers, struct ctest_client *earlier) {
    struct ctest_client *client = calloc(1, sizeof *client);
    client->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(client->context, 0);
    SSL_CTX_set_min_proto_version(client->context, version_of(least));
    SSL_CTX_set_max_proto_version(client->context, version_of(most));
    SSL_CTX_set_session_cache_mode(client->context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client->context, keep_ticket);
    SSL_CTX_set_keylog_callback(client->context, keep_secret);
    if (ciphers) SSL_CTX_set_cipher_list(client->context, ciphers);
    client->session = SSL_new(client->context);
    SSL_set_app_data(client->session, client);
    SSL_set_bio(client->session, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(client->session);
    if (host) SSL_set_tlsext_host_name(client->session, host);
    if (alpn) {
        unsigned char offer[256];
        offer[0] = (unsigned char)strlen(alpn);
        memcpy(offer + 1, alpn, offer[0]);
        SSL_set_alpn_protos(client->session, offer, offer[0] + 1u);
    }
    if (earlier) {
        // Of one that went on itself TLS 1.2 does not tell: it has the newest ticket.
        SSL_SESSION *ticket = earlier->ticket ? earlier->ticket : SSL_get0_session(earlier->session);
        if (ticket) SSL_set_session(client->session, ticket);
    }
    return client;
}

void ctest_client_free(struct ctest_client *client) {
    SSL_free(client->session);
    SSL_SESSION_free(client->ticket);
    SSL_CTX_free(client->context);
    free(client);
}

static X509 *certificate_of(const char *text) {
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return certificate;
}

static EVP_PKEY *key_of(const char *text) {
    BIO *bio = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return key;
}

void ctest_client_certify(struct ctest_client *client, const char *certificate, const char *key) {
    X509 *shown = certificate_of(certificate);
    EVP_PKEY *secret = key_of(key);
    SSL_use_certificate(client->session, shown);
    SSL_use_PrivateKey(client->session, secret);
    X509_free(shown);
    EVP_PKEY_free(secret);
}

void ctest_client_ask_status(struct ctest_client *client) {
    SSL_set_tlsext_status_type(client->session, TLSEXT_STATUSTYPE_ocsp);
}

size_t ctest_client_status(struct ctest_client *client, void *bytes, size_t size) {
    const unsigned char *shown = NULL;
    long count = SSL_get_tlsext_status_ocsp_resp(client->session, &shown);
    if (count <= 0 || !shown) return 0;
    if ((size_t)count <= size) memcpy(bytes, shown, (size_t)count);
    return (size_t)count;
}

void ctest_client_give(struct ctest_client *client, const void *bytes, size_t size) {
    BIO_write(SSL_get_rbio(client->session), bytes, (int)size);
}

size_t ctest_client_take(struct ctest_client *client, void *bytes, size_t size) {
    int taken = BIO_read(SSL_get_wbio(client->session), bytes, (int)size);
    return taken > 0 ? (size_t)taken : 0;
}

static int outcome(struct ctest_client *client, int result) {
    if (result > 0) return result;
    switch (SSL_get_error(client->session, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return 0;
    case SSL_ERROR_ZERO_RETURN: return -1;
    default: break;
    }
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    strncpy(client->error, reason ? reason : "?", sizeof client->error - 1);
    ERR_clear_error();
    return -2;
}

int ctest_client_handshake(struct ctest_client *client) {
    ERR_clear_error();
    int result = outcome(client, SSL_do_handshake(client->session));
    return result < 0 ? -1 : result;
}

int ctest_client_read(struct ctest_client *client, void *bytes, size_t size) {
    ERR_clear_error();
    return outcome(client, SSL_read(client->session, bytes, (int)size));
}

int ctest_client_write(struct ctest_client *client, const void *bytes, size_t size) {
    ERR_clear_error();
    return outcome(client, SSL_write(client->session, bytes, (int)size));
}

void ctest_client_close(struct ctest_client *client) {
    ERR_clear_error();
    SSL_shutdown(client->session);
}

int ctest_client_update_keys(struct ctest_client *client) {
    return SSL_key_update(client->session, SSL_KEY_UPDATE_REQUESTED);
}

// HKDF-Expand-Label (RFC 8446 §7.1), with the hash that belongs to secrets of this size.
static void expand(const struct ctest_client *client, const char *label, unsigned char *key, size_t size) {
    unsigned char info[64] = {0, (unsigned char)size, (unsigned char)(6 + strlen(label))};
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, strlen(label));
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    EVP_PKEY_derive_init(context);
    EVP_PKEY_CTX_set_hkdf_mode(context, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY);
    EVP_PKEY_CTX_set_hkdf_md(context, client->secret_size == 48 ? EVP_sha384() : EVP_sha256());
    EVP_PKEY_CTX_set1_hkdf_key(context, client->secret, (int)client->secret_size);
    EVP_PKEY_CTX_add1_hkdf_info(context, info, (int)(10 + strlen(label)));
    EVP_PKEY_derive(context, key, &size);
    EVP_PKEY_CTX_free(context);
}

// A record of TLS 1.3 (RFC 8446 §5.2), where there is room for `size`, `padding` and 22 bytes: how many.
static size_t make_record(
    const EVP_CIPHER *cipher, const unsigned char *key, const unsigned char iv[12], uint64_t number, int type,
    const void *bytes, size_t size, size_t padding, unsigned char *out) {
    unsigned char nonce[12];
    memcpy(nonce, iv, sizeof nonce);
    for (int index = 0; index < 8; index++) nonce[11 - index] ^= (unsigned char)(number >> (8 * index));
    size_t inner = size + 1 + padding;
    unsigned char *content = calloc(1, inner);
    memcpy(content, bytes, size);
    content[size] = (unsigned char)type;
    unsigned char header[5] = {23, 3, 3, (unsigned char)((inner + 16) >> 8), (unsigned char)(inner + 16)};
    memcpy(out, header, sizeof header);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int count = 0;
    EVP_EncryptInit_ex(context, cipher, NULL, key, nonce);
    EVP_EncryptUpdate(context, NULL, &count, header, sizeof header);
    EVP_EncryptUpdate(context, out + 5, &count, content, (int)inner);
    EVP_EncryptFinal_ex(context, out + 5 + count, &count);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, out + 5 + inner);
    EVP_CIPHER_CTX_free(context);
    free(content);
    return 5 + inner + 16;
}

size_t ctest_client_record(
    struct ctest_client *client, int type, const void *bytes, size_t size, size_t padding, void *record) {
    unsigned char key[32], iv[12];
    expand(client, "key", key, client->secret_size == 48 ? 32 : 16);
    expand(client, "iv", iv, sizeof iv);
    const EVP_CIPHER *cipher = client->secret_size == 48 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
    return make_record(cipher, key, iv, client->record_number++, type, bytes, size, padding, record);
}

size_t ctest_kernel_record(const void *keys, uint64_t number, int type, const void *bytes, size_t size, void *record) {
    unsigned char iv[12];
    const unsigned char *key, *first;
    const EVP_CIPHER *cipher;
    union {
        struct tls_crypto_info info;
        struct tls12_crypto_info_aes_gcm_128 aes_128;
        struct tls12_crypto_info_aes_gcm_256 aes_256;
        struct tls12_crypto_info_chacha20_poly1305 chacha;
    } all;
    memcpy(&all.info, keys, sizeof all.info);
    if (all.info.version != TLS_1_3_VERSION) return 0;
    switch (all.info.cipher_type) {
    case TLS_CIPHER_AES_GCM_128:
        memcpy(&all, keys, sizeof all.aes_128);
        cipher = EVP_aes_128_gcm(), key = all.aes_128.key, first = all.aes_128.rec_seq;
        memcpy(iv, all.aes_128.salt, 4), memcpy(iv + 4, all.aes_128.iv, 8);
        break;
    case TLS_CIPHER_AES_GCM_256:
        memcpy(&all, keys, sizeof all.aes_256);
        cipher = EVP_aes_256_gcm(), key = all.aes_256.key, first = all.aes_256.rec_seq;
        memcpy(iv, all.aes_256.salt, 4), memcpy(iv + 4, all.aes_256.iv, 8);
        break;
    case TLS_CIPHER_CHACHA20_POLY1305:
        memcpy(&all, keys, sizeof all.chacha);
        cipher = EVP_chacha20_poly1305(), key = all.chacha.key, first = all.chacha.rec_seq;
        memcpy(iv, all.chacha.iv, 12);
        break;
    default: return 0;
    }
    uint64_t start = 0;
    for (int index = 0; index < 8; index++) start = start << 8 | first[index];
    return make_record(cipher, key, iv, start + number, type, bytes, size, 0, record);
}

void ctest_client_renew_keys(struct ctest_client *client) {
    unsigned char next[48];
    expand(client, "traffic upd", next, client->secret_size);
    memcpy(client->secret, next, client->secret_size);
    client->record_number = 0;
}

int ctest_client_version(const struct ctest_client *client) {
    return SSL_version(client->session) - TLS1_VERSION + 10;
}

int ctest_client_is_resumed(const struct ctest_client *client) { return SSL_session_reused(client->session); }

int ctest_client_peer(const struct ctest_client *client, char *name, size_t size) {
    X509 *certificate = SSL_get0_peer_certificate(client->session);
    name[0] = 0;
    if (!certificate) return 0;
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, (int)size);
    switch (EVP_PKEY_get_base_id(X509_get0_pubkey(certificate))) {
    case EVP_PKEY_EC: return CTEST_ECDSA;
    case EVP_PKEY_ED25519: return CTEST_ED25519;
    default: return CTEST_RSA;
    }
}

void ctest_client_protocol(const struct ctest_client *client, char *name, size_t size) {
    const unsigned char *chosen = NULL;
    unsigned int length = 0;
    SSL_get0_alpn_selected(client->session, &chosen, &length);
    if (length >= size) length = (unsigned int)size - 1;
    if (length) memcpy(name, chosen, length);
    name[length] = 0;
}

const char *ctest_client_host(const struct ctest_client *client) {
    const char *host = SSL_get_servername(client->session, TLSEXT_NAMETYPE_host_name);
    return host ? host : "";
}

const char *ctest_client_error(const struct ctest_client *client) { return client->error; }

// MARK: - Server

struct ctest_server {
    SSL_CTX *context;
    // Of the ends that it makes from now on.
    unsigned char protocol[16];
};

static int choose(
    SSL *session, const unsigned char **chosen, unsigned char *size, const unsigned char *offered,
    unsigned int offered_size, void *pointer) {
    (void)pointer;
    const unsigned char *spoken = ((struct ctest_client *)SSL_get_app_data(session))->protocol;
    if (spoken[0] == 0) return SSL_TLSEXT_ERR_NOACK;
    unsigned char *found = NULL;
    if (SSL_select_next_proto(&found, size, spoken, spoken[0] + 1u, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

struct ctest_server *ctest_server_make(
    const char *certificate, const char *key, const char *client_authority, int least, int most) {
    struct ctest_server *server = calloc(1, sizeof *server);
    server->context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(server->context, 0);
    SSL_CTX_set_min_proto_version(server->context, version_of(least));
    SSL_CTX_set_max_proto_version(server->context, version_of(most));
    SSL_CTX_set_session_id_context(server->context, (const unsigned char *)"test", 4);
    SSL_CTX_set_alpn_select_cb(server->context, choose, NULL);
    ctest_server_speak(server, "http/1.1");
    X509 *leaf = certificate_of(certificate);
    EVP_PKEY *private = key_of(key);
    SSL_CTX_use_certificate(server->context, leaf);
    SSL_CTX_use_PrivateKey(server->context, private);
    X509_free(leaf);
    EVP_PKEY_free(private);
    if (client_authority) {
        X509 *authority = certificate_of(client_authority);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(server->context), authority);
        X509_free(authority);
        SSL_CTX_set_verify(server->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    return server;
}

void ctest_server_speak(struct ctest_server *server, const char *protocol) {
    server->protocol[0] = (unsigned char)strlen(protocol);
    memcpy(server->protocol + 1, protocol, server->protocol[0]);
}

void ctest_server_give_no_tickets(struct ctest_server *server) {
    SSL_CTX_set_num_tickets(server->context, 0);
    SSL_CTX_set_options(server->context, SSL_OP_NO_TICKET);
}

void ctest_server_free(struct ctest_server *server) {
    SSL_CTX_free(server->context);
    free(server);
}

struct ctest_client *ctest_server_accept(struct ctest_server *server) {
    struct ctest_client *end = calloc(1, sizeof *end);
    SSL_CTX_up_ref(server->context);
    end->context = server->context;
    end->session = SSL_new(server->context);
    SSL_set_app_data(end->session, end);
    memcpy(end->protocol, server->protocol, sizeof end->protocol);
    SSL_set_bio(end->session, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(end->session);
    return end;
}

// MARK: - Certificates

static char *text_of(BIO *bio) {
    char *bytes = NULL;
    long size = BIO_get_mem_data(bio, &bytes);
    char *text = malloc((size_t)size + 1);
    memcpy(text, bytes, (size_t)size);
    text[size] = 0;
    BIO_free(bio);
    return text;
}

char *ctest_key(int kind, const char *passphrase) {
    EVP_PKEY *key = NULL;
    switch (kind) {
    case CTEST_RSA: key = EVP_RSA_gen(2048); break;
    case CTEST_SMALL_RSA: key = EVP_RSA_gen(1024); break;
    case CTEST_ED25519: key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); break;
    default: key = EVP_EC_gen("P-256"); break;
    }
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, passphrase ? EVP_aes_128_cbc() : NULL, NULL, 0, NULL, (void *)passphrase);
    EVP_PKEY_free(key);
    return text_of(bio);
}

static void add_alternatives(X509 *certificate, const char *names) {
    GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
    for (const char *start = names; *start;) {
        size_t size = strcspn(start, ",");
        char one[256] = {0};
        memcpy(one, start, size < sizeof one ? size : sizeof one - 1);
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_OCTET_STRING *address = a2i_IPADDRESS(one);
        if (address) {
            GENERAL_NAME_set0_value(name, GEN_IPADD, address);
        } else {
            ASN1_IA5STRING *text = ASN1_IA5STRING_new();
            ASN1_STRING_set(text, one, -1);
            GENERAL_NAME_set0_value(name, GEN_DNS, text);
        }
        sk_GENERAL_NAME_push(all, name);
        start += size + (start[size] == ',');
    }
    X509_add1_ext_i2d(certificate, NID_subject_alt_name, all, 0, 0);
    GENERAL_NAMES_free(all);
}

static char *text_of_certificate(X509 *certificate) {
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    X509_free(certificate);
    return text_of(bio);
}

static X509 *new_certificate(EVP_PKEY *key, const char *names, long number, long begin, long end) {
    X509 *certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), number);
    X509_gmtime_adj(X509_getm_notBefore(certificate), begin);
    X509_gmtime_adj(X509_getm_notAfter(certificate), end);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(
        X509_get_subject_name(certificate), "CN", MBSTRING_ASC, (const unsigned char *)names, (int)strcspn(names, ","), -1,
        0);
    return certificate;
}

static void sign(X509 *certificate, X509 *issuer, EVP_PKEY *key) {
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
    X509_sign(certificate, key, EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256());
}

char *ctest_certificate(const char *key_text, const char *names, int has_alternatives, long begin, long end) {
    EVP_PKEY *key = key_of(key_text);
    X509 *certificate = new_certificate(key, names, 1, begin, end);
    if (has_alternatives) add_alternatives(certificate, names);
    sign(certificate, NULL, key);
    EVP_PKEY_free(key);
    return text_of_certificate(certificate);
}

char *ctest_signed_certificate(
    const char *key_text, const char *names, const char *issuer_text, const char *issuer_key_text, int is_authority,
    long number, long begin, long end) {
    EVP_PKEY *key = key_of(key_text);
    X509 *certificate = new_certificate(key, names, number, begin, end);
    add_alternatives(certificate, names);
    if (is_authority) {
        BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
        constraints->ca = 0xFF;
        X509_add1_ext_i2d(certificate, NID_basic_constraints, constraints, 1, 0);
        BASIC_CONSTRAINTS_free(constraints);
    }
    X509 *issuer = issuer_text ? certificate_of(issuer_text) : NULL;
    EVP_PKEY *issuer_key = issuer_text ? key_of(issuer_key_text) : NULL;
    sign(certificate, issuer, issuer_key ? issuer_key : key);
    EVP_PKEY_free(issuer_key);
    X509_free(issuer);
    EVP_PKEY_free(key);
    return text_of_certificate(certificate);
}

char *ctest_revocations(const char *issuer_text, const char *issuer_key_text, long number, long end) {
    X509 *issuer = certificate_of(issuer_text);
    EVP_PKEY *key = key_of(issuer_key_text);
    X509_CRL *list = X509_CRL_new();
    X509_CRL_set_version(list, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer));
    ASN1_TIME *time = X509_gmtime_adj(NULL, -7200);
    X509_CRL_set1_lastUpdate(list, time);
    X509_gmtime_adj(time, end);
    X509_CRL_set1_nextUpdate(list, time);
    if (number) {
        X509_REVOKED *revoked = X509_REVOKED_new();
        ASN1_INTEGER *serial = ASN1_INTEGER_new();
        ASN1_INTEGER_set(serial, number);
        X509_REVOKED_set_serialNumber(revoked, serial);
        X509_gmtime_adj(time, -3600);
        X509_REVOKED_set_revocationDate(revoked, time);
        X509_CRL_add0_revoked(list, revoked);
        ASN1_INTEGER_free(serial);
    }
    X509_CRL_sort(list);
    X509_CRL_sign(list, key, EVP_sha256());
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509_CRL(bio, list);
    ASN1_TIME_free(time);
    X509_CRL_free(list);
    EVP_PKEY_free(key);
    X509_free(issuer);
    return text_of(bio);
}

size_t ctest_response(
    const char *certificate_text, const char *issuer_text, const char *issuer_key_text, int is_revoked, long begin, long end,
    void *bytes, size_t size) {
    X509 *certificate = certificate_of(certificate_text), *issuer = certificate_of(issuer_text);
    EVP_PKEY *key = key_of(issuer_key_text);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), certificate, issuer);
    ASN1_TIME *from = X509_gmtime_adj(NULL, begin), *until = X509_gmtime_adj(NULL, end);
    OCSP_basic_add1_status(
        basic, id, is_revoked ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD, 0, is_revoked ? from : NULL, from, until);
    OCSP_basic_sign(basic, issuer, key, EVP_sha256(), NULL, 0);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char *place = NULL;
    int count = i2d_OCSP_RESPONSE(response, &place);
    if (count > 0 && (size_t)count <= size) memcpy(bytes, place, (size_t)count);
    OPENSSL_free(place);
    OCSP_RESPONSE_free(response);
    OCSP_CERTID_free(id);
    OCSP_BASICRESP_free(basic);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    EVP_PKEY_free(key);
    X509_free(issuer);
    X509_free(certificate);
    return count > 0 && (size_t)count <= size ? (size_t)count : 0;
}

void ctest_free(void *text) { free(text); }
