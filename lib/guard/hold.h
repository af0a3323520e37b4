/* Holding ports by kernel sockets. Called by guard.c and ephemeral.c. */
#ifndef HOLD_H
#define HOLD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A bound, never listening TCP socket that keeps everybody else from (addr, port). A wildcard's
 * holds its own family only. Returns the descriptor, to be closed by the caller, or a negative
 * errno as in guard_hold.
 */
int port_hold(const struct in6_addr *addr, uint16_t port, bool freebind);

/* A socket that keeps every other program of ours in this network namespace from the address, and
 * holds no port. -EADDRINUSE; other negative errnos. */
int address_hold(const struct in6_addr *addr);

/* As port_hold for both families' wildcards at once; IPv4's alone where there is no IPv6. Only
 * where no socket of the kernel has the port, be it in TIME-WAIT: nobody has asked for this port.
 */
int port_hold_everywhere(uint16_t port);

#endif
