// memfd_create(2).
#define _GNU_SOURCE

#include "CMaxMindDB.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

struct cmaxminddb {
    MMDB_s file;
    int kinds;
};

// MARK: - Entries

/// A text of one to four printable characters as a number; 0 for any other.
static uint32_t code(const MMDB_entry_data_s *data) {
    if (!data->has_data || data->type != MMDB_DATA_TYPE_UTF8_STRING || data->data_size > 4) return 0;
    uint32_t code = 0;
    for (uint32_t index = 0; index < data->data_size; index++) {
        unsigned char byte = (unsigned char)data->utf8_string[index];
        if (byte <= ' ' || byte >= 127) return 0;
        code = code << 8 | byte;
    }
    return code;
}

// MMDB_get_value allocates; MMDB_aget_value does not.
static uint32_t code_at(MMDB_entry_s *entry, const char *const *path) {
    MMDB_entry_data_s data;
    return MMDB_aget_value(entry, &data, path) == MMDB_SUCCESS ? code(&data) : 0;
}

static uint32_t country(MMDB_entry_s *entry) {
    static const char *const country[] = {"country", "iso_code", NULL};
    static const char *const registered[] = {"registered_country", "iso_code", NULL};
    uint32_t found = code_at(entry, country);
    return found ? found : code_at(entry, registered);
}

static uint32_t region(MMDB_entry_s *entry) {
    static const char *const path[] = {"subdivisions", "0", "iso_code", NULL};
    return code_at(entry, path);
}

static uint32_t autonomous_system(MMDB_entry_s *entry) {
    static const char *const path[] = {"autonomous_system_number", NULL};
    MMDB_entry_data_s data;
    if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data) return 0;
    switch (data.type) {
    case MMDB_DATA_TYPE_UINT32: return data.uint32;
    case MMDB_DATA_TYPE_UINT16: return data.uint16;
    case MMDB_DATA_TYPE_UINT64: return data.uint64 > UINT32_MAX ? 0 : (uint32_t)data.uint64;
    default: return 0;
    }
}

// MARK: - Opening

/// A descriptor of memory that holds what a file does; -errno if that fails.
static int copy(const char *path, uint64_t limit) {
    // Not blocking: nobody may write into a pipe.
    int source = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (source < 0) return -errno;
    struct stat status;
    int memory = -1, error = 0;
    if (fstat(source, &status) < 0) error = errno;
    else if (S_ISDIR(status.st_mode)) error = EISDIR;
    else if (!S_ISREG(status.st_mode)) error = ENXIO;
    else if ((uint64_t)status.st_size > limit) error = EFBIG;
    else if ((memory = memfd_create("geo", MFD_CLOEXEC)) < 0) error = errno;
    uint64_t size = 0;
    while (!error && size <= limit) {
        ssize_t count = sendfile(memory, source, NULL, 1 << 30);
        if (count == 0) break;
        if (count < 0 && errno != EINTR) error = errno;
        if (count > 0) size += (uint64_t)count;
    }
    // It grew while it was read.
    if (size > limit) error = EFBIG;
    close(source);
    if (!error) return memory;
    if (memory >= 0) close(memory);
    return -error;
}

/// Looks at the records of a node, and at what stands behind them if it is one of those that are asked.
static int check_record(struct cmaxminddb *database, uint8_t type, MMDB_entry_s *entry, int asks) {
    if (type == MMDB_RECORD_TYPE_INVALID) return MMDB_CORRUPT_SEARCH_TREE_ERROR;
    if (type != MMDB_RECORD_TYPE_DATA) return MMDB_SUCCESS;
    if (asks) {
        if (!(database->kinds & CMAXMINDDB_COUNTRY) && country(entry)) database->kinds |= CMAXMINDDB_COUNTRY;
        if (!(database->kinds & CMAXMINDDB_REGION) && region(entry)) database->kinds |= CMAXMINDDB_REGION;
        if (!(database->kinds & CMAXMINDDB_SYSTEM) && autonomous_system(entry))
            database->kinds |= CMAXMINDDB_SYSTEM;
    }
    return MMDB_SUCCESS;
}

/// Every record of the tree leads to somewhere in the file. What the entries tell is asked of some 65,536 nodes, evenly over the
/// tree: of millions it would take seconds.
static int check(struct cmaxminddb *database) {
    uint32_t count = database->file.metadata.node_count;
    uint32_t stride = count / 65536 + 1;
    for (uint32_t number = 0; number < count; number++) {
        MMDB_search_node_s node;
        int code = MMDB_read_node(&database->file, number, &node);
        if (code != MMDB_SUCCESS) return code;
        int asks = number % stride == 0;
        code = check_record(database, node.left_record_type, &node.left_record_entry, asks);
        if (code != MMDB_SUCCESS) return code;
        code = check_record(database, node.right_record_type, &node.right_record_entry, asks);
        if (code != MMDB_SUCCESS) return code;
    }
    return MMDB_SUCCESS;
}

struct cmaxminddb *cmaxminddb_open(const char *path, uint64_t limit, int *error) {
    int memory = copy(path, limit);
    if (memory < 0) {
        *error = memory;
        return NULL;
    }
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", memory);
    struct cmaxminddb *database = calloc(1, sizeof *database);
    struct stat status;
    int code = MMDB_SUCCESS;
    if (!database) code = MMDB_OUT_OF_MEMORY_ERROR;
    // Nothing cannot be mapped, which would look like a failure to read.
    else if (fstat(memory, &status) == 0 && status.st_size == 0) code = MMDB_INVALID_METADATA_ERROR;
    else code = MMDB_open(name, MMDB_MODE_MMAP, &database->file);
    close(memory);
    if (code == MMDB_SUCCESS) {
        code = check(database);
        if (code == MMDB_SUCCESS) return database;
        MMDB_close(&database->file);
    }
    free(database);
    *error = code;
    return NULL;
}

void cmaxminddb_close(struct cmaxminddb *database) {
    MMDB_close(&database->file);
    free(database);
}

const char *cmaxminddb_error_text(int code) { return MMDB_strerror(code); }

int cmaxminddb_kinds(const struct cmaxminddb *database) { return database->kinds; }

// MARK: - Looking up

void cmaxminddb_find(
    const struct cmaxminddb *database, uint64_t high, uint64_t low, struct cmaxminddb_location *location) {
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } address;
    memset(&address, 0, sizeof address);
    if (high == 0 && low >> 32 == 0xFFFF) {
        address.ipv4.sin_family = AF_INET;
        address.ipv4.sin_addr.s_addr = htonl((uint32_t)low);
    } else if (database->file.metadata.ip_version == 4) {
        return;
    } else {
        address.ipv6.sin6_family = AF_INET6;
        for (int index = 0; index < 8; index++) {
            address.ipv6.sin6_addr.s6_addr[index] = (uint8_t)(high >> (56 - index * 8));
            address.ipv6.sin6_addr.s6_addr[index + 8] = (uint8_t)(low >> (56 - index * 8));
        }
    }
    int error = MMDB_SUCCESS;
    MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&database->file, &address.any, &error);
    if (error != MMDB_SUCCESS || !found.found_entry) return;
    if (!location->country && database->kinds & CMAXMINDDB_COUNTRY) location->country = country(&found.entry);
    if (!location->region && database->kinds & CMAXMINDDB_REGION) location->region = region(&found.entry);
    if (!location->system && database->kinds & CMAXMINDDB_SYSTEM)
        location->system = autonomous_system(&found.entry);
}
