/*
 * Addresses that the kernel does not have and the packet link therefore answers for: see
 * link_packet_own() in link_packet.h.
 */
#include "link_packet_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "nd.h"

#define PROBES   3
#define PROBE_NS (100 * NS_PER_MS) /* the wait for an answer after each */

bool link_packet_owns(const struct link_packet *lp, const struct ip_addr *addr)
{
    for (size_t i = 0; i < lp->n_owned; i++) {
        if (ip_addr_eq(&lp->owned[i], addr))
            return true;
    }
    return false;
}

/* The route to an address on a network of ours, as packets for it would take it. */
static int route_on_link(struct link_packet *lp, const struct ip_addr *addr, uint64_t now,
                         struct route *r)
{
    if (!ip_addr_is_unicast(addr) || route_lookup(lp->routes, addr, now, r) < 0 ||
        !ip_addr_eq(&r->next_hop, addr)) /* nor a link-local one, which is of its link */
        return -EADDRNOTAVAIL;
    return 0;
}

void link_packet_answer(struct link_packet *lp, const struct resolve_question *q, uint32_t ifindex,
                        uint64_t now)
{
    pthread_mutex_lock(&lp->lock);
    bool ours = link_packet_owns(lp, &q->target);
    pthread_mutex_unlock(&lp->lock);
    if (!ours)
        return;
    struct route r;
    route_refresh(lp->routes); /* what we say now is believed for half a minute */
    if (route_on_link(lp, &q->target, now, &r) < 0 || r.ifindex != ifindex)
        return;
    uint8_t frame[RESOLVE_FRAME_MAX];
    struct writer w = writer(frame, sizeof frame);
    resolve_emit_answer(&w, q, &r.mac);
    link_packet_send_frame(lp, ifindex, ip_addr_is_v4(&q->target), frame, sizeof frame - w.len);
}

/* ---- Does anybody have it? ---- */

/* Whether nobody has said until now that it has the address that is asked for. */
static bool unclaimed(struct link_packet *lp)
{
    pthread_mutex_lock(&lp->lock);
    bool yes = lp->asked != NULL;
    pthread_mutex_unlock(&lp->lock);
    return yes;
}

static void ask_for(struct link_packet *lp, const struct neigh_key *who)
{
    pthread_mutex_lock(&lp->lock);
    lp->asked = who;
    pthread_mutex_unlock(&lp->lock);
}

/* Asks in nobody's name, and waits for whoever is in recv() to hear the answer. 0, -EADDRINUSE. */
static int probe(struct link_packet *lp, const struct route *to)
{
    struct route r = *to;
    bool v4 = ip_addr_is_v4(&r.next_hop);
    r.source = v4 ? ip_addr_v4(0) : IP_ADDR_ANY6;
    const struct neigh_key who = {r.ifindex, r.next_hop};
    ask_for(lp, &who);
    for (unsigned i = 0; i < PROBES && unclaimed(lp); i++) {
        uint8_t frame[RESOLVE_FRAME_MAX];
        struct writer w = writer(frame, sizeof frame);
        resolve_emit(&w, &r, NULL);
        link_packet_send_frame(lp, r.ifindex, v4, frame, sizeof frame - w.len);
        uint64_t end = now_ns() + PROBE_NS;
        struct timespec until = {(time_t)(end / NS_PER_S), (long)(end % NS_PER_S)};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
            ;
    }
    bool free_to_take = unclaimed(lp);
    ask_for(lp, NULL);
    return free_to_take ? 0 : -EADDRINUSE;
}

/* ---- Making it ours ---- */

/* RFC 4861 7.2.1: joins the group at which the address is asked for. By a socket of the kernel's,
 * so that switches hear of it too (MLD, RFC 3810). */
static int join_group(struct link_packet *lp, const struct route *r)
{
    struct ip_addr group = nd_solicited_node(&r->next_hop);
    struct ipv6_mreq mreq = {.ipv6mr_interface = r->ifindex};
    memcpy(&mreq.ipv6mr_multiaddr, group.b, sizeof group.b);
    if (setsockopt(lp->groups, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq, sizeof mreq) < 0 &&
        errno != EADDRINUSE) /* joined already, for an address that ends like this one */
        return -errno;
    return 0;
}

static int add_owned(struct link_packet *lp, const struct ip_addr *addr)
{
    struct ip_addr *old = lp->owned, *v = malloc((lp->n_owned + 1) * sizeof *v);
    if (v == NULL)
        return -ENOMEM;
    if (old != NULL)
        memcpy(v, old, lp->n_owned * sizeof *v);
    v[lp->n_owned] = *addr;
    int err = link_packet_let_in(lp, lp->ports, lp->n_ports, v, lp->n_owned + 1);
    free(err == 0 ? old : v);
    return err;
}

bool link_packet_has(const struct link *l, const struct ip_addr *addr)
{
    return link_packet_owns(link_packet_of(l), addr);
}

int link_packet_own(struct link *l, const struct ip_addr *addr)
{
    struct link_packet *lp = link_packet_of(l);
    if (link_packet_owns(lp, addr))
        return 0;
    struct route r;
    route_refresh(lp->routes);
    int err = route_on_link(lp, addr, now_ns(), &r);
    if (err < 0)
        return err;
    err = probe(lp, &r);
    if (err == 0 && !ip_addr_is_v4(addr))
        err = join_group(lp, &r);
    if (err == 0)
        err = add_owned(lp, addr);
    if (err < 0)
        return err;
    /* Whoever remembers another station with this address learns better. */
    uint8_t frame[RESOLVE_FRAME_MAX];
    struct writer w = writer(frame, sizeof frame);
    resolve_emit_news(&w, addr, &r.mac);
    link_packet_send_frame(lp, r.ifindex, ip_addr_is_v4(addr), frame, sizeof frame - w.len);
    return 0;
}
