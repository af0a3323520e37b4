/*
 * One stack at work: the engine, the link under it, the machine around it, the lock over all of
 * them, and the receive thread.
 *
 *     link --recv--> one who waits, or --input, tick--> engine --output--> pump --send--> link
 *                    receive thread                     ^                   |
 *                    api calls of any thread --user calls                   +--wake--> who waits
 *
 * Who enters the engine pumps afterwards: all packets it has to send go out, everybody who waits
 * for what has happened is woken, and the timer is set. A thread in runtime_wait() moves packets
 * itself; while none does, the receive thread sleeps until a packet comes or a deadline passes;
 * with nothing to do it never wakes up.
 *
 * Called by api/ only. Calls that need the lock say so; all others must be made without it. Errors
 * are negative errno values.
 */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"
#include "link.h"
#include "stack.h"
#include "wait.h"

struct runtime;

struct runtime_config {
    struct link *link; /* taken over, also on failure */
    struct host *host; /* the same */
    struct tcp_config tcp;
    struct trace trace;
    uint32_t max_socks;
    bool accept_source_route;
    size_t mem_limit; /* octets of the engine's memory */
};

/* Starts the receive thread, with all signals blocked. On failure *what names the step. */
int runtime_create(struct runtime **out, const struct runtime_config *config, const char **what);

/* Stops the thread and frees everything, link and host included; nothing more is sent. No other
 * thread may be in a call. */
void runtime_destroy(struct runtime *rt);

/* Whether this is a child made by fork() since runtime_create: it may call runtime_disown and
 * nothing else. Without the lock, which another thread may have held at the fork. */
bool runtime_forked(const struct runtime *rt);

/* Closes such a child's copies of the packet socket and the timer. The memory stays as it was at
 * the fork, perhaps in the middle of a change. */
void runtime_disown(struct runtime *rt);

void runtime_lock(struct runtime *rt);
void runtime_unlock(struct runtime *rt);

/* The engine: for stack_ calls, with the lock held. */
struct stack *runtime_stack(struct runtime *rt);

/* To be called after every stack_ call that may have changed something. Lock held. The `user` of
 * every socket must be a struct waitable or NULL. */
void runtime_pump(struct runtime *rt, uint64_t now_ns);

/* Waits, the lock given up meanwhile, until w is woken or deadline_ns (of runtime_now) has passed,
 * and moves packets if no other thread does. False at the deadline. Lock held. */
bool runtime_wait(struct runtime *rt, struct waiter *w, uint64_t deadline_ns);

/* Takes what the link has now, if no other thread does. Lock held; given up meanwhile. */
void runtime_look(struct runtime *rt);

/* Lets other threads run that are in one of `calls` calls on the stack, this one's among them, and
 * do not wait; false: there are none. Who has been woken waits until it runs again. Lock held;
 * given up meanwhile. */
bool runtime_yield(struct runtime *rt, unsigned calls);

/* Wakes all who sleep in runtime_wait. Lock held. */
void runtime_wake_all(struct runtime *rt);

/* Waits until every connection's data and FIN is acknowledged, or deadline_ns; what is left then is
 * reset. Whether nothing had to be. All sockets must have been closed. Lock held. */
bool runtime_drain(struct runtime *rt, uint64_t deadline_ns);

/* CLOCK_MONOTONIC in ns. */
uint64_t runtime_now(void);

/* The machine around us, one call at a time; see host.h. */
int runtime_route(struct runtime *rt, const struct ip_addr *dst, struct ip_addr *src,
                  uint32_t *mtu);
int runtime_hold(struct runtime *rt, const struct ip_addr *addr, uint16_t port, bool v6only);

/* Also makes it the engine's, which then answers echo requests for it; 0 in both cases of host.h.
 */
int runtime_own(struct runtime *rt, const struct ip_addr *addr);

/* Claims a block of ephemeral ports and gives it to the engine, unless somebody has done so since
 * the caller saw `seen` ports. */
int runtime_claim(struct runtime *rt, uint32_t seen);

/* How many ephemeral ports have been claimed. Lock held. */
uint32_t runtime_port_count(const struct runtime *rt);

/* The i-th of them, for bind() to port 0. i is taken modulo their number. Lock held. */
uint16_t runtime_port_at(const struct runtime *rt, uint32_t i);

#endif
