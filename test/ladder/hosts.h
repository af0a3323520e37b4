/*
 * The language of segments.h for a whole stack: peers anywhere send packets, and packets leave for
 * them. As there, silence is asserted before every step and at the end, every timer on the way of
 * host_at() runs, and stack_check() follows every step.
 *
 *     struct peer a = peer(1, 80);
 *     arrives(&a, .flags = SYN, .seq = 0, .mss = 1000);
 *     leaves(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
 *
 * Our numbers are relative to the SYN that left for the peer last; our timestamps, by what it had,
 * count ms from host_at(0), and the peer's are relative to peer.irs. host_main() runs all tests
 * several times (run.h), and once over IPv6, but for host_test_ipv4(); host_test_sack() once more
 * with peers whose SYNs permit SACK. The ISS asked for is that of the first SYN to leave, which it
 * has by its clock. Packets with a source route are looked at as their final destination gets them.
 */
#ifndef HOSTS_H
#define HOSTS_H

#include "headers.h"
#include "no_memory.h"
#include "segments.h"
#include "stack.h"

#define HOST_ADDR host_addr() /* 10.0.0.1; fd00::1:0 */
struct ip_addr host_addr(void);
bool host_is_v4(void); /* HOST_ADDR is */

/* What our SYNs say: the link's MTU less the headers. IPv6 has no smaller MTU. */
#define HOST_MSS host_mss() /* 1000; 1220 */
int host_mss(void);
bool host_with_sack(void); /* in this run peers permit it; see host_test_sack() */

struct host {
    struct stack *stack;
    struct test_mem mem;
    struct stack_config config; /* to be changed before host_start() */
    uint64_t start_ns, now_ns;
    bool batch;
    uint32_t in_mtu;            /* of the device that packets come by; 0: not said */
    struct odd odd;             /* what the next packet that arrives is to have */
    uint8_t tos, ttl;           /* what all packets that leave are to have */
    struct ip_options arriving; /* what packets that arrive have, as it stands there */
    struct ip_options sent;     /* what the last packet that left had, as it stood there */
    struct ip_addr sent_to;     /* and where its IP header said it goes */
    bool failed, syn_seen;
    struct host_first *first;
};

/* The first SYN of a test: as long as the clock starts where it did, it has the same number. */
struct host_first {
    bool ipv4_only; /* not to be run over IPv6 */
    bool also_sack; /* to be run with peers that permit SACK as well */
    bool seen;
    uint32_t iss; /* when the clock starts at HOST_START_NS */
};
#define HOST_START_NS (10 * NS_PER_S)

extern struct host host;

struct peer {
    struct flow flow;  /* seen from us */
    uint32_t irs, iss; /* what 0 stands for, theirs and ours */
    uint32_t clock;    /* and of our timestamps: what they were at host_at(0) */
    int wnd;           /* as last announced */
};

/* 10.0.1.n, port 5000 + n, which talks to our port; fd00::n, which talks to fd00::1:0. In a run
 * over IPv6 they are the same. */
struct peer peer(unsigned n, uint16_t our_port);
struct peer peer6(unsigned n, uint16_t our_port);

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

/* What the next packet to arrive has in its headers that line has no word for. */
#define with(...) (host.odd = (struct odd){__VA_ARGS__})

/* All packets from now on have this Diffserv field and TTL, or traffic class and hop limit: the
 * user wants it so, and host_leaves() compares. For peer() and for peer6(). The other version of IP
 * is given other values. The rest of struct tcp_ip is false. */
#define host_set_ip(so, tos, ttl)                                                                  \
    (host_step(HERE), host_do_set_ip((so), !host_is_v4(), (tos), (ttl)))
#define host_set_ip6(so, tos, ttl) (host_step(HERE), host_do_set_ip((so), true, (tos), (ttl)))
void host_do_set_ip(struct sock *so, bool six, uint8_t tos, uint8_t ttl);

/* The packet that left last went to this address first, with these IP options; len 0: with none. */
void host_went(struct where w, struct ip_addr to, struct ip_options options);
#define went_to(to, options) host_went(HERE, (to), (options))

/* The headers of the next packet to leave, which there has to be. */
#define headers_leave() host_headers(HERE)
struct headers host_headers(struct where w);

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
#define host_send(so, at, n)        (host_step(HERE), host_do_send((so), (at), (n), false))
#define host_send_urgent(so, at, n) (host_step(HERE), host_do_send((so), (at), (n), true))
#define host_recv(so, at, n)        (host_step(HERE), host_do_recv((so), (at), (n)))
#define host_close(so)              (host_step(HERE), stack_close((so), host.now_ns))
#define host_abort(so)              (host_step(HERE), stack_abort((so), host.now_ns))
#define host_linger(so)             (host_step(HERE), stack_linger((so), host.now_ns))
#define host_shutdown_send(so)      (host_step(HERE), host_do_shutdown_send(so))
#define host_shutdown_recv(so)      (host_step(HERE), stack_shutdown_recv((so), host.now_ns))
void host_step(struct where w);

/* Changes one member of the socket's struct tcp_settings. */
#define host_set(so_, member, value)                                                               \
    do {                                                                                           \
        struct tcp_settings settings_ = *stack_settings(so_);                                      \
        settings_.member = (value);                                                                \
        no_memory_told(stack_set((so_), &settings_, host.now_ns) == ERR_NOMEM);                    \
    } while (0)
#define host_set_nodelay(so, on)                                                                   \
    do {                                                                                           \
        host_step(HERE);                                                                           \
        host_set(so, nodelay, on);                                                                 \
    } while (0)

int host_do_shutdown_send(struct sock *so);
int64_t host_do_send(struct sock *so, uint64_t at, size_t n, bool urgent);
int64_t host_do_recv(struct sock *so, uint64_t at, size_t n);

/* The same, and all n octets are taken, or had. */
#define host_sends(so, at, n)    assert_int_equal(host_send((so), (at), (n)), (n))
#define host_receives(so, at, n) assert_int_equal(host_recv((so), (at), (n)), (n))

struct tcp_status host_status(const struct sock *so);

/* The connection is the one with this peer. */
#define expect_peer(so, p) host_is_with(HERE, (so), (p))
void host_is_with(struct where w, const struct sock *so, const struct peer *p);

/* ---- Beginnings ---- */

/* The handshake of a peer with a listener, and with us; `accept` as well. */
void host_handshake(struct where w, struct peer *p);
struct sock *host_accept(struct sock *listener);
struct sock *host_connected(struct where w, struct peer *p);

/* A connection that we have opened, in any state from SYN-SENT on: nothing but SYN and FIN was sent
 * and received, and every event is taken. The way to SYN-RECEIVED is a simultaneous open. */
#define host_reach(p, s) host_reaches(HERE, (p), (s))
struct sock *host_reaches(struct where w, struct peer *p, enum tcp_state s);
void host_take_events(void);

/* A connection of this listener that we close first, up to TIME-WAIT. */
void host_to_time_wait(struct where w, struct peer *p, struct sock *listener);

/* The next event is of this socket and says this; there is no event. */
#define expect_event(so, what) host_event(HERE, (so), (what))
#define expect_no_event()      host_event(HERE, NULL, 0)
void host_event(struct where w, struct sock *so, unsigned what);

struct stack_counters host_counters(void);
void host_check(struct where w); /* every invariant */

int host_setup(void **state);    /* and host_start() */
int host_teardown(void **state); /* destroys the stack; no octet may be left */
void host_start(void);           /* again, with a changed config */

#define host_test(f)                                                                               \
    cmocka_unit_test_prestate_setup_teardown(f, host_setup, host_teardown, &(struct host_first){0})
/* About IPv4: its options, its messages, its sizes; or about both at once. */
#define host_test_ipv4(f)                                                                          \
    cmocka_unit_test_prestate_setup_teardown(f, host_setup, host_teardown,                         \
                                             &(struct host_first){.ipv4_only = true})
/* The same with and without SACK. */
#define host_test_sack(f)                                                                          \
    cmocka_unit_test_prestate_setup_teardown(f, host_setup, host_teardown,                         \
                                             &(struct host_first){.also_sack = true})
#define host_main(tests) host_run_all(tests, sizeof tests / sizeof *(tests))

/* run_all(), once over IPv6, and once with SACK. Returns how many tests failed. */
int host_run_all(const struct CMUnitTest *tests, size_t n);

/* An answer of ERR_NOMEM is a word (no_memory.h). */
#define HEARD(call)                                                                                \
    __extension__({                                                                                \
        __typeof__(call) answer_ = (call);                                                         \
        no_memory_told(answer_ == ERR_NOMEM);                                                      \
        answer_;                                                                                   \
    })
#define stack_create(...)      HEARD(stack_create(__VA_ARGS__))
#define stack_add_ports(...)   HEARD(stack_add_ports(__VA_ARGS__))
#define stack_listen(...)      HEARD(stack_listen(__VA_ARGS__))
#define stack_connect(...)     HEARD(stack_connect(__VA_ARGS__))
#define stack_send(...)        HEARD(stack_send(__VA_ARGS__))
#define stack_send_urgent(...) HEARD(stack_send_urgent(__VA_ARGS__))
#define stack_own_address(...) HEARD(stack_own_address(__VA_ARGS__))
#define stack_set_options(...) HEARD(stack_set_options(__VA_ARGS__))

#endif
