/*
 * The IPv4 options of connections (RFC 9293 3.9.2.1): those that a user has set, and source routes
 * that have arrived, reversed. Called by calls, listen and border.
 *
 * A source route that has arrived sends all we say to whomever it names, so it is not used unless
 * the stack is told to (RFC 7126 4.3, 4.4), and then only from a segment that the connection has
 * found acceptable.
 */
#include "pmtu.h"
#include "sock.h"

/* False for want of memory. */
static bool keep(struct conn *c, const struct ip_options *options)
{
    if (!c->options)
        c->options = mem_alloc(conn_stack(c)->mem, sizeof *c->options);
    if (!c->options)
        return false;
    *c->options = *options;
    tcp_pmtu_options(&c->tcb, options->len);
    return true;
}

void conn_free_options(struct conn *c)
{
    mem_free(conn_stack(c)->mem, c->options, sizeof *c->options);
    c->options = NULL;
    c->sock.options_set = false;
}

int stack_set_options(struct sock *so, const struct ip_options *options, uint64_t now_ns)
{
    if (so->kind != SOCK_CONNECTION || !ip_addr_is_v4(&so->node.flow.remote))
        return ERR_NONE;
    struct conn *c = as_conn(so);
    if (options->len == 0) {
        conn_free_options(c);
        tcp_pmtu_options(&c->tcb, 0);
    } else if (!keep(c, options)) {
        return ERR_NOMEM;
    }
    c->sock.options_set = options->len > 0;
    conn_settle(c, now_ns);
    return ERR_NONE;
}

const struct ip_options *stack_options(const struct sock *so)
{
    return so->kind == SOCK_CONNECTION ? as_conn((struct sock *)(uintptr_t)so)->options : NULL;
}

bool conn_take_route(struct conn *c, const struct ip_options *route)
{
    /* MUST-52; and an active OPEN has chosen its way by not naming one. */
    return c->sock.options_set || !c->tcb.passive || keep(c, route);
}

struct ip_addr conn_first_hop(const struct conn *c)
{
    return ip_options_first_hop(c->options, &c->sock.node.flow.remote);
}
