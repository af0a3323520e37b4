/*
 * Addresses that the kernel does not have and the packet link therefore answers for: see
 * link_packet_own() in link_packet.h.
 */
#include "link_packet_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_ether.h>

#include "filter.h"

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
        !ip_addr_eq(&r->next_hop, addr))
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

/* A packet socket of its own on the device, which hears neighbours and nobody else: the link's is
 * read by another thread. Negative errno. */
static int open_probe(const struct route *r)
{
    struct sock_filter prog[FILTER_MAX]; /* 32 KiB */
    struct sock_fprog fprog = {(unsigned short)filter_build(prog, NULL, 0, NULL, 0), prog};
    struct sockaddr_ll sll = {.sll_family = AF_PACKET,
                              .sll_protocol = htobe16(ETH_P_ALL),
                              .sll_ifindex = (int)r->ifindex};
    const int on = 1;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof fprog) < 0 ||
        bind(fd, (const struct sockaddr *)&sll, sizeof sll) < 0) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

/* Whether one of the frames that have come says that somebody has addr. */
static bool somebody_has(int fd, const struct ip_addr *addr)
{
    uint8_t frame[256];
    struct resolve_news news;
    ssize_t len;
    while ((len = recv(fd, frame, sizeof frame, 0)) >= 0) {
        if (resolve_parse(frame, (size_t)len, &news) && ip_addr_eq(&news.ip, addr))
            return true;
    }
    return false;
}

/* Asks in nobody's name. 0, -EADDRINUSE, or another negative errno. */
static int probe(int fd, const struct route *to)
{
    struct route r = *to;
    r.source = ip_addr_is_v4(&r.next_hop) ? ip_addr_v4(0) : IP_ADDR_ANY6;
    for (unsigned i = 0; i < PROBES; i++) {
        uint8_t frame[RESOLVE_FRAME_MAX];
        struct writer w = writer(frame, sizeof frame);
        resolve_emit(&w, &r, NULL);
        if (send(fd, frame, sizeof frame - w.len, 0) < 0)
            return -errno;
        uint64_t now = now_ns(), end = now + PROBE_NS;
        for (; now < end; now = now_ns()) {
            struct pollfd p = {.fd = fd, .events = POLLIN};
            poll(&p, 1, (int)((end - now + NS_PER_MS - 1) / NS_PER_MS));
            if (somebody_has(fd, &r.next_hop))
                return -EADDRINUSE;
        }
    }
    return 0;
}

/* ---- Making it ours ---- */

/* RFC 4861 7.2.1: joins the group at which the address is asked for. By a socket of the kernel's,
 * so that switches hear of it too (MLD, RFC 3810). */
static int join_group(struct link_packet *lp, const struct route *r)
{
    if (lp->groups < 0)
        lp->groups = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ip_addr group = resolve_solicited_node(&r->next_hop);
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
    int fd = open_probe(&r);
    if (fd < 0)
        return fd;
    err = probe(fd, &r);
    close(fd);
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
