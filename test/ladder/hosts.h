/*
 * The language of segments.h for a whole stack: peers anywhere send packets, and packets leave for
 * them. As there, silence is asserted before every step and at the end, every timer on the way of
 * host_at() runs, and stack_check() follows every step.
 *
 *     struct peer a = peer(1, 80);
 *     arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
 *     leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
 *
 * Our numbers are relative to the SYN that left for the peer last. Packets with a source route are
 * looked at as their final destination gets them.
 */
#ifndef HOSTS_H
#define HOSTS_H

#include "segments.h"
#include "stack.h"

#define HOST_ADDR ip_addr_v4(0x0a000001) /* 10.0.0.1 */

struct host {
    struct stack *stack;
    struct test_mem mem;
    struct stack_config config; /* to be changed before host_start() */
    uint64_t start_ns, now_ns;
    bool batch;
    uint32_t in_mtu;            /* of the device that packets come by; 0: not said */
    uint8_t tos, ttl;           /* what all packets that leave are to have */
    struct ip_options arriving; /* what packets that arrive have, as it stands there */
    struct ip_options sent;     /* what the last packet that left had, as it stood there */
    struct ip_addr sent_to;     /* and where its IP header said it goes */
};

extern struct host host;

struct peer {
    struct flow flow;  /* seen from us */
    uint32_t irs, iss; /* what 0 stands for, theirs and ours */
    int wnd;           /* as last announced */
};

/* 10.0.1.n, port 5000 + n, which talks to our port. */
struct peer peer(unsigned n, uint16_t our_port);

/* Packets. A packet that arrives is gone after the call. */
#define arrives(p, ...)         host_arrives(HERE, (p), (struct line){__VA_ARGS__})
#define leaves(p, ...)          host_leaves(HERE, (p), (struct line){__VA_ARGS__})
#define nothing_leaves()        host_silence(HERE)
#define all_leaves()            host_ignore(HERE) /* whatever there is; returns how many packets */
#define damaged_arrives(p, ...) host_damaged(HERE, (p), (struct line){__VA_ARGS__})
void host_arrives(struct where w, struct peer *p, struct line l);
void host_damaged(struct where w, struct peer *p, struct line l); /* with a wrong checksum */
void host_leaves(struct where w, struct peer *p, struct line l);
void host_silence(struct where w);
unsigned host_ignore(struct where w);

/* The next step follows in the same batch: no output between. */
void host_batch(void);

/* Time, in ms. */
#define host_at(ms)    host_go(HERE, host.start_ns + (uint64_t)(ms)*NS_PER_MS)
#define host_later(ms) host_go(HERE, host.now_ns + (uint64_t)(ms)*NS_PER_MS)
void host_go(struct where w, uint64_t to_ns);

/* Users. Like arrives(), these come after silence. Octets sent and received have the values of
 * stream_octet(), from `at` on. */
struct sock *host_listen(uint16_t port, uint32_t backlog);
struct sock *host_connect(struct peer *p); /* up to the SYN; sets p->flow.local_port */
#define host_send(so, at, n)     (host_step(HERE), host_do_send((so), (at), (n)))
#define host_recv(so, at, n)     (host_step(HERE), host_do_recv((so), (at), (n)))
#define host_close(so)           (host_step(HERE), stack_close((so), host.now_ns))
#define host_abort(so)           (host_step(HERE), stack_abort((so), host.now_ns))
#define host_linger(so)          (host_step(HERE), stack_linger((so), host.now_ns))
#define host_shutdown_send(so)   (host_step(HERE), stack_shutdown_send((so), host.now_ns))
#define host_shutdown_recv(so)   (host_step(HERE), stack_shutdown_recv((so), host.now_ns))
#define host_set_nodelay(so, on) (host_step(HERE), stack_set_nodelay((so), (on), host.now_ns))
void host_step(struct where w);
int64_t host_do_send(struct sock *so, uint64_t at, size_t n);
int64_t host_do_recv(struct sock *so, uint64_t at, size_t n);

/* The handshake of a peer with a listener, and with us; `accept` as well. */
void host_handshake(struct where w, struct peer *p);
struct sock *host_accept(struct sock *listener);
struct sock *host_connected(struct where w, struct peer *p);

/* A connection of this listener that we close first, up to TIME-WAIT. */
void host_to_time_wait(struct where w, struct peer *p, struct sock *listener);

/* The next event is of this socket and says this; there is no event. */
#define expect_event(so, what) host_event(HERE, (so), (what))
#define expect_no_event()      host_event(HERE, NULL, 0)
void host_event(struct where w, struct sock *so, unsigned what);

struct stack_counters host_counters(void);

int host_setup(void **state);    /* and host_start() */
int host_teardown(void **state); /* destroys the stack; no octet may be left */
void host_start(void);           /* again, with a changed config */

#define host_test(f) cmocka_unit_test_setup_teardown(f, host_setup, host_teardown)

#endif
