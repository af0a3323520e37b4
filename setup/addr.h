/* addr.h - addresses of devices: to set one, to list them in text. */
#ifndef NETNS_ADDR_H
#define NETNS_ADDR_H

#include "ns.h"
#include "topology.h"

enum { ADDR_LIST_MAX = 16 };

struct addr_list {
    int dev; /* the device's index, set by the caller */
    int count;
    char text[ADDR_LIST_MAX][TOPO_ADDR_MAX];
};

/* Sets "address/prefix length" of family af; fine if it is set. 0, or -1 after saying why. */
int addr_set(struct ns *ns, const char *dev, int af, const char *addr);

/* The addresses of device list->dev, except link-local ones. 0 or a negative errno. */
int addr_list(struct nl *nl, struct addr_list *list);

#endif
