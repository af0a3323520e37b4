/*
 * What a seed stands for: hosts, links, connections and what their applications do. Everything is
 * drawn here, before the world begins; later draws (fates of packets, sizes of calls) come from
 * the world's own generator and the links'.
 */
#ifndef PLAN_H
#define PLAN_H

#include "link.h"
#include "tcb.h"

#define HOSTS_MAX   8
#define NODES_MAX   12 /* hosts, and routers behind them */
#define EDGES_MAX   16
#define CUTS_MAX    4
#define CONNS_MAX   400
#define CRASHES_MAX 3

/* How an application ends its side. */
enum finish {
    FINISH_SHUTDOWN,   /* writes all, shutdown_send, reads to the end, closes */
    FINISH_AFTER_PEER, /* the same, but shuts down only when the peer has */
    FINISH_CLOSE,      /* close right after the last write: what then arrives is reset */
    FINISH_ABORT,      /* abort in the middle */
    FINISH_DEAF,       /* shutdown_recv at some point, otherwise like FINISH_SHUTDOWN */
};

struct end_plan {
    uint64_t to_write;
    uint64_t write_after;                   /* octets read before it writes: it answers */
    uint32_t write_max, read_max;           /* octets per call */
    uint64_t write_pause_ns, read_pause_ns; /* mean, between calls; 0: none */
    uint64_t stall_at, stall_ns;            /* the reader stops there for so long */
    uint64_t end_at;    /* octets written or read when FINISH_ABORT, FINISH_DEAF act */
    uint64_t linger_ns; /* between the end of both directions and close */
    enum finish finish;
    uint32_t sndbuf, rcvbuf, user_timeout_ms; /* 0: the stack's */
    bool nodelay, peeks;
    bool fickle; /* changes its options at any time */
    bool urgent; /* some of what it writes is */
};

enum conn_kind {
    CONN_CLIENT_SERVER,
    CONN_SIMULTANEOUS, /* both connect */
    CONN_NOBODY,       /* nobody listens there */
    CONN_QUITTER,      /* the client gives up before it is connected */
};

struct conn_plan {
    enum conn_kind kind;
    uint32_t host[2]; /* of the ends: 0 connects */
    uint64_t open_ns;
    uint64_t quit_ns; /* CONN_QUITTER: after so long */
    bool fixed_port;
    bool wrap; /* ISNs or timestamps shortly before 2^32, by the choice of the hosts' clocks */
    /* With the four-tuple of the connection before it in the plan, again_ns after that one's side 0
     * has ended, whatever has become of its side 1 (when both have connected: after both have
     * ended). open_ns does not count. */
    bool again;
    uint64_t again_ns;
    struct end_plan end[2];
};

/* The host's memory is gone, and it sends nothing and hears nothing for down_ns. Then there is a
 * new stack with the same address, and deaf_ns later a listener. */
struct crash_plan {
    uint64_t at_ns, down_ns, deaf_ns;
};

struct host_plan {
    struct link_caps caps;
    struct tcp_config tcp;
    uint64_t clock_ns;  /* what the host's clock shows at the world's 0 */
    uint64_t poll_ns;   /* packets are collected for so long before they are taken in */
    uint64_t late_ns;   /* a tick comes at most so late */
    uint64_t accept_ns; /* most time until accept() */
    uint32_t backlog;
    uint32_t output_max;       /* packets per call of output */
    uint32_t lazy;             /* one user call in so many is followed by output at once; 0: all */
    uint32_t refuse_ppm;       /* refused allocations */
    uint32_t forge_ppm;        /* packets that an attacker follows up with one of his own */
    uint32_t mem_limit;        /* octets, while there are faults; 0: as much as is needed */
    uint32_t max_socks, ports; /* ports: ephemeral ones */
    bool tight;                /* max_socks may not be enough */
    uint32_t batches_in;       /* one batch in so many is tried in pieces, see batches.h; 0: none */
    uint64_t close_listener_ns; /* 0: stays to the end */
    uint64_t flood_ns;          /* when forged SYNs come; 0: never */
    uint64_t flood_every_ns;
    uint32_t floods, flood_syns; /* so often, so many each time */
    uint32_t n_crashes;
    struct crash_plan crash[CRASHES_MAX]; /* in order, not overlapping */
};

struct edge {
    uint32_t node[2];
    struct link_plan link[2]; /* from node[0] to node[1], and back */
};

struct plan {
    bool v6;
    bool faultless; /* no packet is lost, changed or late, no host crashes */
    uint32_t n_hosts, n_nodes, n_edges, n_cuts, n_conns;
    uint64_t calm_ns; /* when the faults end */
    struct host_plan host[HOSTS_MAX];
    struct edge edge[EDGES_MAX];
    struct cut cut[CUTS_MAX];
    struct conn_plan *conn;
};

/* super: MSS per super-segment, 1 or more. */
void plan_draw(struct plan *p, struct rng *rng, uint32_t super);

/* Room for n connections, all 0. */
void plan_conns(struct plan *p, uint32_t n);

void plan_finish(struct plan *p);

#endif
