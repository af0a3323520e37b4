/*
 * The machine of a stack that packetdrill tests: it has any address it is bound to, every port is
 * free, and there is a route to everywhere.
 */
#ifndef HOST_ANY_H
#define HOST_ANY_H

#include "host.h"

/* NULL without memory. v4, v6: where connections come from that are bound to no address. NULL: from
 * the last address of their family that a socket was bound to; before there was one, from one of
 * those that packetdrill uses. */
struct host *host_any_create(const struct ip_addr *v4, const struct ip_addr *v6);

#endif
