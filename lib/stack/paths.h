/*
 * Path MTUs that connections have learned, by remote address, so that the next connection to the
 * same place need not learn them again (RFC 1191 3, RFC 8201 5.2). A few slots, the last to come
 * has one; losing an entry costs a packet and a round trip.
 */
#ifndef PATHS_H
#define PATHS_H

#include "addr.h"
#include "siphash.h"

#define PATHS_SLOTS 64

struct paths {
    struct path_slot {
        struct ip_addr remote;
        uint32_t mtu; /* 0: empty */
        uint64_t until_ns;
    } slots[PATHS_SLOTS];
};

/* NULL when nothing is known. What is too old may come back as well. */
const struct path_slot *paths_find(const struct paths *p, const struct siphash_key *key,
                                   const struct ip_addr *remote);

void paths_learn(struct paths *p, const struct siphash_key *key, const struct ip_addr *remote,
                 uint32_t mtu, uint64_t until_ns);

#endif
