/* A bind that fails halfway leaves nothing behind: :: is both wildcards, and the kernel has one of
 * them. Run in a node of the lab; says what is wrong, and ends with status 1. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nstcp.h"

static int failed(const char *what)
{
    fprintf(stderr, "half_bound: %s: %s\n", what, strerror(errno));
    return 1;
}

int main(void)
{
    struct nstcp *stack;
    char why[NSTCP_WHY_MAX];
    if (nstcp_create(&stack, NULL, why) < 0)
        return failed(why);
    struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(5000)};
    struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(5000)};
    const int on = 1;
    int six = socket(AF_INET6, SOCK_STREAM, 0), four = socket(AF_INET, SOCK_STREAM, 0);
    if (setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0 ||
        bind(six, (struct sockaddr *)&any6, sizeof any6) < 0 || listen(six, 1) < 0)
        return failed("the kernel's IPv6 socket");
    int sock = nstcp_socket(stack, AF_INET6, SOCK_STREAM, 0);
    if (nstcp_bind(stack, sock, (struct sockaddr *)&any6, sizeof any6) == 0 || errno != EADDRINUSE)
        return failed("nstcp_bind to a port that is taken");
    if (bind(four, (struct sockaddr *)&any4, sizeof any4) < 0)
        return failed("the IPv4 port after the bind that failed");
    return nstcp_destroy(stack, 1000) < 0;
}
