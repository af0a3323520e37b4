/* What the files of runtime/ share. Not for anyone else. */
#ifndef RUNTIME_PRIV_H
#define RUNTIME_PRIV_H

#include <pthread.h>

#include "pool.h"
#include "runtime.h"

#define BATCH 32 /* packets taken from the link, or given to it, at one time */

/* Packets the engine has counted as sent and the link would not take: copies, sent first. */
struct backlog {
    struct packet *packets; /* NULL: none */
    size_t n, next;
    uint64_t since_ns; /* the first of those left has been tried since then */
    uint8_t *octets;
};

struct claimed_ports {
    uint16_t first, count;
};

/* Blocks of 64 ephemeral ports. */
#define CLAIMS_MAX 1024

struct runtime {
    struct link *link;
    struct host *host;
    struct mem mem;
    struct pool pool; /* under mem */

    pthread_mutex_t host_lock; /* one host call at a time; taken before `lock`, never after */

    pthread_mutex_t lock; /* over all that follows, but for in[] */
    struct stack *stack;
    struct list sleeping; /* waiters in runtime_wait, */
    unsigned n_waiting;   /* so many */
    /* drive.c */
    struct waiter *mover;     /* whose the link's recv() is now, and in[]; NULL: nobody's */
    struct waiter receiver;   /* stands for the receive thread there, and for who only looks */
    uint64_t moving_since_ns; /* a thread that waits has driven, ... */
    uint64_t moved_ns;        /* ... and until when; or has ... */
    bool looked;              /* ... only looked, then */
    uint8_t credit, slept;    /* whether it should look before it sleeps */
    pthread_cond_t turn;      /* where the receive thread stands aside */
    bool aside;               /* it does, until it is called */
    bool woken;               /* threads have been, since the one that drives looked */
    /* places.c */
    struct waiter *lent[LINK_EXPECT_MAX]; /* whose buffers the link has now */
    unsigned n_lent, n_leaving;
    pthread_cond_t withdrawn; /* where those wait that would leave meanwhile */
    bool crowded; /* a buffer has hardly room whose thread has been woken and has yet to run */
    struct waiter *drainer;
    struct backlog backlog;
    uint64_t armed_ns; /* what the timer is set to; never later than anything that is due */
    bool stop;
    uint32_t n_ports;
    uint32_t n_claims;
    struct claimed_ports claims[CLAIMS_MAX];

    bool *not_forked; /* on a page of its own; see forked.c */

    int timer; /* timerfd: wakes the receive thread for deadlines, and to stop */
    pthread_t thread;

    struct packet out[BATCH];
    struct packet in[BATCH];
};

/* receive.c */

/* The receive thread's function; arg is the runtime. */
void *receive_thread(void *arg);

/* What the link has, into the engine: how many packets. Only for rt->mover. Lock held; given up
 * meanwhile: the copies out of the kernel are made beside the threads that send. */
size_t take_batch(struct runtime *rt);

/* The same until it has nothing more, or there have been so many that the timer may be due. */
void take_batches(struct runtime *rt);

/* places.c: tells the link where text goes that threads wait for; and that it may go there no more,
 * before what has come is given to the engine. Lock held. */
void places_offer(struct runtime *rt);
void places_withdraw(struct runtime *rt);

/* Waits until the link has no place of w's, which is offered no more. Lock held; given up
 * meanwhile. */
void place_await(struct runtime *rt, const struct waiter *w);

/* The timer has gone off, or is about to. Lock held. */
void keep_time(struct runtime *rt, uint64_t now_ns);

/* drive.c: makes the receive thread rt->mover, when no other thread drives and none has just done
 * so; waits until then. False: it is time to stop. Lock held; given up meanwhile. */
bool receive_turn(struct runtime *rt);

/* forked.c: makes and frees rt->not_forked. Negative errno. */
int fork_mark_create(struct runtime *rt);
void fork_mark_free(struct runtime *rt);

/* timer.c */

int timer_create_fd(void);

/* Sets the timer unless it goes off early enough already. Lock held. */
void timer_arm(struct runtime *rt, uint64_t deadline_ns);

/* Takes note that it has gone off. Lock held. */
void timer_clear(struct runtime *rt);

/* backlog.c: all with the lock held. */

/* Sends what waits. Whether nothing is left waiting. */
bool backlog_send(struct runtime *rt, uint64_t now_ns);

/* Keeps copies of n packets that the link would not take. Without memory they are lost, as on a
 * wire, and TCP makes up for it. */
void backlog_keep(struct runtime *rt, const struct packet *p, size_t n, uint64_t now_ns);

void backlog_finish(struct backlog *b);

#endif
