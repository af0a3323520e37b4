/*
 * What the measurements share. A measurement has two ends, each a process of its own: the server
 * says "listening" on stderr, serves one client, and ends; both print their figures, a line of
 * JSON.
 *
 * All functions end the process with a message and status 1 when a call fails: a measurement that
 * goes on without it would measure something else.
 */
#ifndef BENCH_H
#define BENCH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calls.h"
#include "tools.h"

#define BULK_CALL ((size_t)256 * 1024) /* octets a call of bulk */
#define ECHO_LEN  64
#define CPS_PORTS 64 /* the server's, from that of the address on */

/* One end of one measurement. */
struct bench {
    const struct calls *c; /* whose TCP; the stack it is given */
    struct nstcp *stack;
    struct sockaddr_in addr; /* the server's */
    bool spin;               /* no call waits: it is made again at once, or looks (SO_BUSY_POLL) */
    bool sleep;              /* calls that wait do not look before (SO_BUSY_POLL 0) */
    bool in_place;           /* bulk: by reserve and commit, borrow and release */
    bool check;              /* bulk: the octets are looked at, not only counted */
    double amount;           /* seconds or round trips */
    unsigned conns;
};

/* The measurements: each end of each. */
void bulk_serve(struct bench *b), bulk_ask(struct bench *b);
void rtt_serve(struct bench *b), rtt_ask(struct bench *b);
void crowd_serve(struct bench *b), crowd_ask(struct bench *b);
void cps_serve(struct bench *b), cps_ask(struct bench *b);
void idle_serve(struct bench *b), idle_ask(struct bench *b);
void memory_serve(struct bench *b), memory_ask(struct bench *b);
void raw_serve(struct bench *b), raw_ask(struct bench *b);

/* Sockets with TCP_NODELAY, SO_REUSEADDR, and CUBIC whatever the machine's default is. The port is
 * the measurement's, plus so many. */
int open_listener(struct bench *b, unsigned port);
int open_connection(struct bench *b, unsigned port);
int take_connection(struct bench *b, int listener);
void say_listening(void);

/* Records in TIME-WAIT at this end; of the kernel's, those with one of the CPS_PORTS. The caller
 * has `open` sockets. */
long time_waits(struct bench *b, unsigned open);

/* All len octets. */
void send_all(struct bench *b, int sock, const void *buf, size_t len);
void recv_all(struct bench *b, int sock, void *buf, size_t len);
/* Some; 0 when the peer has closed. */
size_t recv_some(struct bench *b, int sock, void *buf, size_t len);

#endif
