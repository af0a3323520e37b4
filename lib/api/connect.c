/* connect(2): from a socket to a connection. */
#include <errno.h>

#include "api_priv.h"

/* The connection is there, its SYN waits for what the user has set. */
static int send_syn(struct call *c, uint64_t now_ns)
{
    int err = slot_apply(c->slot, now_ns);
    if (!err)
        err = slot_apply_ip_options(c->slot, now_ns);
    if (err) {
        stack_abort(c->slot->so, now_ns);
        c->slot->so = NULL;
    }
    runtime_pump(c->stack->rt, now_ns);
    return err;
}

/* stack_connect, with more ephemeral ports when there are none left. Gives the lock up for that. */
static int open_active(struct call *c, const struct flow *flow, uint32_t mtu)
{
    for (;;) {
        struct runtime *rt = c->stack->rt;
        uint64_t now = runtime_now();
        int err = stack_connect(runtime_stack(rt), flow, mtu, &c->slot->changed, now, &c->slot->so);
        if (err != ERR_NO_PORT) {
            return err ? err_to_errno(err) : send_syn(c, now);
        }
        uint32_t seen = runtime_port_count(rt);
        call_unlock(c);
        err = runtime_claim(rt, seen);
        int gone = call_relock(c);
        if (err || gone)
            return err ? err : gone;
    }
}

/* Of a socket for both families: whether it may go to the family of remote. */
static int check_family(const struct slot *slot, const struct ip_addr *remote)
{
    if (ip_addr_is_v4(remote))
        return slot->options->v6only ? -ENETUNREACH : 0;
    return slot->bound && ip_addr_is_v4(&slot->options->local) ? -EAFNOSUPPORT : 0;
}

/* From SLOT_NEW to SLOT_CONNECTING: the SYN is sent. Or a negative errno, and SLOT_NEW. */
static int begin(struct call *c, const struct ip_addr *remote, uint16_t port)
{
    struct slot *slot = c->slot;
    slot->state = SLOT_SETUP;
    struct flow flow = {.local = slot->options->local, .remote = *remote, .remote_port = port};
    flow.local_port = slot->bound ? slot->options->port : 0;
    bool choose_address = !slot->bound || ip_addr_is_any(&slot->options->local);
    const struct ip_options *options = ip_addr_is_v4(remote) ? &slot->options->ip : NULL;
    const struct ip_addr hop = ip_options_first_hop(options, remote);
    call_unlock(c);
    struct ip_addr source = {{0}};
    uint32_t mtu = 0;
    int err = runtime_route(c->stack->rt, &hop, &source, &mtu);
    int gone = call_relock(c);
    if (choose_address)
        flow.local = source;
    if (!err)
        err = gone ? gone : open_active(c, &flow, mtu);
    slot->state = err ? SLOT_NEW : SLOT_CONNECTING;
    waitable_wake(&slot->changed, WAIT_ALL); /* whoever polls it sees another socket now */
    return err;
}

/* To a link-local address by sin6_scope_id, or by the link that the socket is bound to. */
static int choose_link(const struct slot *slot, struct ip_addr *remote)
{
    uint32_t bound = slot->bound ? ip_addr_zone(&slot->options->local) : 0;
    if (!ip_addr_is_link_local(remote))
        return 0;
    if (ip_addr_zone(remote) == 0)
        ip_addr_set_zone(remote, bound);
    uint32_t zone = ip_addr_zone(remote);
    return zone == 0 || (bound != 0 && bound != zone) ? -EINVAL : 0;
}

/* What became of the attempt: 0, -EAGAIN while it lasts, or why it failed; then the socket is as
 * new again. */
static int outcome(struct call *c)
{
    struct slot *slot = c->slot;
    /* Not whether it is writable: what was queued meanwhile may have filled the send queue. */
    enum tcp_state state = slot_tcp_state(slot);
    if (state == STATE_SYN_SENT || state == STATE_SYN_RECEIVED)
        return -EAGAIN;
    if (state != STATE_CLOSED) {
        slot->state = SLOT_CONNECTED;
        return 0;
    }
    int err = stack_take_error(slot->so);
    slot_disconnect(slot);
    return err ? err_to_errno(err)
               : -ECONNABORTED; /* also when SO_ERROR has told of it, as Linux */
}

/* Waits for the end of an attempt that is under way. */
static int finish(struct call *c, uint64_t deadline)
{
    for (;;) {
        int err = outcome(c);
        if (err != -EAGAIN)
            return err;
        err = call_wait(c, SOCK_EV_COMPLETED | SOCK_EV_CLOSED, deadline);
        if (err)
            return err == -EAGAIN ? -EINPROGRESS : err;
        if (c->slot->state != SLOT_CONNECTING)
            return c->slot->state == SLOT_CONNECTED ? 0 : -ECONNABORTED; /* another's call has it */
    }
}

/* AF_UNSPEC dissolves the connection, connect(2) says. */
static bool is_unspecified(const struct sockaddr *addr, socklen_t len)
{
    return addr && len >= sizeof(sa_family_t) && addr->sa_family == AF_UNSPEC;
}

int nstcp_connect(struct nstcp *stack, int sock, const struct sockaddr *addr, socklen_t len)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    struct slot *slot = c.slot;
    struct ip_addr remote;
    uint16_t port;
    int err = 0;
    uint64_t deadline = call_deadline(slot->options->send_timeout_ns);
    if (slot->state != SLOT_SETUP && is_unspecified(addr, len)) {
        slot_disconnect(slot);
        runtime_pump(stack->rt, runtime_now());
        return (int)call_end(&c, 0);
    }
    switch (slot->state) {
    case SLOT_NEW:
        err = sockaddr_read(slot->domain, addr, len, &remote, &port);
        if (!err)
            err = check_family(slot, &remote);
        if (!err)
            err = choose_link(slot, &remote);
        if (!err)
            err = begin(&c, &remote, port);
        if (!err)
            err = slot->nonblock ? -EINPROGRESS : finish(&c, deadline);
        break;
    case SLOT_SETUP:
        err = -EALREADY;
        break;
    case SLOT_CONNECTING:
        err = slot->nonblock ? outcome(&c) : finish(&c, deadline);
        if (err == -EAGAIN || err == -EINPROGRESS)
            err = -EALREADY;
        break;
    case SLOT_LISTENING:
    case SLOT_CONNECTED:
        err = -EISCONN;
        break;
    }
    return (int)call_end(&c, err);
}
