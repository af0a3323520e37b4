/*
 * The graph of links between hosts, and the routers in it: nodes without a TCP that pass packets on
 * towards a host, wait in line for the link, lose what does not fit into the queue, and answer what
 * is too big for the next link by ICMP.
 */
#ifndef NET_H
#define NET_H

#include "plan.h"

struct world;

struct net {
    uint32_t n_links; /* two for each edge of the plan, one direction behind the other */
    struct link link[2 * EDGES_MAX];
    uint8_t next[NODES_MAX][HOSTS_MAX]; /* of each node, the link that leads to a host */
};

void net_init(struct world *w);

/* The faults are over. */
void net_calm(struct net *net);

/* f is at this node, and is not for it: goes on to host f->to. */
void net_send(struct world *w, uint32_t node, struct frame *f);

/* The link by which a node sends to a host. */
static inline struct link *net_next(struct net *net, uint32_t node, uint32_t host)
{
    return &net->link[net->next[node][host]];
}

static inline struct link *net_back(struct net *net, const struct link *l)
{
    return &net->link[(l - net->link) ^ 1];
}

#endif
