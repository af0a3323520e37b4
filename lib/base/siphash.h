/*
 * SipHash-2-4 with a 128-bit key: the keyed pseudo-random function behind the socket table, initial
 * sequence numbers (RFC 6528) and port choice (RFC 6056).
 */
#ifndef SIPHASH_H
#define SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k0, k1;
};

/* The 64-bit tag of `len` octets. O(len). Same answer on every byte order. */
uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);

#endif
