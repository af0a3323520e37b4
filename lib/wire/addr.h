/*
 * Internet addresses of both families in one type: 16 octets, IPv4 as an IPv4-mapped IPv6 address
 * (::ffff:a.b.c.d, RFC 4291 2.5.5.2). One comparison and one hash serve both.
 *
 * A link-local address (fe80::/10) means something on one link only. Of its 54 bits that are 0 on
 * the wire (RFC 4291 2.5.6) octets 4 to 7 have the link's number here, its zone (RFC 4007): so the
 * same address on two links is two addresses to whoever compares.
 */
#ifndef ADDR_H
#define ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ip_addr {
    uint8_t b[16];
};

/* All zero: the IPv6 wildcard. The IPv4 wildcard is ip_addr_v4(0). */
#define IP_ADDR_ANY6 ((struct ip_addr){{0}})

/* From 32 bits in host order: 10.0.0.1 is 0x0a000001. */
static inline struct ip_addr ip_addr_v4(uint32_t a)
{
    return (struct ip_addr){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (uint8_t)(a >> 24),
                             (uint8_t)(a >> 16), (uint8_t)(a >> 8), (uint8_t)a}};
}

/* From 4 octets in network order. */
static inline struct ip_addr ip_addr_v4_bytes(const uint8_t b[4])
{
    return (struct ip_addr){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, b[0], b[1], b[2], b[3]}};
}

static inline struct ip_addr ip_addr_v6_bytes(const uint8_t b[16])
{
    struct ip_addr a;
    memcpy(a.b, b, 16);
    return a;
}

static inline bool ip_addr_eq(const struct ip_addr *a, const struct ip_addr *b)
{
    return memcmp(a->b, b->b, 16) == 0;
}

static inline bool ip_addr_is_v4(const struct ip_addr *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(a->b, mapped, 12) == 0;
}

/* The 4 octets of an IPv4 address, in network order. */
static inline const uint8_t *ip_addr_v4_of(const struct ip_addr *a)
{
    return a->b + 12;
}

/* 0.0.0.0 or :: */
bool ip_addr_is_any(const struct ip_addr *a);

/* 224.0.0.0/4 or ff00::/8 */
bool ip_addr_is_multicast(const struct ip_addr *a);

/* 255.255.255.255; a directed broadcast can't be told without the route. */
bool ip_addr_is_broadcast(const struct ip_addr *a);

/* 127.0.0.0/8 or ::1 */
bool ip_addr_is_loopback(const struct ip_addr *a);

/* An address that one host can have as its own: none of the above but loopback (RFC 1122 3.2.1.3,
 * RFC 9293 MUST-46, MUST-57, MUST-63). */
bool ip_addr_is_unicast(const struct ip_addr *a);

/* fe80::/10 */
static inline bool ip_addr_is_link_local(const struct ip_addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/* The number of a link-local address's link, 0 when it has none yet; 0 for all others. */
uint32_t ip_addr_zone(const struct ip_addr *a);

/* Says on which link a link-local address is. Does nothing to others. */
void ip_addr_set_zone(struct ip_addr *a, uint32_t zone);

/* As it is on the wire: without the zone. */
static inline struct ip_addr ip_addr_on_wire(const struct ip_addr *a)
{
    struct ip_addr out = *a;
    if (ip_addr_is_link_local(a))
        ip_addr_set_zone(&out, 0);
    return out;
}

#define IP_ADDR_TEXT_MAX 57

/* The usual text form (RFC 5952 for IPv6, RFC 4007 11 with a zone), NUL-terminated; returns buf. */
const char *ip_addr_text(const struct ip_addr *a, char buf[IP_ADDR_TEXT_MAX]);

#endif
