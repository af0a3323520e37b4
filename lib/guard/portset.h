/* A set of ports, and the texts it can be read from. Called by ephemeral.c only. */
#ifndef PORTSET_H
#define PORTSET_H

#include <stdbool.h>
#include <stdint.h>

/* A set of port numbers. */
struct port_set {
    uint64_t bits[65536 / 64];
};

static inline void port_set_add(struct port_set *s, uint16_t port)
{
    s->bits[port / 64] |= UINT64_C(1) << port % 64;
}

static inline bool port_set_has(const struct port_set *s, uint16_t port)
{
    return (s->bits[port / 64] >> port % 64 & 1) != 0;
}

/* Adds the TCP port of a line of services(5); comments and other protocols add nothing. */
void port_set_add_service(struct port_set *s, const char *line);

/* Adds "8080,9148-9150", as in /proc/sys/net/ipv4/ip_local_reserved_ports. Returns false, having
 * added what came before, when the text is something else. */
bool port_set_add_list(struct port_set *s, const char *text);

#endif
