// What databases in MaxMind's format (MaxMind DB 2.0) tell of addresses, by libmaxminddb.
#ifndef CMAXMINDDB_H
#define CMAXMINDDB_H

#include <stddef.h>
#include <stdint.h>

/// An open database, a copy of its file in memory: whatever becomes of the file, look-ups go on.
struct cmaxminddb;

/// What a database may tell.
enum { CMAXMINDDB_COUNTRY = 1, CMAXMINDDB_REGION = 2, CMAXMINDDB_SYSTEM = 4 };

/// Codes are characters, the first one highest; 0 where nothing is known.
struct cmaxminddb_location {
    uint32_t country;
    uint32_t region;
    uint32_t system;
};

/// Copies a file of at most `limit` bytes, opens the copy and looks at its whole tree; NULL and an error otherwise: -errno,
/// or a code for `cmaxminddb_error_text`. Blocks.
struct cmaxminddb *cmaxminddb_open(const char *path, uint64_t limit, int *error);
void cmaxminddb_close(struct cmaxminddb *database);

const char *cmaxminddb_error_text(int code);

/// Some of CMAXMINDDB_COUNTRY, _REGION and _SYSTEM.
int cmaxminddb_kinds(const struct cmaxminddb *database);

/// Fills in what of an address's location is 0 and the database knows. The address is one of IPv6 as two numbers in the byte
/// order of the network, an IPv4 address in its mapped form. Allocates nothing; any thread.
void cmaxminddb_find(
    const struct cmaxminddb *database, uint64_t high, uint64_t low, struct cmaxminddb_location *location);

#endif
