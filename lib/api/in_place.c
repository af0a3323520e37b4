/*
 * Text in its place: written where it is sent from, read where it has arrived.
 *
 * What is reserved is a block that becomes part of the send queue. What is borrowed is memory of
 * the socket's that a recv fills: text goes there straight from the link, as it does to the buffer
 * of any recv that waits.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api_priv.h"
#include "iov.h"
#include "minmax.h"

/* What malloc would map and unmap is of two sizes, so that it is used again (runtime/pool.h). */
#define RESERVE_LITTLE ((size_t)2 * 1024) /* which malloc does well */
#define RESERVE_SMALL  ((size_t)64 * 1024)
#define RESERVE_MAX    ((size_t)256 * 1024)
#define BORROW_MAX     ((size_t)256 * 1024)

/* Memory of the stack's. */
struct piece {
    void *at; /* NULL: none */
    size_t size;
};

struct in_place {
    struct piece reserved;
    size_t promised;   /* octets of it */
    struct piece text; /* to borrow from; it stays for the next time */
    bool filling, lent;
};

/* The socket's; NULL for want of memory. */
static struct in_place *in_place_of(struct slot *slot)
{
    if (!slot->in_place)
        slot->in_place = calloc(1, sizeof *slot->in_place);
    return slot->in_place;
}

static void drop(struct nstcp *stack, struct piece *p)
{
    stack_block_free(runtime_stack(stack->rt), p->at, p->size);
    p->at = NULL;
}

/* False for want of memory. */
static bool make(struct nstcp *stack, struct piece *p, size_t size)
{
    *p = (struct piece){stack_block(runtime_stack(stack->rt), size), size};
    return p->at;
}

void in_place_free(struct nstcp *stack, struct in_place *p)
{
    if (!p)
        return;
    drop(stack, &p->reserved);
    drop(stack, &p->text);
    free(p);
}

/* Octets of room, at least 1, or an errno. Who waits does not get crumbs: room for len, or as much
 * as poll(2) calls writable; at the deadline what there is. */
static int64_t wait_for_room(struct call *c, size_t len, int flags)
{
    bool wait = !c->slot->nonblock && !(flags & MSG_DONTWAIT);
    uint64_t deadline = wait ? call_deadline(c->slot->options->send_timeout_ns) : 0;
    for (;;) {
        int64_t room = slot_has_connection(c->slot) ? stack_send_room(c->slot->so) : 0;
        if (room > 0 &&
            (!wait || (uint64_t)room >= len || stack_readiness(c->slot->so) & SOCK_WRITABLE))
            return room;
        int err = room > 0 ? -EAGAIN : room == 0 ? -ENOTCONN : err_to_errno((int)room);
        if (err == -EAGAIN && wait) {
            err = call_wait(c, WAIT_TO_SEND, deadline);
            wait = err != -EAGAIN; /* at the deadline a last time, as a send */
            err = wait ? err : 0;
        }
        if (err)
            return err;
    }
}

/* A block for len octets. False for want of memory. */
static bool make_block(struct nstcp *stack, struct piece *p, size_t len)
{
    size_t size = len <= RESERVE_SMALL ? RESERVE_SMALL : RESERVE_MAX;
    return (len > RESERVE_LITTLE && make(stack, p, size)) || make(stack, p, len);
}

static int64_t reserve(struct call *c, void **buf, size_t len, int flags)
{
    if (flags & ~MSG_DONTWAIT)
        return -EOPNOTSUPP;
    if (len == 0)
        return -EINVAL;
    int64_t room = wait_for_room(c, min_u64(len, RESERVE_MAX), flags);
    if (room < 0)
        return room;
    struct in_place *p = in_place_of(c->slot);
    if (!p)
        return -ENOMEM;
    if (p->reserved.at)
        return -EALREADY;
    len = min_u64(min_u64(len, (uint64_t)room), RESERVE_MAX);
    if (!make_block(c->stack, &p->reserved, len))
        return -ENOMEM;
    p->promised = len;
    *buf = p->reserved.at;
    return (int64_t)len;
}

/* A block that is to a small part full would hold memory for nothing until it is acknowledged. */
static void shrink(struct nstcp *stack, struct piece *p, size_t len)
{
    struct piece smaller;
    if (len > p->size / 2 || !make_block(stack, &smaller, len))
        return;
    memcpy(smaller.at, p->at, len);
    drop(stack, p);
    *p = smaller;
}

static int64_t commit(struct call *c, size_t len, int flags)
{
    struct in_place *p = c->slot->in_place;
    if (flags & ~MSG_MORE)
        return -EOPNOTSUPP;
    if (!p || !p->reserved.at || len > p->promised)
        return -EINVAL;
    if (len == 0 || !slot_has_connection(c->slot)) {
        drop(c->stack, &p->reserved);
        return len == 0 ? 0 : -ENOTCONN;
    }
    shrink(c->stack, &p->reserved, len);
    uint64_t now = runtime_now();
    int64_t n = stack_send_block(c->slot->so, p->reserved.at, p->reserved.size, len, now);
    if (n > 0) {
        p->reserved.at = NULL;
        if (flags & MSG_MORE)
            stack_more(c->slot->so, now);
        runtime_pump(c->stack->rt, now);
        return n;
    }
    if (n != ERR_NOMEM)
        drop(c->stack, &p->reserved);
    return err_to_errno((int)n);
}

/* At least so large. */
static bool enlarge(struct nstcp *stack, struct piece *p, size_t size)
{
    if (p->at && p->size >= size)
        return true;
    drop(stack, p);
    return make(stack, p, size);
}

static int64_t borrow(struct call *c, const void **buf, size_t len, int flags)
{
    struct in_place *p = in_place_of(c->slot);
    if (flags & ~(MSG_DONTWAIT | MSG_WAITALL))
        return -EOPNOTSUPP;
    if (len == 0)
        return -EINVAL;
    if (!p)
        return -ENOMEM;
    if (p->filling || p->lent)
        return -EALREADY;
    len = min_u64(len, BORROW_MAX);
    if (!enlarge(c->stack, &p->text, len))
        return -ENOMEM;
    struct iovec iov = {p->text.at, len};
    struct cursor cur;
    cursor_init(&cur, &iov, 1);
    p->filling = true;
    int64_t n = transfer_recv(c, &cur, flags);
    p->filling = false;
    p->lent = n > 0;
    *buf = p->text.at;
    return n;
}

ssize_t nstcp_reserve(struct nstcp *stack, int sock, void **buf, size_t len, int flags)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    return call_end(&c, reserve(&c, buf, len, flags));
}

ssize_t nstcp_commit(struct nstcp *stack, int sock, size_t len, int flags)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    return call_end(&c, commit(&c, len, flags));
}

ssize_t nstcp_borrow(struct nstcp *stack, int sock, const void **buf, size_t len, int flags)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    return call_end(&c, borrow(&c, buf, len, flags));
}

int nstcp_release(struct nstcp *stack, int sock)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    struct in_place *p = c.slot->in_place;
    int err = p && p->lent ? 0 : -EINVAL;
    if (!err)
        p->lent = false;
    return (int)call_end(&c, err);
}
