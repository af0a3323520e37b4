/* Calls to the machine around us: addresses and ports. Slow ones, and so under a lock of their own:
 * a netlink transaction must not keep the receive thread waiting. */
#include <errno.h>

#include "runtime_priv.h"

int runtime_route(struct runtime *rt, const struct ip_addr *dst, struct ip_addr *src, uint32_t *mtu)
{
    pthread_mutex_lock(&rt->host_lock);
    int err = rt->host->ops->route(rt->host, dst, src, mtu);
    pthread_mutex_unlock(&rt->host_lock);
    return err;
}

int runtime_hold(struct runtime *rt, const struct ip_addr *addr, uint16_t port, bool v6only)
{
    pthread_mutex_lock(&rt->host_lock);
    int err = rt->host->ops->hold(rt->host, addr, port, v6only);
    pthread_mutex_unlock(&rt->host_lock);
    return err;
}

int runtime_own(struct runtime *rt, const struct ip_addr *addr)
{
    pthread_mutex_lock(&rt->host_lock);
    int err = rt->host->ops->own(rt->host, addr);
    if (err > 0) {
        runtime_lock(rt);
        err = stack_own_address(rt->stack, addr) ? -ENOMEM : 0;
        runtime_unlock(rt);
    }
    pthread_mutex_unlock(&rt->host_lock);
    return err;
}

static int take_claim(struct runtime *rt, const struct claimed_ports *claim)
{
    if (stack_add_ports(rt->stack, claim->first, claim->count))
        return -ENOMEM;
    rt->claims[rt->n_claims++] = *claim;
    rt->n_ports += claim->count;
    return 0;
}

int runtime_claim(struct runtime *rt, uint32_t seen)
{
    pthread_mutex_lock(&rt->host_lock);
    runtime_lock(rt);
    bool more = rt->n_ports != seen;
    bool full = rt->n_claims == CLAIMS_MAX;
    runtime_unlock(rt);
    int err = 0;
    if (!more) {
        struct claimed_ports claim;
        err = full ? -EADDRNOTAVAIL : rt->host->ops->claim(rt->host, &claim.first, &claim.count);
        if (!err) {
            runtime_lock(rt);
            err = take_claim(rt, &claim);
            runtime_unlock(rt);
        }
    }
    pthread_mutex_unlock(&rt->host_lock);
    return err;
}

uint32_t runtime_port_count(const struct runtime *rt)
{
    return rt->n_ports;
}

uint16_t runtime_port_at(const struct runtime *rt, uint32_t i)
{
    const struct claimed_ports *r = rt->claims;
    i %= rt->n_ports;
    while (i >= r->count)
        i -= (r++)->count;
    return (uint16_t)(r->first + i);
}
