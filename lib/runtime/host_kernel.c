/* See host_kernel.h. The list of what is held is kept here once and told to the link as a whole. */
#include "host_kernel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "link_packet.h"
#include "list.h"
#include "route.h"
#include "runtime.h"

struct host_kernel {
    struct host host;
    struct guard *guard;
    struct link *link;
    struct port_range *held; /* as the link wants them */
    size_t n_held, room;
};

static struct host_kernel *of(struct host *h)
{
    return container_of(h, struct host_kernel, host);
}

static struct in6_addr in6(const struct ip_addr *a)
{
    struct in6_addr out;
    memcpy(&out, a->b, sizeof out);
    return out;
}

static int route(struct host *h, const struct ip_addr *dst, struct ip_addr *src, uint32_t *mtu)
{
    struct route_table *routes = link_packet_routes(of(h)->link);
    struct route r;
    if (link_packet_has(of(h)->link, dst))
        return -EADDRNOTAVAIL;
    route_refresh(routes);
    int err = route_lookup(routes, dst, runtime_now(), &r);
    if (err)
        return err;
    *src = r.source;
    *mtu = r.mtu;
    return 0;
}

/* Room for two more ranges. */
static int reserve(struct host_kernel *k)
{
    if (k->n_held + 2 <= k->room)
        return 0;
    size_t room = k->room ? 2 * k->room : 8;
    struct port_range *held = realloc(k->held, room * sizeof *held);
    if (!held)
        return -ENOMEM;
    k->held = held;
    k->room = room;
    return 0;
}

/* Opens the link for n more ranges, which lie behind those held. */
static int open_link(struct host_kernel *k, size_t n)
{
    int err = link_packet_set_ports(k->link, k->held, k->n_held + n);
    if (!err)
        k->n_held += n;
    return err;
}

/* Whether a range of the very address holds the port. */
static bool holds(const struct host_kernel *k, const struct ip_addr *addr, uint16_t port)
{
    for (size_t i = 0; i < k->n_held; i++) {
        const struct port_range *r = &k->held[i];
        if (ip_addr_eq(&r->addr, addr) && r->first <= port && port <= r->last)
            return true;
    }
    return false;
}

/* What is held already stays so. */
static int hold_one(struct host_kernel *k, const struct ip_addr *addr, uint16_t port)
{
    if (holds(k, addr, port))
        return 0;
    int err = reserve(k);
    if (err)
        return err;
    const struct in6_addr a = in6(addr);
    err = guard_hold(k->guard, &a, port, false);
    if (err)
        return err;
    k->held[k->n_held] = (struct port_range){*addr, port, port};
    err = open_link(k, 1);
    if (err)
        guard_release(k->guard, &a, port);
    return err;
}

/* The wildcard of both families: both ports are held, or none. */
static int hold_both(struct host_kernel *k, const struct ip_addr *any6, uint16_t port)
{
    const struct ip_addr any4 = ip_addr_v4(0);
    bool had = holds(k, &any4, port);
    int err = hold_one(k, &any4, port);
    if (err)
        return err;
    err = hold_one(k, any6, port);
    if (err && !had) {
        const struct in6_addr a = in6(&any4);
        k->n_held--; /* it was the last */
        link_packet_set_ports(k->link, k->held, k->n_held);
        guard_release(k->guard, &a, port);
    }
    return err;
}

/* Whether the address is this host's and one that a connection over a link can have. The kernel's
 * bind() would take a loopback address, and IPv4's broadcast ones. */
static bool can_connect_from(struct host_kernel *k, const struct ip_addr *addr)
{
    struct route_table *routes = link_packet_routes(k->link);
    if (ip_addr_is_loopback(addr))
        return false;
    route_refresh(routes);
    return route_is_local(routes, addr, runtime_now());
}

static int hold(struct host *h, const struct ip_addr *addr, uint16_t port, bool v6only)
{
    struct host_kernel *k = of(h);
    if (link_packet_has(k->link, addr)) /* with all its ports */
        return 0;
    const struct ip_addr any4 = ip_addr_v4(0), any6 = IP_ADDR_ANY6;
    if (ip_addr_eq(addr, &any6) && !v6only)
        return hold_both(k, addr, port);
    /* For all addresses of this host. */
    bool held = holds(k, ip_addr_is_v4(addr) ? &any4 : &any6, port);
    /* bind() asks for a link-local address itself, and tells when there is no such link. */
    if (!ip_addr_is_any(addr) && (held || !ip_addr_is_link_local(addr)) &&
        !can_connect_from(k, addr))
        return -EADDRNOTAVAIL;
    return held ? 0 : hold_one(k, addr, port);
}

static int own(struct host *h, const struct ip_addr *addr)
{
    struct host_kernel *k = of(h);
    struct route_table *routes = link_packet_routes(k->link);
    if (link_packet_has(k->link, addr))
        return 1;
    route_refresh(routes);
    if (route_is_local(routes, addr, runtime_now()))
        return 0;
    const struct in6_addr a = in6(addr);
    int err = guard_hold(k->guard, &a, 0, true);
    if (err)
        return err;
    err = link_packet_own(k->link, addr);
    if (err)
        guard_release(k->guard, &a, 0);
    return err ? err : 1;
}

static int claim(struct host *h, uint16_t *first, uint16_t *count)
{
    struct host_kernel *k = of(h);
    int err = reserve(k);
    if (err)
        return err;
    err = guard_claim_block(k->guard, first);
    if (err)
        return err == -EADDRINUSE ? -EADDRNOTAVAIL : err;
    *count = GUARD_BLOCK;
    uint16_t last = (uint16_t)(*first + GUARD_BLOCK - 1);
    k->held[k->n_held] = (struct port_range){ip_addr_v4(0), *first, last};
    k->held[k->n_held + 1] = (struct port_range){IP_ADDR_ANY6, *first, last};
    err = open_link(k, 2);
    if (err)
        guard_release_block(k->guard, *first);
    return err;
}

static void destroy(struct host *h)
{
    struct host_kernel *k = of(h);
    guard_destroy(k->guard);
    free(k->held);
    free(k);
}

static const struct host_ops ops = {route, hold, own, claim, destroy};

int host_kernel_create(struct host **host, struct link **link, char *err, size_t errlen)
{
    struct host_kernel *k = calloc(1, sizeof *k);
    if (!k) {
        snprintf(err, errlen, "memory: %s", strerror(ENOMEM));
        return -ENOMEM;
    }
    k->host.ops = &ops;
    int result = link_packet_create(&k->link, err, errlen);
    if (!result) {
        result = guard_create(&k->guard, err, errlen);
        if (result)
            k->link->ops->destroy(k->link);
    }
    if (result) {
        free(k);
        return result;
    }
    *host = &k->host;
    *link = k->link;
    return 0;
}
