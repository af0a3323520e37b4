/* topology.h - the lab's world as data: nodes (network namespaces) and links (veth pairs).
 *
 * Every job walks these two tables, so a fourth node or a third link is a line in topology.c.
 * Addresses stay in text, as a reader knows them from the book; the jobs parse them.
 */
#ifndef NETNS_TOPOLOGY_H
#define NETNS_TOPOLOGY_H

#include <stdbool.h>

enum { HOST1, ROUTER, HOST2, TOPO_NODES };
enum { LEFT, RIGHT, TOPO_LINKS };
enum { V4, V6, TOPO_FAMILIES };

/* The alias that marks what `up` made: set on lo before a namespace gets its name. */
#define TOPO_MARK "nstcp lab"
/* Long enough for an address of either family with its prefix length. */
#define TOPO_ADDR_MAX 64

struct topo_node {
    const char *name; /* of the namespace */
    bool forwards;
    const char *gateway[TOPO_FAMILIES]; /* of the default routes; NULL: none */
};

struct topo_end {
    int node;
    const char *dev;
    const char *addr[TOPO_FAMILIES]; /* "address/prefix length" */
};

struct topo_link {
    struct topo_end end[2];
};

extern const int topo_af[TOPO_FAMILIES]; /* AF_INET, AF_INET6 */
extern const struct topo_node topo_node[TOPO_NODES];
extern const struct topo_link topo_link[TOPO_LINKS];

/* The node's number, or -1. */
int topo_find(const char *name);

/* The name of the node at the link's other end, seen from the router. */
const char *topo_goal(int link);

#endif
