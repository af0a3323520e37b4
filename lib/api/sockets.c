/* Sockets before they are connected: socket, bind, listen, accept. */
#include <errno.h>
#include <limits.h>
#include <sys/random.h>

#include "api_priv.h"

#define BACKLOG_MAX 4096 /* SOMAXCONN of Linux */

int nstcp_socket(struct nstcp *stack, int domain, int type, int protocol)
{
    struct call c;
    if (call_begin_any(&c, stack))
        return -1;
    if (domain != AF_INET && domain != AF_INET6)
        return (int)call_end(&c, -EAFNOSUPPORT);
    if ((type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_STREAM ||
        (protocol != 0 && protocol != IPPROTO_TCP))
        return (int)call_end(&c, -EPROTONOSUPPORT);
    struct slot *slot;
    int sock = slot_create(stack, domain, &slot);
    if (sock > 0)
        slot->nonblock = (type & SOCK_NONBLOCK) != 0;
    return (int)call_end(&c, sock);
}

/* Whether a socket at `at` gets what is for addr. */
static bool covers(const struct ip_addr *at, bool v6only, const struct ip_addr *addr)
{
    if (!ip_addr_is_any(at))
        return ip_addr_eq(at, addr);
    return ip_addr_is_v4(at) == ip_addr_is_v4(addr) || (!ip_addr_is_v4(at) && !v6only);
}

/* Whether another socket is in the way of this one at that address and port. As Linux has it: none
 * is that does not listen, when both have SO_REUSEADDR. */
static bool taken(const struct nstcp *stack, const struct slot *slot, const struct ip_addr *addr,
                  uint16_t port)
{
    for (uint32_t i = 1; i < stack->n_slots; i++) {
        const struct slot *other = stack->slots[i];
        if (!other || other == slot || !other->bound || other->options->port != port)
            continue;
        if (!covers(&other->options->local, other->options->v6only, addr) &&
            !covers(addr, slot->options->v6only, &other->options->local))
            continue;
        bool shared = slot->options->reuse && other->options->reuse;
        if (!shared || other->state == SLOT_LISTENING)
            return true;
    }
    return false;
}

/* A port of those claimed for connections that no socket has, so that it may connect to anybody; 0:
 * none. */
static uint16_t some_port(const struct nstcp *stack, const struct slot *slot,
                          const struct ip_addr *addr)
{
    uint32_t n = runtime_port_count(stack->rt), start = 0;
    if (getrandom(&start, sizeof start, 0) != sizeof start)
        start = 0; /* the lowest, then: it need not be a secret */
    struct port_set used = {{0}};
    stack_used_ports(runtime_stack(stack->rt), &used);
    for (uint32_t i = 0; i < n; i++) {
        uint16_t port = runtime_port_at(stack->rt, start % n + i);
        if (!port_set_has(&used, port) && !taken(stack, slot, addr, port))
            return port;
    }
    return 0;
}

/* Gives the lock up in between. 0 or a negative errno. */
static int choose_port(struct call *c, const struct ip_addr *addr, uint16_t *port)
{
    while ((*port = some_port(c->stack, c->slot, addr)) == 0) {
        uint32_t seen = runtime_port_count(c->stack->rt);
        call_unlock(c);
        int err = runtime_claim(c->stack->rt, seen);
        int gone = call_relock(c);
        if (err || gone)
            return err ? err : gone;
    }
    return 0;
}

static int set_name(struct call *c, const struct ip_addr *addr, uint16_t port)
{
    struct slot_options o = *c->slot->options;
    o.local = *addr;
    o.port = port;
    return slot_set_options(c->stack, c->slot, &o);
}

/* At an address of IPv6, as Linux shows it. */
static int show_v6only(struct call *c)
{
    struct slot_options o = *c->slot->options;
    o.v6only = true;
    return slot_set_options(c->stack, c->slot, &o);
}

/* From SLOT_NEW to SLOT_NEW and bound. Meanwhile it is in SLOT_SETUP, so that other threads leave
 * it alone, and `bound`, so that no other socket takes the port. */
static int bind_slot(struct call *c, const struct ip_addr *addr, uint16_t port)
{
    struct slot *slot = c->slot;
    slot->state = SLOT_SETUP;
    int err = port ? 0 : choose_port(c, addr, &port);
    if (!err)
        err = set_name(c, addr, port);
    if (!err) {
        slot_bind(c->stack, slot);
        bool freebind = slot->options->freebind && !ip_addr_is_any(addr);
        bool v6only = slot->options->v6only;
        call_unlock(c);
        if (freebind)
            err = runtime_own(c->stack->rt, addr);
        if (!err)
            err = runtime_hold(c->stack->rt, addr, port, v6only);
        int gone = call_relock(c);
        err = err ? err : gone;
    }
    if (!err && !ip_addr_is_v4(addr) && !ip_addr_is_any(addr))
        err = show_v6only(c);
    slot->state = SLOT_NEW;
    if (err)
        slot_unbind(c->stack, slot);
    return err;
}

int nstcp_bind(struct nstcp *stack, int sock, const struct sockaddr *addr, socklen_t len)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    struct ip_addr local;
    uint16_t port;
    int err = sockaddr_read(c.slot->domain, addr, len, &local, &port);
    if (!err && (c.slot->state != SLOT_NEW || c.slot->bound ||
                 (c.slot->options->v6only && ip_addr_is_v4(&local))))
        err = -EINVAL;
    if (!err && ip_addr_is_link_local(&local) && ip_addr_zone(&local) == 0)
        err = -EINVAL;
    if (!err && port && taken(stack, c.slot, &local, port))
        err = -EADDRINUSE;
    if (!err)
        err = bind_slot(&c, &local, port);
    return (int)call_end(&c, err);
}

/* From SLOT_NEW to SLOT_LISTENING. Unbound: at a port of our choice on every address, as Linux. */
static int begin_listening(struct call *c, uint32_t backlog)
{
    struct slot *slot = c->slot;
    const struct ip_addr any = slot->domain == AF_INET ? ip_addr_v4(0) : IP_ADDR_ANY6;
    int err = slot->bound ? 0 : bind_slot(c, &any, 0);
    const struct slot_options *o = slot->options;
    if (!err && taken(c->stack, slot, &o->local, o->port))
        err = -EADDRINUSE;
    if (!err)
        err = err_to_errno(stack_listen(runtime_stack(c->stack->rt), &o->local, o->port, backlog,
                                        &slot->changed, &slot->so));
    if (err)
        return err;
    err = slot_apply(slot, runtime_now());
    if (!err && slot->options->v6only)
        stack_set_v6only(slot->so);
    if (err)
        slot_disconnect(slot);
    else
        slot->state = SLOT_LISTENING;
    waitable_wake(&slot->changed, WAIT_ALL); /* whoever polls it sees another socket now */
    return err;
}

int nstcp_listen(struct nstcp *stack, int sock, int backlog)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    uint32_t n = backlog < 0 || backlog > BACKLOG_MAX ? BACKLOG_MAX : (uint32_t)backlog;
    int err = 0;
    if (c.slot->state == SLOT_LISTENING)
        stack_set_backlog(c.slot->so, n);
    else
        err = c.slot->state == SLOT_NEW ? begin_listening(&c, n) : -EINVAL;
    return (int)call_end(&c, err);
}

/* An accepted socket's, by those of the listener. */
static int inherit(struct nstcp *stack, struct slot *slot, const struct slot *listener)
{
    struct slot_options o = *listener->options;
    o.local = IP_ADDR_ANY6;
    o.port = 0;
    o.ip = (struct ip_options){0};
    return slot_set_options(stack, slot, &o);
}

/* The number of a new socket for the longest-waiting connection, -EAGAIN, or another errno. */
static int take_connection(struct call *c, struct slot **out)
{
    if (c->slot->state != SLOT_LISTENING)
        return -EINVAL; /* perhaps not any more */
    if (!(stack_readiness(c->slot->so) & SOCK_READABLE))
        return -EAGAIN;
    struct slot *slot;
    int sock = slot_create(c->stack, c->slot->domain, &slot);
    if (sock < 0)
        return sock;
    uint64_t now = runtime_now();
    int err = inherit(c->stack, slot, c->slot);
    if (!err)
        err = err_to_errno(stack_accept(c->slot->so, &slot->changed, now, &slot->so));
    if (!err)
        err = slot_apply(slot, now);
    if (err) {
        slot_close(c->stack, sock);
        return err;
    }
    slot->state = SLOT_CONNECTED;
    runtime_pump(c->stack->rt, now);
    *out = slot;
    return sock;
}

int nstcp_accept4(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len, int flags)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    if ((flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) || (addr && len && *len > INT_MAX))
        return (int)call_end(&c, -EINVAL);
    uint64_t deadline = call_deadline(c.slot->options->recv_timeout_ns);
    struct slot *slot = NULL;
    int accepted;
    while ((accepted = take_connection(&c, &slot)) == -EAGAIN && !c.slot->nonblock) {
        int err = call_wait(&c, SOCK_EV_COMPLETED, deadline);
        if (err)
            return (int)call_end(&c, err);
    }
    if (slot) {
        slot->nonblock = (flags & SOCK_NONBLOCK) != 0;
        struct tcp_status status;
        stack_status(slot->so, &status);
        sockaddr_write(slot->domain, &status.flow.remote, status.flow.remote_port, addr, len);
    }
    return (int)call_end(&c, accepted);
}

int nstcp_accept(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len)
{
    return nstcp_accept4(stack, sock, addr, len, 0);
}
