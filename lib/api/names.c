/* The two ends' names: getsockname, getpeername. */
#include <errno.h>

#include "api_priv.h"

int nstcp_getsockname(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    const struct slot *slot = c.slot;
    struct ip_addr local = IP_ADDR_ANY6;
    uint16_t port = 0;
    if (slot->so) {
        struct tcp_status status;
        stack_status(slot->so, &status);
        local = status.flow.local;
        port = status.flow.local_port;
    } else if (slot->bound) {
        local = slot->options->local;
        port = slot->options->port;
    }
    return (int)call_end(&c, sockaddr_write(slot->domain, &local, port, addr, len));
}

int nstcp_getpeername(struct nstcp *stack, int sock, struct sockaddr *addr, socklen_t *len)
{
    struct call c;
    if (call_begin(&c, stack, sock))
        return -1;
    if (!slot_connected(c.slot))
        return (int)call_end(&c, -ENOTCONN);
    struct tcp_status status;
    stack_status(c.slot->so, &status);
    int err =
        sockaddr_write(c.slot->domain, &status.flow.remote, status.flow.remote_port, addr, len);
    return (int)call_end(&c, err);
}
