/*
 * One simulated world: hosts, links, connections, virtual time. world_run() lives through a seed:
 * a phase with faults, then calm, in which everything has to finish in bounded time. The first
 * checker that does not hold ends it by fail.h.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdio.h>

#include "check_wire.h"
#include "link.h"
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
    bool timed_out;     /* the engine gave up (checked when it happened) */
    uint64_t wait_ns;   /* when it entered FIN-WAIT-2 or TIME-WAIT */
    bool orphaned;      /* FIN-WAIT-2 without a user ran out */
    bool poked;         /* its peer was gone without a word; the world made it close */
    int error;          /* the first that was learned */
    uint64_t read;      /* octets read and found right */
    uint64_t opened_ns, left_ns, progress_ns;

    uint64_t write_at_ns, read_at_ns; /* pauses */
    bool stalled;                     /* the reader has stopped once */
    uint64_t wake_ns;                 /* when an EVENT_APP is due; TIME_NEVER: none */

    uint64_t urgent[URGENTS]; /* where its urgent SENDs have ended (app_urgent.h) */
    uint32_t n_urgent;
    uint64_t mark; /* where the last mark was that it came to as a reader */
};

struct conn {
    struct world *world;
    const struct conn_plan *plan;
    uint32_t index;
    uint16_t port[2];
    struct end end[2];
};

struct host {
    struct world *world;
    uint32_t index;
    const struct host_plan *plan;
    struct ip_addr addr;
    struct siphash_key secret;
    struct simmem mem;
    size_t mem_empty; /* in use when nothing but the stack exists */
    struct stack *stack;
    struct sock *listener;
    struct handle listener_handle;
    struct handle accepted[CONNS_MAX + 1];
    uint32_t n_accepted;
    bool listener_closed;

    struct frame *rx[OUTPUT_BATCH];
    uint32_t n_rx;
    bool poll_set, accept_set;
    uint64_t tick_at_ns;  /* when the next tick comes, and for which deadline */
    uint64_t tick_for_ns; /* TIME_NEVER: none */
    uint64_t quiet_ns;    /* since then output() has had nothing to say */
    uint32_t idle_ticks;  /* in a row, with nothing done */
    uint64_t corrupt_in;
    uint64_t calls;
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
    SABOTAGE_EARLY,   /* timers run out before their time, and nobody asks for output */
};

struct world_options {
    uint32_t super; /* MSS per super-segment */
    uint32_t
        loss_ppm; /* on every link, besides what the seed says, from the beginning to the end */
    bool trace;
    enum sabotage sabotage;
};

struct world {
    uint64_t now_ns;
    struct rng rng;
    struct plan plan;
    struct queue queue;
    struct host host[HOSTS_MAX];
    struct link link[HOSTS_MAX][HOSTS_MAX];
    struct conn conn[CONNS_MAX];
    bool calm, closing;
    uint64_t closing_ns;
    uint64_t in_flight; /* frames */
    uint64_t events, segments, octets;
    uint64_t hash;
    bool trace;
    enum sabotage sabotage;
    uint8_t buf[CALL_MAX];
};

struct world_result {
    uint64_t hash, segments, octets, virtual_ns;
};

/* One seed. False when a checker failed: fail_frame says what. */
bool world_run(uint64_t seed, const struct world_options *options, struct world_result *result);

/* Mixes something that happened into the hash that two runs of a seed must agree on. */
static inline void world_hash(struct world *w, uint64_t x)
{
    w->hash = (w->hash ^ x) * UINT64_C(0x100000001b3);
    w->hash ^= w->hash >> 32;
}

/* The connection of these two; NULL when there is none. side: which end has this address. */
struct conn *world_find(struct world *w, const struct flow *flow, uint8_t *side);

static inline struct end *peer_of(struct end *e)
{
    return &e->conn->end[1 - e->side];
}

#endif
