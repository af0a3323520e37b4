/* Moving octets: send, recv, shutdown. */
#include <errno.h>

#include "api_priv.h"

/* What a send or a recv may find changed. Both may wait while the connection is being opened. */
#define WAIT_TO_SEND (SOCK_EV_ACKED | SOCK_EV_COMPLETED | SOCK_EV_CLOSED)
#define WAIT_TO_RECV (SOCK_EV_ARRIVED | SOCK_EV_COMPLETED | SOCK_EV_CLOSED)

static bool has_connection(const struct slot *slot)
{
    return slot->state == SLOT_CONNECTING || slot->state == SLOT_CONNECTED;
}

/* An error that ended the connection is told once: by send, recv or SO_ERROR. The engine counts for
 * send and recv, `error_taken` for all three. Whether this answer of the engine was told before. */
static bool told_before(struct slot *slot, int64_t answer)
{
    if (answer >= 0 || answer != stack_error(slot->so))
        return false;
    bool before = slot->error_taken;
    slot->error_taken = true;
    return before;
}

static int64_t engine_send(struct call *c, const void *buf, size_t len)
{
    uint64_t now = runtime_now();
    int64_t n = stack_send(c->slot->so, buf, len, now);
    if (told_before(c->slot, n))
        n = stack_send(c->slot->so, buf, len, now);
    if (n > 0)
        runtime_pump(c->stack->rt, now);
    return n;
}

static int64_t engine_recv(struct call *c, void *buf, size_t len, bool peek)
{
    uint64_t now = runtime_now();
    int64_t n = stack_recv(c->slot->so, buf, len, peek, now);
    if (told_before(c->slot, n))
        n = stack_recv(c->slot->so, buf, len, peek, now);
    if (n > 0 && !peek)
        runtime_pump(c->stack->rt, now);
    return n;
}

ssize_t nstcp_send(struct nstcp *stack, int sock, const void *buf, size_t len, int flags)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    if (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE))
        return call_end(&c, -EOPNOTSUPP);
    bool wait = !c.slot->nonblock && !(flags & MSG_DONTWAIT);
    uint64_t deadline = wait ? call_deadline(c.slot->send_timeout_ns) : 0;
    size_t done = 0;
    int64_t result = 0;
    while (done < len) {
        if (!has_connection(c.slot)) {
            result = -ENOTCONN;
            break;
        }
        if (done > 0 && stack_error(c.slot->so))
            break; /* the next call tells of it */
        int64_t n = engine_send(&c, (const char *)buf + done, len - done);
        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        result = err_to_errno((int)n);
        if (result != -EAGAIN || !wait)
            break;
        result = call_wait(&c, WAIT_TO_SEND, deadline);
        if (result)
            break;
    }
    return call_end(&c, done ? (int64_t)done : result);
}

ssize_t nstcp_recv(struct nstcp *stack, int sock, void *buf, size_t len, int flags)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    if (flags & ~(MSG_DONTWAIT | MSG_PEEK | MSG_WAITALL))
        return call_end(&c, -EOPNOTSUPP);
    bool wait = !c.slot->nonblock && !(flags & MSG_DONTWAIT);
    bool peek = (flags & MSG_PEEK) != 0;
    bool all = (flags & MSG_WAITALL) && !peek;
    uint64_t deadline = wait ? call_deadline(c.slot->recv_timeout_ns) : 0;
    size_t done = 0;
    int64_t result = 0;
    while (done < len) {
        if (!has_connection(c.slot)) {
            result = -ENOTCONN;
            break;
        }
        int64_t n = engine_recv(&c, (char *)buf + done, len - done, peek);
        if (n > 0)
            done += (size_t)n;
        if (n == 0 || (n > 0 && !all))
            break;
        if (n > 0)
            continue;
        result = err_to_errno((int)n);
        if (result != -EAGAIN || !wait)
            break;
        result = call_wait(&c, WAIT_TO_RECV, deadline);
        if (result)
            break;
    }
    return call_end(&c, done ? (int64_t)done : result);
}

int nstcp_shutdown(struct nstcp *stack, int sock, int how)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    struct slot *slot = c.slot;
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        return (int)call_end(&c, -EINVAL);
    if (!has_connection(slot))
        return (int)call_end(&c, -ENOTCONN);
    uint64_t now = runtime_now();
    int err = ERR_NONE;
    if (how != SHUT_WR)
        err = stack_shutdown_recv(slot->so, now);
    if (!err && how != SHUT_RD)
        err = stack_shutdown_send(slot->so, now);
    if (err == ERR_PIPE)
        err = ERR_NONE; /* a second time changes nothing */
    runtime_pump(stack->rt, now);
    waitable_wake(&slot->changed, WAIT_ALL);
    return (int)call_end(&c, err_to_errno(err));
}
