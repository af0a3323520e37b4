/*
 * What the files of stack/ share: the stack, the listener and the connection. Not for anyone else.
 */
#ifndef SOCK_H
#define SOCK_H

#include "heap.h"
#include "ip_options.h"
#include "list.h"
#include "paths.h"
#include "ports.h"
#include "reassembly.h"
#include "stack.h"
#include "table.h"

enum sock_kind {
    SOCK_LISTENER,
    SOCK_CONNECTION,
};

/* How far a connection has come on its way to a user. */
enum conn_stage {
    CONN_HALF_OPEN, /* the listener's; nobody knows of it */
    CONN_COMPLETED, /* waits for accept */
    CONN_USED,      /* a user has it */
    CONN_LEFT,      /* the user has given it up; it ends by itself */
};

/* What listeners and connections have in common. */
struct sock {
    struct table_node node; /* in the socket table, by four-tuple, while `listed` */
    union {
        void *user;
        struct listener *listener; /* in its place while half open or completed */
    };
    struct list line; /* in stack.ready while `happened` has something to tell the user; without
                       * one in a queue of the listener's, or in stack.time_wait */
    uint32_t id;
    uint8_t happened; /* SOCK_EV_* not yet taken */
    enum sock_kind kind : 1;
    bool listed : 1;
    /* of connections */
    bool error_told : 1;  /* the user has been told once why it ended */
    bool unfinished : 1;  /* counted in stack.n_unfinished */
    bool options_set : 1; /* conn.options are the user's; else a route that has arrived */
    bool in_turn : 1;     /* it ends when it is the first in stack.time_wait, without a timer */
    enum conn_stage stage : 2;
};

struct listener {
    struct sock sock;
    struct stack *stack;
    const struct tcp_settings *settings; /* of the connections to come; shared */
    uint32_t backlog;
    bool v6only; /* the IPv6 wildcard does not stand for IPv4's addresses */
    uint32_t n_half_open, n_completed;
    struct list half_open;     /* connections in SYN-RECEIVED, oldest first */
    struct list completed;     /* connections that wait for accept, oldest first */
    uint32_t cookie_options;   /* how often options that cookies tell have changed */
    uint64_t cookies_until_ns; /* the SYN cookies that it has sent are good at most so long */
};

struct conn {
    struct sock sock;
    struct list pending; /* in stack.pending: output has to be asked; else, once it is no longer
                          * `listed`, in stack.ended */
    struct heap_node timer;
    struct tcb tcb;
    struct ip_options *options; /* IPv4's, on every packet; NULL: none */
};

/* RSTs and SYN-ACKs that belong to no connection wait here for output; more than these are dropped.
 */
#define STACK_ANSWERS 64

struct answer {
    struct flow flow;
    struct tcp_ip ip;
    struct ip_options options;
    struct seg seg;
};

/* So many SYNs are remembered whose cookies have opened a connection, by a hash: that has room for
 * as many connections, opened within two minutes of a flood. */
#define COOKIE_BUCKETS 512
#define COOKIE_BUCKET  8

/* So many addresses at most are doubted until the caller hears of it; TCP says it again. */
#define STACK_ADVICE 16

struct stack {
    struct mem *mem;
    struct stack_config config;
    struct siphash_key cookie_key;
    uint32_t spent[COOKIE_BUCKETS][COOKIE_BUCKET]; /* marks of those SYNs */
    struct tcp_common tcp;
    struct table table;
    struct ports ports;
    struct heap timers;
    struct list ready, pending;
    struct list ended;         /* connections that somebody holds yet */
    struct list resting;       /* struct busy of connections that rest, longest first */
    uint64_t rest_due_ns;      /* when some of them give back, unless there are none */
    struct list time_wait;     /* connections that nobody holds any more, as they came */
    uint64_t time_wait_due_ns; /* when the last of them ends that is `in_turn` */
    uint32_t n_socks, next_id;
    uint32_t n_unfinished; /* connections that conn_unfinished() is true of */
    struct answer answers[STACK_ANSWERS];
    uint32_t answers_head, n_answers;
    struct reassembly reassembly;
    struct table owned;              /* addresses, as flow.local; the rest of the key is 0 */
    struct list echoes, echoes_lent; /* answers to echo requests: to go, and given to output */
    uint64_t echo_span_ns;           /* a second began, */
    uint32_t echoes_in_span;         /* and so many requests came in it */
    uint32_t n_echoes;               /* in `echoes` */
    struct paths paths;
    struct ip_addr advice[STACK_ADVICE];
    uint32_t n_advice;
    struct stack_counters counters;
};

static inline struct listener *as_listener(struct sock *so)
{
    return container_of(so, struct listener, sock);
}

static inline struct conn *as_conn(struct sock *so)
{
    return container_of(so, struct conn, sock);
}

static inline struct stack *conn_stack(const struct conn *c)
{
    return container_of(c->tcb.common, struct stack, tcp);
}

static inline struct stack *sock_stack(struct sock *so)
{
    return so->kind == SOCK_LISTENER ? as_listener(so)->stack : conn_stack(as_conn(so));
}

/* The connection that stands there in line. */
static inline struct conn *conn_in_line(struct list *line)
{
    return as_conn(container_of(line, struct sock, line));
}

/* The listener that a connection waits at; NULL: at none. */
static inline struct listener *conn_listener(const struct conn *c)
{
    return c->sock.stage <= CONN_COMPLETED ? c->sock.listener : NULL;
}

/* A segment, and what its packet says besides. */
struct arrival {
    const struct flow *flow;
    const struct seg *seg;
    const struct ip_options *route; /* the way back, if that is to be used; NULL: none */
    uint32_t mtu;                   /* of the device it came by; 0: the link's */
};

/* life.c: making and ending sockets. */

/* A connection in CLOSED, entered in the table; NULL for want of memory or at max_socks. old: NULL,
 * or a connection that ends, unless this fails, and whose memory is used. Without one, at
 * max_socks, the oldest in TIME-WAIT has to go. mtu: of the path's first link; 0: the link's. */
struct conn *conn_create(struct stack *s, const struct flow *flow, uint32_t mtu, struct conn *old);

/* The MTU of the first link to this address. mtu: as it is known, 0: the link's; brought within
 * what the IP version has to carry (RFC 791 3.2, RFC 8200 5) and what its length field can. */
uint16_t stack_first_mtu(const struct stack *s, const struct ip_addr *remote, uint32_t mtu);

/* Frees it, whatever its state; nothing is sent. */
void conn_free(struct conn *c);

/* NULL for want of memory, or at max_socks with nothing in TIME-WAIT that could go. */
struct listener *listener_create(struct stack *s, const struct flow *key, uint32_t backlog);

/* The four-tuple is free for another: CLOSED means that there is no connection (RFC 9293 3.3.2),
 * even while a user still holds the socket. */
void conn_unlist(struct conn *c);

/* The listener itself; its connections must be gone. */
void listener_free(struct listener *l);

/* ready.c */

/* Records what happened and puts the socket on the ready list, once. */
void sock_happened(struct sock *so, unsigned what, uint64_t now_ns);

/* settle.c: to be called after every call on a connection's tcb: checks invariants, passes events
 * on, asks for output. May free the connection when nobody needs it any more. */
void conn_settle(struct conn *c, uint64_t now_ns);

/* The same at the end of output: sets the timer, frees what is over. */
void conn_rest(struct conn *c, uint64_t now_ns);

/* time_wait.c */

/* One that nobody holds any more is in TIME-WAIT, or its 2 MSL begin anew. */
void time_wait_queue(struct conn *c);

/* When time_wait_tick() wants to be called. O(1). */
uint64_t time_wait_deadline(const struct stack *s);
void time_wait_tick(struct stack *s, uint64_t now_ns);

/* rest.c */

/* To be called when output has nothing more. */
void conn_may_rest(struct conn *c, uint64_t now_ns);

/* When rest_tick() wants to be called. O(1). */
uint64_t rest_deadline(const struct stack *s);
void rest_tick(struct stack *s, uint64_t now_ns);

/* advice.c: R1 was reached on the way to this address. */
void stack_advise(struct stack *s, const struct ip_addr *hop);

/* drain.c */

/* Whether something is to be acknowledged yet, or a RST to be sent. */
bool conn_unfinished(const struct conn *c);

/* Keeps stack.n_unfinished right: to be called when something has changed. */
void conn_count(struct conn *c);

/* listen.c */

/* The listener for segments of this flow: on its very local address, or on a wildcard; or NULL. */
struct sock *listener_find(struct stack *s, const struct flow *flow);

/* A segment for this listener. old: NULL, or a connection in TIME-WAIT whose place the new one
 * takes if it is opened (3.6.1, MAY-2). */
void listener_arrives(struct listener *l, const struct arrival *a, struct conn *old,
                      uint64_t now_ns);

/* A connection in SYN-RECEIVED, by this SYN, which need not be the segment that arrives now. old:
 * NULL, or one whose place it takes. NULL for want of memory. */
struct conn *listener_open(struct listener *l, const struct arrival *a, const struct seg *syn,
                           seq_t iss, struct conn *old, uint64_t now_ns);

/* What its connections to come begin with. ERR_NOMEM: nothing has changed. */
int listener_set(struct listener *l, const struct tcp_settings *settings);

/* False when the ACK that would complete this half-open connection has to be dropped, because the
 * accept queue is full. */
bool listener_has_room(const struct conn *c, const struct seg *seg);

/* A half-open connection is established: it waits for accept now. */
void listener_completed(struct conn *c, uint64_t now_ns);

/* Takes the connection out of its listener's queues. */
void listener_forget(struct conn *c);

/* cookies.c */

/* Answers a SYN, of which nothing is kept, if there is room for an answer. False: its cookie has
 * opened a connection before, and is of no use any more. */
bool listener_sends_cookie(struct listener *l, const struct arrival *a, uint64_t now_ns);

/* Whether the segment is an ACK that brings a good cookie: it has opened a connection then, or was
 * dropped for want of room. half_open: NULL, or one with this four-tuple, by a later SYN, whose
 * place it takes. */
bool listener_takes_cookie(struct listener *l, const struct arrival *a, struct conn *half_open,
                           uint64_t now_ns);

/* conn_options.c */

/* A source route has arrived in an acceptable segment: used from now on, as the last one is
 * (SHLD-24). False for want of memory. */
bool conn_take_route(struct conn *c, const struct ip_options *route);

/* Where its packets go first: to the remote address, or by a source route. */
struct ip_addr conn_first_hop(const struct conn *c);

void conn_free_options(struct conn *c);

/* icmp_in.c */

/* A packet that packet_decode() calls DECODE_NOT_TCP. mtu: of the device it came by; 0: the link's.
 */
void icmp_arrives(struct stack *s, const struct packet *p, uint32_t mtu, uint64_t now_ns);

/* The next answer to an echo request. It lies in memory of its own until icmp_forget_lent(). */
bool icmp_output(struct stack *s, struct packet *p);
void icmp_forget_lent(struct stack *s);

/* Answers that have not gone never will. */
void icmp_finish(struct stack *s);

/* owned.c: no address is owned any more. */
void owned_finish(struct stack *s);

/* border.c */

/* The socket with this key: a connection's four-tuple, or a listener's address and port. */
struct sock *stack_find(struct stack *s, const struct flow *flow);

/* Answers a segment with RST where 3.10.7.1 asks for one. so: whom it was for; NULL: nobody. */
void stack_answer(struct stack *s, struct sock *so, const struct flow *flow, const struct seg *seg);

/* Sends this segment, of no connection, if there is room for another answer. route: NULL, or IP
 * options that go with it. */
bool stack_can_answer(const struct stack *s);
void stack_answer_with(struct stack *s, const struct sock *so, const struct flow *flow,
                       const struct ip_options *options, const struct seg *answer);

#endif
