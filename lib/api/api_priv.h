/* What the files of api/ share, and what tests use to run a stack without a network. */
#ifndef API_PRIV_H
#define API_PRIV_H

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

/* What a socket's number stands for. */
struct slot {
    struct waitable changed; /* the `user` of so: told of every event */
    enum slot_state state;
    struct sock *so; /* NULL in SLOT_NEW and SLOT_SETUP */
    uint32_t refs;   /* the number in the table, and calls under way */
    int domain;
    bool closed;      /* by nstcp_close: the number means something else now */
    bool bound;       /* local and port are set by bind */
    bool error_taken; /* somebody has been told why the connection ended */
    bool nonblock, nodelay, reset_on_close, freebind;
    uint32_t sndbuf; /* 0: the stack's default */
    struct ip_addr local;
    uint16_t port;
    uint64_t recv_timeout_ns, send_timeout_ns; /* 0: none */
};

struct nstcp {
    struct runtime *rt;
    struct trace_text trace;

    /* From here on under the runtime's lock. */
    bool stopped;
    uint32_t calls;       /* under way */
    struct waiter *ender; /* nstcp_destroy, until there are none */
    struct slot **slots;  /* by number; NULL: free */
    uint32_t n_slots;
    uint32_t search_from; /* no number below is free */
    uint32_t max_slots;
    uint32_t sndbuf_default; /* octets */
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

/* Frees the number, wakes who waits for the socket, gives up its connection. Does not pump. */
void slot_close(struct nstcp *stack, int sock);

void slot_ref(struct slot *slot);
void slot_unref(struct slot *slot);

/* SLOT_CONNECTING to SLOT_CONNECTED, once that is so. */
void slot_look(struct slot *slot);

/* Gives what was set before there was a connection to the engine. */
void slot_apply(struct slot *slot, uint64_t now_ns);

/* ---- call.c: what every call on a stack begins and ends with ---- */

struct call {
    struct nstcp *stack;
    struct slot *slot; /* NULL: the call is not on a socket */
    int cancel_state;
};

#define NO_SOCK (-1)

/* Takes the lock, and finds and keeps the socket. 0, or a negative errno: then the call is over,
 * the lock not held. */
int call_begin(struct call *c, struct nstcp *stack, int sock);

/* Gives the lock back. Returns result; for a negative errno -1, and errno is set. */
int64_t call_end(struct call *c, int64_t result);

/* The lock given up for something slow. call_relock: 0, or -EBADF, -ESHUTDOWN: the lock is held all
 * the same. */
void call_unlock(struct call *c);
int call_relock(struct call *c);

/* Waits for any of these events (SOCK_EV_*) of the socket, after which the caller looks again. 0,
 * or -EAGAIN at the deadline, -EBADF, -ESHUTDOWN. */
int call_wait(struct call *c, unsigned events, uint64_t deadline_ns);

/* When a wait that begins now ends. timeout_ns 0: never. */
uint64_t call_deadline(uint64_t timeout_ns);

/* ---- sockaddr.c ---- */

/* 0, -EINVAL (too short), -EAFNOSUPPORT (not of the socket's domain). */
int sockaddr_read(int domain, const struct sockaddr *from, socklen_t len, struct ip_addr *addr,
                  uint16_t *port);

/* As accept(2) has it: cut to *len, which then says how long it is. to may be NULL. */
void sockaddr_write(int domain, const struct ip_addr *addr, uint16_t port, struct sockaddr *to,
                    socklen_t *len);

#endif
