/* A set of TCP ports: 8 KiB, one bit each. All zeroes is the empty one. */
#ifndef PORT_SET_H
#define PORT_SET_H

#include <stdbool.h>
#include <stdint.h>

struct port_set {
    uint64_t words[(UINT16_MAX + 1) / 64];
};

static inline void port_set_add(struct port_set *s, uint16_t port)
{
    s->words[port / 64] |= UINT64_C(1) << port % 64;
}

static inline void port_set_remove(struct port_set *s, uint16_t port)
{
    s->words[port / 64] &= ~(UINT64_C(1) << port % 64);
}

static inline bool port_set_has(const struct port_set *s, uint16_t port)
{
    return s->words[port / 64] >> port % 64 & 1;
}

#endif
