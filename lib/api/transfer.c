/* Moving octets: send, recv, and the same with a struct msghdr. */
#include <errno.h>
#include <stdlib.h>

#include "api_priv.h"
#include "iov.h"

#define SEND_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE | MSG_OOB)
#define RECV_FLAGS (MSG_DONTWAIT | MSG_PEEK | MSG_WAITALL | MSG_TRUNC | MSG_CMSG_CLOEXEC | MSG_OOB)

/* What a call has done already is its result: an error that came meanwhile waits for the next. */
static bool error_waits(const struct slot *slot, size_t done)
{
    return done > 0 && (stack_readiness(slot->so) & SOCK_FAILED);
}

/* So many octets at once are lent to the send queue: much of it is acknowledged within the call,
 * and need never be copied. */
#define LEND_MIN 16384

static int64_t engine_send(struct slot *slot, const void *buf, size_t len, int flags, uint64_t now)
{
    if (flags & MSG_OOB)
        return stack_send_urgent(slot->so, buf, len, now);
    return len < LEND_MIN ? stack_send(slot->so, buf, len, now)
                          : stack_lend(slot->so, buf, len, now);
}

/* Looks for acknowledgments of what has been lent for as long as there are some, and once more when
 * other threads have had their turn meanwhile; and copies what is left of it. The lock is given up:
 * the connection may be gone then, and with it all that was lent to it. Whether more may be sent:
 * the socket has that connection still. */
static bool end_lending(struct call *c)
{
    struct runtime *rt = c->stack->rt;
    uint32_t id = stack_sock_id(c->slot->so);
    size_t left = stack_lent(c->slot->so), before;
    bool more = left > 0, yielded = false;
    while (more) {
        before = left;
        runtime_look(rt);
        if (!c->slot->so || stack_sock_id(c->slot->so) != id)
            return false;
        left = stack_lent(c->slot->so);
        more = left > 0 && left < before;
        if (left > 0 && !more && !yielded)
            more = yielded = runtime_yield(rt, atomic_load(&c->stack->calls));
    }
    stack_keep(c->slot->so);
    return call_gone(c) == 0;
}

/* As much as the send queue takes now: octets, and then whether there may be *more; or an errno. */
static int64_t send_some(struct call *c, struct cursor *cur, int flags, bool *more)
{
    uint64_t now = runtime_now();
    int64_t n, done = 0;
    do {
        size_t len;
        const void *piece = cursor_piece(cur, &len);
        n = engine_send(c->slot, piece, len, flags, now);
        if (n > 0) {
            cursor_advance(cur, (size_t)n);
            done += n;
        }
    } while (n > 0 && cur->left > 0);
    if (done == 0)
        return err_to_errno((int)n);
    if (flags & MSG_MORE)
        stack_more(c->slot->so, now);
    runtime_pump(c->stack->rt, now);
    *more = end_lending(c);
    return done;
}

static int64_t send_all(struct call *c, struct cursor *cur, int flags)
{
    if (flags & ~SEND_FLAGS)
        return -EOPNOTSUPP;
    bool wait = !c->slot->nonblock && !(flags & MSG_DONTWAIT);
    uint64_t deadline = wait ? call_deadline(c->slot->options->send_timeout_ns) : 0;
    size_t done = 0;
    int64_t n;
    bool more;
    do {
        n = slot_has_connection(c->slot) ? 0 : -ENOTCONN;
        if (n == 0 && error_waits(c->slot, done))
            break;
        if (n == 0)
            n = send_some(c, cur, flags, &more);
        if (n > 0) {
            done += (size_t)n;
            if (!wait || !more)
                break;
        } else if (n == -EAGAIN && wait) {
            n = call_wait(c, WAIT_TO_SEND, deadline);
            wait = n != -EAGAIN; /* at the deadline a last time: there may be room, if little */
            n = wait ? n : 0;
        } else {
            break;
        }
    } while (n >= 0 && (cur->left > 0 || done == 0));
    return done ? (int64_t)done : n;
}

/* The first n octets of the receive queue, which stay there, into more than one buffer. */
static int64_t peek_across(struct call *c, const struct cursor *cur, size_t n, uint64_t now)
{
    struct cursor copy = *cur;
    void *octets = malloc(n);
    if (!octets)
        return -ENOMEM;
    stack_recv(c->slot->so, octets, n, true, now);
    cursor_put(&copy, octets, n);
    free(octets);
    return (int64_t)n;
}

/* What can be read now: octets, 0 at the end, or an errno. */
static int64_t recv_some(struct call *c, struct cursor *cur, int flags)
{
    uint64_t now = runtime_now();
    size_t unread = stack_unread(c->slot->so);
    bool peek = (flags & MSG_PEEK) != 0;
    size_t n = cur->left < unread ? cur->left : unread, len;
    void *piece = cursor_piece(cur, &len);
    int64_t answer = (int64_t)n;
    if (n == 0) { /* or nothing but an octet out of band, which is passed over */
        answer = err_to_errno((int)stack_recv(c->slot->so, piece, len, peek, now));
    } else if (flags & MSG_TRUNC) {
        stack_recv(c->slot->so, NULL, n, peek, now);
        cur->left -= peek ? 0 : n;
    } else if (peek && len < n) {
        return peek_across(c, cur, n, now);
    } else if (peek) {
        stack_recv(c->slot->so, piece, n, peek, now);
    } else {
        for (size_t done = 0; done < n; done += len) {
            piece = cursor_piece(cur, &len);
            len = len < n - done ? len : n - done;
            stack_recv(c->slot->so, piece, len, false, now);
            cursor_advance(cur, len);
        }
    }
    if (!peek)
        runtime_pump(c->stack->rt, now);
    return answer;
}

/* Where a recv ends that has octets already: at the mark of urgent data. peeked: those of them that
 * are unread yet. */
static bool at_mark(const struct slot *slot, size_t peeked)
{
    return stack_urgent(slot->so) == peeked + 1;
}

/* How many octets a recv waits for. */
static size_t octets_wanted(const struct slot *slot, const struct cursor *cur, int flags)
{
    size_t wanted = flags & MSG_WAITALL ? cur->left : slot_lowat(slot);
    wanted = wanted < cur->left ? wanted : cur->left;
    return wanted > 0 ? wanted : 1;
}

/* Waits for text, which goes straight to the next piece; *done grows by what has come. As
 * call_wait(). */
static int wait_to_recv(struct call *c, struct cursor *cur, uint64_t deadline, size_t *done)
{
    size_t len;
    void *piece = cursor_piece(cur, &len);
    struct receive r = {.buf = piece, .len = len};
    int err = call_wait_receive(c, &r, WAIT_TO_RECV, deadline);
    cursor_advance(cur, r.done);
    *done += r.done;
    if (r.done > 0)
        runtime_pump(c->stack->rt, runtime_now());
    return err;
}

int64_t transfer_recv(struct call *c, struct cursor *cur, int flags)
{
    bool wait = !c->slot->nonblock && !(flags & MSG_DONTWAIT), peek = (flags & MSG_PEEK) != 0;
    uint64_t deadline = wait ? call_deadline(c->slot->options->recv_timeout_ns) : 0;
    size_t done = 0, wanted = octets_wanted(c->slot, cur, flags);
    bool in_place = !(flags & (MSG_PEEK | MSG_TRUNC)) && cur->left > 0;
    int64_t n;
    do {
        n = slot_has_connection(c->slot) ? 0 : -ENOTCONN;
        if (n == 0 && error_waits(c->slot, done))
            break;
        if (n == 0 && done > 0 && at_mark(c->slot, peek ? done : 0))
            break;
        if (n == 0)
            n = recv_some(c, cur, flags);
        if (n > 0 && !peek) {
            done += (size_t)n;
        } else if (n > 0) {
            done = (size_t)n; /* from the first octet each time */
            n = -EAGAIN;
            if ((stack_readiness(c->slot->so) & SOCK_PEER_DONE) || at_mark(c->slot, done))
                break;
        }
        if (n == -EAGAIN && wait && done < wanted) {
            n = in_place ? wait_to_recv(c, cur, deadline, &done)
                         : call_wait(c, WAIT_TO_RECV, deadline);
        } else if (n <= 0) {
            break;
        }
    } while (n >= 0 && done < wanted);
    return done ? (int64_t)done : n;
}

/* MSG_OOB: never waits. *out_flags: as recvmsg(2) has them. */
static int64_t recv_oob(struct call *c, struct cursor *cur, int flags, int *out_flags)
{
    if (c->slot->state == SLOT_LISTENING)
        return -ENOTCONN;
    if (!c->slot->so)
        return -EINVAL; /* nothing is urgent, as Linux */
    uint8_t octet;
    int n = stack_recv_urgent(c->slot->so, &octet, (flags & MSG_PEEK) != 0);
    if (n <= 0)
        return err_to_errno(n);
    *out_flags = MSG_OOB;
    if (cur->left == 0) {
        *out_flags |= MSG_TRUNC;
        return 0;
    }
    if (!(flags & MSG_TRUNC))
        cursor_put(cur, &octet, 1);
    return 1;
}

ssize_t nstcp_sendmsg(struct nstcp *stack, int sock, const struct msghdr *msg, int flags)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    struct cursor cur;
    int64_t n = cursor_init(&cur, msg->msg_iov, msg->msg_iovlen);
    if (n == 0)
        n = msg->msg_controllen > 0 ? -EINVAL : send_all(&c, &cur, flags);
    return call_end(&c, n);
}

ssize_t nstcp_recvmsg(struct nstcp *stack, int sock, struct msghdr *msg, int flags)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    struct cursor cur;
    int64_t n = cursor_init(&cur, msg->msg_iov, msg->msg_iovlen);
    int out_flags = 0;
    if (n == 0 && flags & ~RECV_FLAGS)
        n = -EOPNOTSUPP;
    else if (n == 0)
        n = flags & MSG_OOB ? recv_oob(&c, &cur, flags, &out_flags)
                            : transfer_recv(&c, &cur, flags);
    if (n >= 0) {
        msg->msg_namelen = 0; /* tcp(7): a connection's peer is known */
        msg->msg_controllen = 0;
        msg->msg_flags = out_flags;
    }
    return call_end(&c, n);
}

ssize_t nstcp_send(struct nstcp *stack, int sock, const void *buf, size_t len, int flags)
{
    struct iovec iov = {(void *)(uintptr_t)buf, len};
    const struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    return nstcp_sendmsg(stack, sock, &msg, flags);
}

ssize_t nstcp_recv(struct nstcp *stack, int sock, void *buf, size_t len, int flags)
{
    struct iovec iov = {buf, len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    return nstcp_recvmsg(stack, sock, &msg, flags);
}
