/*
 * A simulated host: every call of the engine that is not an application's goes through here. A turn
 * is what happens at one time: packets that are taken in, a tick, an application's call, and then
 * all that the engine has to send and to tell.
 */
#ifndef HOST_H
#define HOST_H

#include "world.h"

static inline uint64_t host_now(const struct host *h)
{
    return h->world->now_ns + h->clock_ns;
}

/* Whether what came last is no SYN: then an ACK that is to be a SYN cookie's. */
static inline bool host_by_cookie(const struct host *h)
{
    return !(h->heard.flags & TCP_SYN);
}

/* The number of the SYN that it is, or that its ACK tells of. */
static inline seq_t host_syn(const struct host *h)
{
    return seq_sub(h->heard.seq, host_by_cookie(h));
}

/* host_life.c: */

void host_init(struct host *h, struct world *w, uint32_t index);

/* Frees what there is, after a failure too. */
void host_free(struct host *h);

/* A new stack, with new secret and empty memory, the first time and after a crash. */
void host_start(struct host *h);
void host_listen(struct host *h);

void host_crash(struct host *h);

/* The faults are over: there is memory enough. */
void host_calm(struct host *h);
void host_close_listener(struct host *h);

/* Whether something was refused that has no other reason than want of memory. */
bool host_was_refused(const struct host *h);

/* host.c: */

/* Before a turn. */
void host_enter(struct host *h);

/* After each engine call by an application. */
void host_called(struct host *h);

/* After a turn: sends all, passes events on, sets the next tick. */
void host_leave(struct host *h);

/* Turns of their own. */
void host_frame(struct host *h, struct frame *f);
void host_poll(struct host *h);
void host_tick(struct host *h);
void host_accept(struct host *h);

/* host_out.c: asks for packets until there are none, and sends them; how many there were. */
size_t host_drain(struct host *h);

/* sabotage.c: what a self test does, if anything, to a frame that arrives, to what the checkers are
 * told of one that e has sent, and to the engine when it has nothing more to send. */
void sabotage_frame(struct host *h, struct frame *f);
void sabotage_sent(struct end *e, const struct frame *f);
void sabotage_silence(struct host *h);

#endif
