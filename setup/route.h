/* route.h - default routes: to set one, to ask for it. */
#ifndef NETNS_ROUTE_H
#define NETNS_ROUTE_H

#include "ns.h"
#include "topology.h"

/* Sets the default route of family af; fine if it is set. 0, or -1 after saying why. */
int route_set_default(struct ns *ns, int af, const char *gateway);

/* The gateway of the default route as text, empty if there is none. 0 or a negative errno. */
int route_get_default(struct nl *nl, int af, char gateway[TOPO_ADDR_MAX]);

#endif
