/* A machine that lets everything pass. See host_any.h. */
#include "host_any.h"

#include <errno.h>
#include <stdlib.h>

#include "list.h"

#define EPHEMERAL_FIRST 32768 /* ip_local_port_range of Linux */
#define EPHEMERAL_COUNT 64

struct own_address {
    struct ip_addr addr;
    bool fixed;
};

struct host_any {
    struct host host;
    struct own_address v4, v6;
    bool claimed;
};

/* 192.168.0.1 and fd3d:fa7b:d17d::1: of the networks that packetdrill's own addresses are of. */
#define V4_DEFAULT 0xc0a80001
static const struct ip_addr v6_default = {{0xfd, 0x3d, 0xfa, 0x7b, 0xd1, 0x7d, [15] = 1}};

static struct host_any *of(struct host *h)
{
    return container_of(h, struct host_any, host);
}

static struct own_address *own_address(struct host_any *a, const struct ip_addr *like)
{
    return ip_addr_is_v4(like) ? &a->v4 : &a->v6;
}

static int any_route(struct host *h, const struct ip_addr *dst, struct ip_addr *src, uint32_t *mtu)
{
    *src = own_address(of(h), dst)->addr;
    *mtu = 0; /* the link's */
    return 0;
}

static int any_hold(struct host *h, const struct ip_addr *addr, uint16_t port, bool v6only)
{
    (void)port;
    (void)v6only;
    struct own_address *own = own_address(of(h), addr);
    if (!own->fixed && !ip_addr_is_any(addr))
        own->addr = *addr;
    return 0;
}

static int any_own(struct host *h, const struct ip_addr *addr)
{
    (void)h;
    (void)addr;
    return 0;
}

static int any_claim(struct host *h, uint16_t *first, uint16_t *count)
{
    if (of(h)->claimed)
        return -EADDRNOTAVAIL;
    of(h)->claimed = true;
    *first = EPHEMERAL_FIRST;
    *count = EPHEMERAL_COUNT;
    return 0;
}

static void any_destroy(struct host *h)
{
    free(of(h));
}

struct host *host_any_create(const struct ip_addr *v4, const struct ip_addr *v6)
{
    static const struct host_ops ops = {.route = any_route,
                                        .hold = any_hold,
                                        .own = any_own,
                                        .claim = any_claim,
                                        .destroy = any_destroy};
    struct host_any *a = malloc(sizeof *a);
    if (!a)
        return NULL;
    *a = (struct host_any){
        .host = {&ops},
        .v4 = {v4 ? *v4 : ip_addr_v4(V4_DEFAULT), v4 != NULL},
        .v6 = {v6 ? *v6 : v6_default, v6 != NULL},
    };
    return &a->host;
}
