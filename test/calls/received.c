/* TCP_INFO as <linux/tcp.h> has it, which does not go with <netinet/tcp.h>. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

#include "calls.h"

uint64_t calls_received(const struct calls *c, struct nstcp *stack, int sock)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    memset(&info, 0, sizeof info);
    c->getsockopt(stack, sock, IPPROTO_TCP, TCP_INFO, &info, &len);
    return info.tcpi_bytes_received;
}
