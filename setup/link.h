/* link.h - devices: to ask about one, make a veth pair, bring one up, delete it. */
#ifndef NETNS_LINK_H
#define NETNS_LINK_H

#include "ns.h"
#include "topology.h"

#include <linux/if_link.h>
#include <stdbool.h>

struct link_info {
    int index;
    int peer;           /* a veth's other end: its index there */
    int peer_ns;        /* the other end's namespace, as this one numbers it; -1: this one */
    unsigned int flags; /* IFF_... */
    bool running;       /* up, and so is its peer */
    uint32_t mtu;
    char kind[16];
    char alias[32];
    struct rtnl_link_stats64 stats;
};

/* 0, -ENODEV, or another negative errno (nl->why says it in words). */
int link_get(struct nl *nl, const char *dev, struct link_info *info);

/* Both ends exist and are each other's peer. */
bool link_is_pair(struct ns *a, const char *dev_a, struct ns *b, const char *dev_b);

/* Makes the pair, each end at once in its namespace. These return 0, or -1 after saying why. */
int link_make_pair(struct ns *a, const char *dev_a, struct ns *b, const char *dev_b);
int link_set_up(struct ns *ns, const char *dev); /* and marks it */
int link_wait_running(struct ns *ns, const char *dev);
int link_delete(struct ns *ns, const char *dev); /* a device that is not there is fine */

#endif
