/* struct sockaddr and the engine's addresses. */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "api_priv.h"

/* Without sin6_scope_id, which came later: Linux still takes it so. */
#define SIN6_LEN_RFC2133 offsetof(struct sockaddr_in6, sin6_scope_id)

int sockaddr_read(int domain, const struct sockaddr *from, socklen_t len, struct ip_addr *addr,
                  uint16_t *port)
{
    if (!from || len < sizeof(sa_family_t))
        return -EINVAL;
    if (domain == AF_INET) {
        struct sockaddr_in in;
        if (len < sizeof in)
            return -EINVAL;
        memcpy(&in, from, sizeof in);
        bool any = in.sin_family == AF_UNSPEC && in.sin_addr.s_addr == htonl(INADDR_ANY);
        if (in.sin_family != domain && !any) /* ip(7): for programs that leave it out */
            return -EAFNOSUPPORT;
        *addr = ip_addr_v4(ntohl(in.sin_addr.s_addr));
        *port = ntohs(in.sin_port);
    } else {
        struct sockaddr_in6 in6 = {.sin6_scope_id = 0};
        if (len < SIN6_LEN_RFC2133)
            return -EINVAL;
        memcpy(&in6, from, len < sizeof in6 ? len : sizeof in6);
        if (in6.sin6_family != domain)
            return -EAFNOSUPPORT;
        *addr = ip_addr_v6_bytes(in6.sin6_addr.s6_addr);
        *port = ntohs(in6.sin6_port);
        ip_addr_set_zone(addr, in6.sin6_scope_id);
    }
    return 0;
}

int sockaddr_write(int domain, const struct ip_addr *addr, uint16_t port, struct sockaddr *to,
                   socklen_t *len)
{
    if (!to || !len)
        return 0;
    if (*len > INT_MAX)
        return -EINVAL;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const void *from = &in6;
    socklen_t size = sizeof in6;
    if (domain == AF_INET) {
        memcpy(&in.sin_addr, ip_addr_v4_of(addr), sizeof in.sin_addr);
        from = &in;
        size = sizeof in;
    } else {
        const struct ip_addr there = ip_addr_on_wire(addr);
        memcpy(&in6.sin6_addr, there.b, sizeof in6.sin6_addr);
        in6.sin6_scope_id = ip_addr_zone(addr);
    }
    memcpy(to, from, *len < size ? *len : size);
    *len = size;
    return 0;
}
