/* The ends of a connection: shutdown(2), and close(2) with SO_LINGER. */
#include <errno.h>

#include "api_priv.h"
#include "nstime.h"

/* As Linux: a listener that is shut down for reading, and an attempt to connect, are given up. */
static int shut_down_early(struct slot *slot, int how)
{
    if (slot->state != SLOT_LISTENING && slot->state != SLOT_CONNECTING)
        return -ENOTCONN;
    if (slot->state == SLOT_CONNECTING || how != SHUT_WR)
        slot_disconnect(slot);
    return 0;
}

static int shut_down(struct slot *slot, int how, uint64_t now_ns)
{
    enum tcp_state state = slot_tcp_state(slot);
    if (state == STATE_CLOSED)
        return -ENOTCONN;
    if (state < STATE_ESTABLISHED)
        return shut_down_early(slot, how);
    if (how != SHUT_RD) {
        int err = stack_shutdown_send(slot->so, now_ns); /* a second time changes nothing */
        if (err == ERR_NOMEM)
            return err_to_errno(err);
        slot->shut_send = true;
    }
    if (how != SHUT_WR) {
        stack_shutdown_recv(slot->so, now_ns);
        slot->shut_recv = true;
    }
    waitable_wake(&slot->changed, WAIT_ALL);
    return 0;
}

int nstcp_shutdown(struct nstcp *stack, int sock, int how)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        return (int)call_end(&c, -EINVAL);
    uint64_t now = runtime_now();
    int err = shut_down(c.slot, how, now);
    runtime_pump(stack->rt, now);
    return (int)call_end(&c, err);
}

/* SO_LINGER with a time: CLOSE, and wait for the end of it. When the time is over, the rest goes on
 * by itself, as in Linux; O_NONBLOCK makes no difference, as there. */
static void linger(struct call *c)
{
    struct slot *slot = c->slot;
    uint64_t now = runtime_now();
    uint64_t deadline = now + (uint64_t)slot->options->linger_s * NS_PER_S;
    stack_linger(slot->so, now);
    runtime_pump(c->stack->rt, now);
    while (!stack_finished(slot->so) && !c->stack->stopped && call_sleep(c, WAIT_ALL, deadline))
        ;
}

int nstcp_close(struct nstcp *stack, int sock)
{
    struct call c;
    if (call_enter(&c, stack))
        return -1;
    c.slot = slot_find(stack, sock);
    if (!c.slot)
        return (int)call_end(&c, -EBADF);
    slot_ref(c.slot);
    slot_release(stack, sock);
    if (slot_connected(c.slot) && c.slot->options->linger && c.slot->options->linger_s > 0)
        linger(&c);
    slot_leave(c.slot);
    runtime_pump(stack->rt, runtime_now());
    return (int)call_end(&c, 0);
}
