/* Calls to the machine around us: addresses and ports. Slow ones, and so under a lock of their own:
 * a netlink transaction must not keep the receive thread waiting. */
#include <errno.h>

#include "internal.h"

int runtime_route(struct runtime *rt, const struct ip_addr *dst, struct ip_addr *src, uint32_t *mtu)
{
    pthread_mutex_lock(&rt->host_lock);
    int err = rt->host->ops->route(rt->host, dst, src, mtu);
    pthread_mutex_unlock(&rt->host_lock);
    return err;
}

int runtime_hold(struct runtime *rt, const struct ip_addr *addr, uint16_t port)
{
    pthread_mutex_lock(&rt->host_lock);
    int err = rt->host->ops->hold(rt->host, addr, port);
    pthread_mutex_unlock(&rt->host_lock);
    return err;
}

static int take_range(struct runtime *rt, const struct port_range *range)
{
    if (stack_add_ports(rt->stack, range->first, range->count))
        return -ENOMEM;
    rt->ranges[rt->n_ranges++] = *range;
    rt->n_ports += range->count;
    return 0;
}

int runtime_claim(struct runtime *rt, uint32_t seen)
{
    pthread_mutex_lock(&rt->host_lock);
    runtime_lock(rt);
    bool more = rt->n_ports != seen;
    bool full = rt->n_ranges == PORT_RANGES_MAX;
    runtime_unlock(rt);
    int err = 0;
    if (!more) {
        struct port_range range;
        err = full ? -EADDRNOTAVAIL : rt->host->ops->claim(rt->host, &range.first, &range.count);
        if (!err) {
            runtime_lock(rt);
            err = take_range(rt, &range);
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
    const struct port_range *r = rt->ranges;
    i %= rt->n_ports;
    while (i >= r->count)
        i -= (r++)->count;
    return (uint16_t)(r->first + i);
}
