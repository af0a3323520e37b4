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

/* What setsockopt and bind have set; an accepted socket has from its listener what setsockopt has,
 * but for IP_OPTIONS. Without padding: see shared.h. */
struct slot_options {
    uint64_t recv_timeout_ns, send_timeout_ns; /* 0: none */
    struct tcp_settings tcp;                   /* the connection's own */
    uint32_t busy_poll_us;                     /* SO_BUSY_POLL */
    uint32_t rcvlowat;                         /* SO_RCVLOWAT; 0: 1 */
    int linger_s;                              /* SO_LINGER: for how long; 0 resets */
    uint16_t port;                             /* while the slot is `bound` */
    struct ip_addr local;                      /* the same */
    struct ip_options ip;                      /* IP_OPTIONS */
    bool linger, reuse, freebind, v6only;
    int8_t quickack; /* TCP_QUICKACK; -1: not set */
    uint8_t none[4]; /* always 0 */
};

/* What a socket's number stands for. */
struct slot {
    struct waitable changed;            /* the `user` of so: told of every event */
    struct sock *so;                    /* NULL in SLOT_NEW and SLOT_SETUP */
    const struct slot_options *options; /* shared */
    uint32_t refs;                      /* the number in the table, and calls under way */
    uint8_t domain;                     /* AF_INET or AF_INET6 */
    struct in_place *in_place;          /* NULL until it is used; see in_place.c */
    enum slot_state state : 8;
    bool closed : 1; /* by nstcp_close: the number means something else now */
    bool bound : 1;
    bool nonblock : 1;
    bool shut_recv : 1, shut_send : 1; /* by nstcp_shutdown */
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
    struct mem mem;                          /* of `options` */
    struct shared options;                   /* of all slots: most have the same */
    struct {
        struct shared_value head;
        struct slot_options value;
    } defaults; /* what sockets begin with */
};

/* As nstcp_create, over this link and machine, which are taken over, also on failure. */
int nstcp_create_on(struct nstcp **out, const struct nstcp_options *options, struct link *link,
                    struct host *host, char why[NSTCP_WHY_MAX]);

/* ---- errors.c ---- */

/* enum err as a negative errno. */
int err_to_errno(int err);

/* ---- slots.c: all with the lock held ---- */

/* What sockets begin with, with connections as this has them. */
void slots_init(struct nstcp *stack, const struct tcp_config *config);

/* A new socket in SLOT_NEW, with a number. -EMFILE, -ENOMEM. */
int slot_create(struct nstcp *stack, int domain, struct slot **out);

struct slot *slot_find(const struct nstcp *stack, int sock); /* or NULL */

/* It has the address and port in its options, and no connection of another socket gets the port,
 * until slot_unbind or slot_release. O(slots), like bind(2): another may have the port still. */
void slot_bind(struct nstcp *stack, struct slot *slot);
void slot_unbind(struct nstcp *stack, struct slot *slot);

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
void slot_unref(struct nstcp *stack, struct slot *slot);

/* The connection's state; STATE_CLOSED also without one, and in TIME-WAIT, of which Linux's users
 * see nothing. */
enum tcp_state slot_tcp_state(const struct slot *slot);

/* Whether there is a connection, or one on its way, or was. */
bool slot_has_connection(const struct slot *slot);

/* Whether there is a connection, from ESTABLISHED on, that is not over. */
bool slot_connected(const struct slot *slot);

/* SO_RCVLOWAT: so many octets are worth telling of and make a recv return. Of a large number half
 * of the receive buffer: that much always arrives. */
size_t slot_lowat(const struct slot *slot);

/* Sets all options. The connection or listener has them only after slot_apply(). 0, -ENOMEM. */
int slot_set_options(struct nstcp *stack, struct slot *slot, const struct slot_options *options);

/* Gives what was set to the connection or listener. 0, -ENOMEM. */
int slot_apply(struct slot *slot, uint64_t now_ns);

/* The same for IP_OPTIONS, which are no listener's. 0, -ENOMEM. */
int slot_apply_ip_options(struct slot *slot, uint64_t now_ns);

/* poll.c: what poll(2) would tell of the socket: of `events`, and of errors. */
short slot_revents(const struct slot *slot, short events);

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

/* Whether the socket has been closed, or the stack stopped, meanwhile: 0, or these errors. */
int call_gone(const struct call *c);

/* Waits for any of these events (SOCK_EV_*) of the socket, after which the caller looks again.
 * False at the deadline. */
bool call_sleep(struct call *c, unsigned events, uint64_t deadline_ns);

/* The same: 0, or -EAGAIN at the deadline, -EBADF, -ESHUTDOWN. */
int call_wait(struct call *c, unsigned events, uint64_t deadline_ns);

/* The same for text, which is copied to r as it arrives. */
int call_wait_receive(struct call *c, struct receive *r, unsigned events, uint64_t deadline_ns);

/* When a wait that begins now ends. timeout_ns 0: never. */
uint64_t call_deadline(uint64_t timeout_ns);

/* ---- transfer.c ---- */

/* What a send or a recv may find changed. Both may wait while the connection is being opened. */
#define WAIT_TO_SEND (SOCK_EV_ACKED | SOCK_EV_COMPLETED | SOCK_EV_CLOSED | SOCK_EV_TROUBLE)
#define WAIT_TO_RECV (SOCK_EV_ARRIVED | SOCK_EV_COMPLETED | SOCK_EV_CLOSED | SOCK_EV_TROUBLE)

struct cursor;

/* recv(2), but for MSG_OOB: the octets, or a negative errno. */
int64_t transfer_recv(struct call *c, struct cursor *cur, int flags);

/* ---- in_place.c ---- */

void in_place_free(struct nstcp *stack, struct in_place *in_place);

/* ---- sockaddr.c ---- */

/* 0, -EINVAL (too short), -EAFNOSUPPORT (not of the socket's domain; AF_UNSPEC will do beside
 * 0.0.0.0). */
int sockaddr_read(int domain, const struct sockaddr *from, socklen_t len, struct ip_addr *addr,
                  uint16_t *port);

/* As accept(2) has it: cut to *len, which then says how long it is. to may be NULL. 0, or -EINVAL
 * for a negative length. */
int sockaddr_write(int domain, const struct ip_addr *addr, uint16_t port, struct sockaddr *to,
                   socklen_t *len);

#endif
