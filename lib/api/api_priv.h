/* What the files of api/ share, and what tests use to run a stack without a network. */
#ifndef API_PRIV_H
#define API_PRIV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "nstcp.h"
#include "runtime.h"
#include "trace_text.h"

enum slot_state {
    SLOT_NEW,        /* no connection yet; bound or not */
    SLOT_SETUP,      /* a thread is binding or connecting it, without the lock */
    SLOT_LISTENING,  /* so is a listener */
    SLOT_CONNECTING, /* so is a connection on its way */
    SLOT_CONNECTED,  /* so is a connection, perhaps one that is over */
};

/* What setsockopt has set; an accepted socket has all of it from its listener. */
struct slot_options {
    bool nodelay, cork, reuse, freebind, oobinline;
    bool linger; /* SO_LINGER, and for how long: 0 resets */
    int linger_s;
    uint32_t sndbuf, rcvbuf;  /* 0: the stack's default */
    uint32_t rcvlowat;        /* SO_RCVLOWAT; 0: 1 */
    uint32_t user_timeout_ms; /* the same */
    uint32_t mss_max;         /* TCP_MAXSEG; 0: not set */
    uint32_t orphan_ms;       /* TCP_LINGER2; 0: not set; ORPHAN_NONE: negative */
    uint8_t syn_retries;      /* TCP_SYNCNT; 0: not set */
    const struct cc_ops *cc;  /* TCP_CONGESTION; NULL: the stack's default */
    struct keepalive_settings keepalive;
    uint64_t recv_timeout_ns, send_timeout_ns; /* 0: none */
    struct tcp_ip ip4, ip6;
    int8_t quickack; /* TCP_QUICKACK; -1: not set */
};

/* What a socket's number stands for. */
struct slot {
    struct waitable changed; /* the `user` of so: told of every event */
    enum slot_state state;
    struct sock *so; /* NULL in SLOT_NEW and SLOT_SETUP */
    uint32_t refs;   /* the number in the table, and calls under way */
    int domain;
    bool closed; /* by nstcp_close: the number means something else now */
    bool bound;  /* local and port are set by bind */
    bool nonblock;
    bool shut_recv, shut_send; /* by nstcp_shutdown */
    struct ip_addr local;
    uint16_t port;
    struct slot_options options;
    struct ip_options
        *ip_options; /* IP_OPTIONS; NULL: none. An accepted socket has none of these */
};

struct nstcp {
    struct runtime *rt;
    struct trace_text trace;
    atomic_uint calls; /* under way, those that wait for the lock included */

    /* From here on under the runtime's lock. */
    bool stopped;
    struct waiter *ender; /* nstcp_destroy, until no call is under way */
    struct slot **slots;  /* by number; NULL: free */
    uint32_t n_slots;
    uint32_t search_from; /* no number below is free */
    uint32_t max_slots;
    uint32_t sndbuf_default, rcvbuf_default; /* octets */
    const struct cc_ops *cc_default;
};

/* As nstcp_create, over this link and machine, which are taken over, also on failure. */
int nstcp_create_on(struct nstcp **out, const struct nstcp_options *options, struct link *link,
                    struct host *host, char why[NSTCP_WHY_MAX]);

/* ---- errors.c ---- */

/* enum err as a negative errno. */
int err_to_errno(int err);

/* ---- slots.c: all with the lock held ---- */

/* A new socket in SLOT_NEW, with a number. -EMFILE, -ENOMEM. */
int slot_create(struct nstcp *stack, int domain, struct slot **out);

struct slot *slot_find(const struct nstcp *stack, int sock); /* or NULL */

/* Frees the number, which means something else from now on, and wakes who waits for the socket. The
 * connection stays; as does the slot while somebody holds it. */
void slot_release(struct nstcp *stack, int sock);

/* slot_release, and the connection is given up: SO_LINGER of 0 resets it. Does not pump. */
void slot_close(struct nstcp *stack, int sock);

/* The connection is given up as slot_close does it. */
void slot_leave(struct slot *slot);

/* Ends the connection or listener at once, with a RST where a peer knows of it: the socket is as
 * new, but for what was bound and set. Does not pump. */
void slot_disconnect(struct slot *slot);

void slot_ref(struct slot *slot);
void slot_unref(struct slot *slot);

/* The connection's state; STATE_CLOSED also without one, and in TIME-WAIT, of which Linux's users
 * see nothing. */
enum tcp_state slot_tcp_state(const struct slot *slot);

/* Whether there is a connection, from ESTABLISHED on, that is not over. */
bool slot_connected(const struct slot *slot);

/* SO_RCVLOWAT: so many octets are worth telling of and make a recv return. Of a large number half
 * of the receive buffer: that much always arrives. */
size_t slot_lowat(const struct slot *slot);

/* Gives what was set to the connection or listener. */
void slot_apply(struct slot *slot, uint64_t now_ns);

/* The same for IP_OPTIONS, which are no listener's. 0, -ENOMEM. */
int slot_apply_ip_options(struct slot *slot, uint64_t now_ns);

/* ---- call.c: what every call on a stack begins and ends with ---- */

struct call {
    struct nstcp *stack;
    struct slot *slot; /* NULL: the call is not on a socket */
    int cancel_state;
};

/* Counts the call and takes the lock: what the few calls begin with that a stopped stack allows. 0,
 * or -ESHUTDOWN in the child of a fork: then the call is over, errno is set, the lock not held. */
int call_enter(struct call *c, struct nstcp *stack);

/* The same for all others. 0, or a negative errno: then the call is over, the lock not held. */
int call_begin_any(struct call *c, struct nstcp *stack);

/* The same, and finds and keeps the socket. */
int call_begin(struct call *c, struct nstcp *stack, int sock);

/* Gives the lock back. Returns result; for a negative errno -1, and errno is set. */
int64_t call_end(struct call *c, int64_t result);

/* The lock given up for something slow. call_relock: 0, or -EBADF, -ESHUTDOWN: the lock is held all
 * the same. */
void call_unlock(struct call *c);
int call_relock(struct call *c);

/* Waits for any of these events (SOCK_EV_*) of the socket, after which the caller looks again.
 * False at the deadline. */
bool call_sleep(struct call *c, unsigned events, uint64_t deadline_ns);

/* The same: 0, or -EAGAIN at the deadline, -EBADF, -ESHUTDOWN. */
int call_wait(struct call *c, unsigned events, uint64_t deadline_ns);

/* When a wait that begins now ends. timeout_ns 0: never. */
uint64_t call_deadline(uint64_t timeout_ns);

/* ---- sockaddr.c ---- */

/* 0, -EINVAL (too short), -EAFNOSUPPORT (not of the socket's domain). */
int sockaddr_read(int domain, const struct sockaddr *from, socklen_t len, struct ip_addr *addr,
                  uint16_t *port);

/* As accept(2) has it: cut to *len, which then says how long it is. to may be NULL. 0, or -EINVAL
 * for a negative length. */
int sockaddr_write(int domain, const struct ip_addr *addr, uint16_t port, struct sockaddr *to,
                   socklen_t *len);

#endif
