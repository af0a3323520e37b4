/* The link of a link-local address, as guard.h has it: in octets 4 to 7. */
#ifndef ZONE_H
#define ZONE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>

/* 0: not a link-local address. */
static inline uint32_t zone_of(const struct in6_addr *a)
{
    return IN6_IS_ADDR_LINKLOCAL(a) ? ntohl(a->s6_addr32[1]) : 0;
}

/* As it is on the wire. */
static inline struct in6_addr zone_cut(const struct in6_addr *a)
{
    struct in6_addr out = *a;
    if (IN6_IS_ADDR_LINKLOCAL(a))
        out.s6_addr32[1] = 0;
    return out;
}

#endif
