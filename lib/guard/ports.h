/*
 * Holding ports by kernel sockets, and knowing which ports to leave alone. Called by guard.c and
 * ephemeral.c.
 */
#ifndef PORTS_H
#define PORTS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A bound, never listening TCP socket that keeps everybody else from (addr, port). A wildcard's
 * holds its own family only. Returns the descriptor, to be closed by the caller, or a negative
 * errno as in guard_hold.
 */
int port_hold(const struct in6_addr *addr, uint16_t port, bool freebind);

/* The same for both families' wildcards at once; IPv4's alone where there is no IPv6. */
int port_hold_everywhere(uint16_t port);

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
