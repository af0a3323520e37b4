/*
 * One simulated world: hosts, the net between them, connections, virtual time. world_run() lives
 * through a seed: a phase with faults, then calm, in which everything has to finish in bounded
 * time. The first checker that does not hold ends it by fail.h.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdio.h>

#include "check_wire.h"
#include "net.h"
#include "plan.h"
#include "queue.h"
#include "simmem.h"
#include "stack.h"

#define OUTPUT_BATCH 64
#define CALL_MAX     65536 /* octets an application sends or receives in one call */
#define URGENTS      16    /* SENDs in one stream that may be urgent */
#define LISTEN_PORT  7
#define NOBODY_PORT  9

struct world;
struct conn;

/* What the engine gets as `user`: accept() wants it before it says who has come. */
struct handle {
    struct end *end; /* NULL: the host's listener */
};

/* One end of a connection: its application, and the truth about it. */
struct end {
    struct conn *conn;
    uint8_t side;
    struct host *host;
    const struct end_plan *plan;
    struct handle handle;
    struct sock *sock;      /* NULL before it is opened and after it is given up */
    struct sock *lingering; /* given up by stack_linger, not yet by stack_close */
    struct wire_end wire;

    bool opened;    /* connect() was called, or accept() gave it */
    bool connected; /* and completed */
    bool send_closed, deaf, eof;
    bool aborted, left; /* given up by stack_abort, stack_close */
    bool crashed;       /* its host's memory was lost, and it with it */
    bool unreachable;   /* a router has said so */
    bool timed_out;     /* the engine gave up (checked when it happened) */
    uint64_t wait_ns;   /* when it entered FIN-WAIT-2 or TIME-WAIT */
    bool finished;      /* TIME-WAIT or LAST-ACK was the engine's last state */
    bool orphaned;      /* FIN-WAIT-2 without a user ran out */
    bool poked;         /* its peer was gone without a word; the world made it close */
    int error;          /* the first that was learned */
    uint64_t read;      /* octets read and found right */
    uint64_t opened_ns, left_ns, progress_ns;
    /* In the calm: its SYNs that have reached the other host, and what that has sent to it. */
    uint32_t calm_syns, calm_answers;
    uint64_t first_ns; /* when the first octet was read */

    uint32_t life;      /* of the host, in which the engine has (or had) it */
    bool half_open;     /* it was last heard of in SYN-RECEIVED, made by a listener, */
    bool crowded;       /* of which there were too many: the engine may have freed it */
    bool cookied;       /* it was answered by a SYN cookie last, */
    bool refused;       /* and then some segment by a RST */
    uint64_t cookie_ns; /* when a cookie's ACK has last made it */
    bool in_engine;     /* the engine has a connection for it that is not CLOSED */
    uint64_t closed_ns; /* when it was */
    bool time_wait;     /* which is in TIME-WAIT */
    bool owing;         /* in host.owing */
    uint32_t tries;     /* of connect(), when the four-tuple or all ports were in use */

    size_t offers;                    /* octets in one send() at most; 0: as the plan says */
    uint64_t write_at_ns, read_at_ns; /* pauses */
    bool stalled;                     /* the reader has stopped once */
    uint64_t wake_ns;                 /* when an EVENT_APP is due; TIME_NEVER: none */

    bool waits; /* stack_recv_begin() is under way */
    struct receive receive;
    uint8_t place[4096]; /* for what it gets */
    size_t kept;         /* receive.done, while batches.c tries what would become of it */

    size_t n_lent; /* octets of its text that stack_lend() was given, here */
    uint8_t lent[4096];

    uint64_t urgent[URGENTS]; /* where its urgent SENDs have ended (app_urgent.h) */
    uint32_t n_urgent;
    uint64_t mark; /* where the last mark was that it came to as a reader */
};

struct conn {
    struct world *world;
    const struct conn_plan *plan;
    uint32_t index;
    uint16_t port[2];
    bool called;                /* EVENT_OPEN is under way, or was */
    bool begun;                 /* a connect() has fixed its ports */
    uint64_t dropped_ns;        /* when a full queue has last dropped a packet of it */
    struct conn *older, *newer; /* had the same four-tuple before, and have it after it */
    struct end end[2];
};

/* Whether its application sends some of its text in place. */
static inline bool end_gives(const struct end *e)
{
    return e->conn->index % 4 == 0;
}

struct host {
    struct world *world;
    uint32_t index;
    const struct host_plan *plan;
    struct ip_addr addr;

    /* What a crash ends. */
    uint32_t life;     /* how often it was started */
    uint64_t clock_ns; /* what its clock shows at the world's 0 */
    struct siphash_key secret;
    struct simmem mem;
    size_t mem_empty;    /* in use when nothing but the stack exists */
    struct stack *stack; /* NULL while the host is down */
    struct sock *listener;
    struct handle listener_handle;
    uint64_t corrupt_in;
    struct end **by_id; /* whose the engine's sockets are, see who.h */
    uint32_t n_by_id;
    struct mtu_list told[HOSTS_MAX]; /* of the paths to other hosts */

    struct handle *accepted;
    uint32_t n_accepted;
    bool listener_closed; /* for good */
    bool was_deaf;        /* it has been up without a listener */

    struct frame *rx[OUTPUT_BATCH];
    uint32_t n_rx;
    bool poll_set, accept_set;
    uint32_t sent_id[OUTPUT_BATCH], n_sent; /* sockets that the last output() was of */
    struct seg heard;   /* what came last, without its text: who is half open is by that */
    bool flooded;       /* who is half open may have to give way to forged SYNs */
    struct end **owing; /* ends that have an ACK to send */
    uint32_t n_owing;
    bool trying; /* what happens is undone again, see batches.h */

    /* check_border.h */
    uint64_t tick_at_ns;  /* when the next tick comes, and for which deadline */
    uint64_t tick_for_ns; /* TIME_NEVER: none */
    uint64_t quiet_ns;    /* since then output() has had nothing to say */
    uint32_t idle_ticks;  /* in a row, with nothing done */
    uint64_t calls;
    uint32_t socks_most; /* at once */
};

/* Ways to spoil the engine's work from outside, so that a self test sees a checker find it. */
enum sabotage {
    SABOTAGE_NONE,
    SABOTAGE_TICK,    /* no deadline is kept */
    SABOTAGE_EVENT,   /* an event is swallowed now and then */
    SABOTAGE_PAYLOAD, /* an octet is changed behind the checksum's back */
    SABOTAGE_RESET,   /* an ACK turns into a RST */
    SABOTAGE_URGENT,  /* an urgent pointer points somewhere else */
    SABOTAGE_LEAK,    /* memory is taken and not given back */
    SABOTAGE_MTU,     /* no router is heard */
    SABOTAGE_TWICE,   /* text is sent twice */
    SABOTAGE_STORM,   /* ACKs are sent a hundred times */
    SABOTAGE_COUNT,   /* the engine's count of its sockets is wrong */
    SABOTAGE_SPEAK,   /* there is more to send after output() had no more */
    SABOTAGE_SPLIT,   /* an event is swallowed between the packets of a batch */
    SABOTAGE_COOKIE,  /* SYN cookies are always sent, whatever the plan says */
    SABOTAGE_EARLY,   /* timers run out before their time, and nobody asks for output */
};

struct world_options {
    uint32_t super;    /* MSS per super-segment */
    uint32_t loss_ppm; /* on every path and in each direction, besides what the seed says, from the
                        * beginning to the end */
    bool trace;
    enum sabotage sabotage;

    /* A world that somebody has thought out, not a seed: makes the plan. NULL: the seed does. */
    void (*plan)(struct plan *p, const void *ctx);
    const void *ctx;
    /* It ends then, whatever goes on, and is looked at. 0: when everything has finished. */
    uint64_t until_ns;
    void (*look)(const struct world *w, void *result);
    void *result;
};

struct world {
    uint64_t now_ns;
    struct rng rng;
    struct plan plan;
    struct queue queue;
    struct net net;
    struct host host[HOSTS_MAX];
    struct conn *conn;
    uint32_t loss_ppm;
    bool calm, closing;
    uint64_t closing_ns, until_ns;
    uint64_t in_flight; /* frames */
    uint64_t events, segments, octets;
    uint64_t tried;     /* batches, see batches.h */
    unsigned *happened; /* of batches.c: to the sides of each connection */
    uint64_t hash;
    bool trace;
    enum sabotage sabotage;
    uint8_t buf[CALL_MAX];
};

struct world_result {
    uint64_t hash, segments, octets, virtual_ns, tried;
};

/* One seed. False when a checker failed: fail_frame says what. */
bool world_run(uint64_t seed, const struct world_options *options, struct world_result *result);

/* Mixes something that happened into the hash that two runs of a seed must agree on. */
static inline void world_hash(struct world *w, uint64_t x)
{
    w->hash = (w->hash ^ x) * UINT64_C(0x100000001b3);
    w->hash ^= w->hash >> 32;
}

static inline struct end *peer_of(struct end *e)
{
    return &e->conn->end[1 - e->side];
}

#endif
