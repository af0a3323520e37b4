/* Path MTUs by remote address. See paths.h. Called by life.c and icmp_in.c. */
#include "paths.h"

/* Keyed, so that nobody can choose addresses that push each other out. */
static size_t slot_of(const struct siphash_key *key, const struct ip_addr *remote)
{
    return siphash(key, remote, sizeof *remote) % PATHS_SLOTS;
}

const struct path_slot *paths_find(const struct paths *p, const struct siphash_key *key,
                                   const struct ip_addr *remote)
{
    const struct path_slot *slot = &p->slots[slot_of(key, remote)];
    return slot->mtu && ip_addr_eq(&slot->remote, remote) ? slot : NULL;
}

void paths_learn(struct paths *p, const struct siphash_key *key, const struct ip_addr *remote,
                 uint32_t mtu, uint64_t until_ns)
{
    p->slots[slot_of(key, remote)] = (struct path_slot){*remote, mtu, until_ns};
}
