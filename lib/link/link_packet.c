/*
 * AF_PACKET: see link_packet.h.
 *
 * One socket for all devices, bound to none: the address of each message names the device. So a
 * device that appears is served at once, one that goes down leaves the socket without an error,
 * and one system call can send over several devices and receive from all. What the other choice, a
 * socket per device, would give (a filter run only for that device's packets, a receive queue of
 * its own) is bought with watching devices come and go and with a poll over many descriptors.
 *
 * The protocol is ETH_P_ALL: only such taps come before the hooks of netfilter, where guard/ drops
 * what is ours. Bound only when filter and options are in place, so that nothing slips in.
 * PACKET_IGNORE_OUTGOING, or we would hear ourselves. Never PACKET_QDISC_BYPASS: it hides our
 * packets from tcpdump and fails for super-segments where the device doesn't segment.
 */
#include "link_packet.h"

#include "link_packet_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <linux/if_ether.h>

#include "filter.h"

#define SOCKET_BUFFER (16 << 20) /* octets each way; the default overflows at once */
/* A frame, and what the kernel adds to it, in one piece of its memory: link_packet_tx.c. */
#define PIECE_MAX (65536 - 1024)
#define SUPER_MAX (PIECE_MAX - ETHER_HDR_LEN - PACKET_HEAD_MAX)

static int set_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

/* The sizes that the administrator allows are exceeded where we may (CAP_NET_ADMIN outside of a
 * user namespace), and otherwise are the best we can get. */
static void size_buffers(int fd)
{
    if (set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER) < 0)
        set_int(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
    if (set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER) < 0)
        set_int(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
}

int link_packet_let_in(struct link_packet *lp, struct port_range *ports, size_t n_ports,
                       struct ip_addr *owned, size_t n_owned)
{
    struct sock_filter *prog = malloc(FILTER_MAX * sizeof *prog);
    int err = prog != NULL ? filter_build(prog, ports, n_ports, owned, n_owned) : -ENOMEM;
    if (err > 0) {
        struct sock_fprog fprog = {(unsigned short)err, prog};
        pthread_mutex_lock(&lp->lock);
        err =
            setsockopt(lp->fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof fprog) < 0 ? -errno : 0;
        if (err == 0) {
            lp->ports = ports;
            lp->n_ports = n_ports;
            lp->owned = owned;
            lp->n_owned = n_owned;
        }
        pthread_mutex_unlock(&lp->lock);
    }
    free(prog);
    return err;
}

int link_packet_set_ports(struct link *l, const struct port_range *v, size_t n)
{
    struct link_packet *lp = link_packet_of(l);
    struct port_range *old = lp->ports, *copy = malloc((n + 1) * sizeof *copy);
    if (copy == NULL)
        return -ENOMEM;
    if (n > 0)
        memcpy(copy, v, n * sizeof *v);
    int err = link_packet_let_in(lp, copy, n, lp->owned, lp->n_owned);
    free(err == 0 ? old : copy);
    return err;
}

static int bind_all(int fd)
{
    struct sockaddr_ll sll = {.sll_family = AF_PACKET, .sll_protocol = htobe16(ETH_P_ALL)};
    return bind(fd, (const struct sockaddr *)&sll, sizeof sll) < 0 ? -errno : 0;
}

/* A socket of protocol 0 hears nothing before bind_all(). *what names the step that failed. */
static int open_socket(struct link_packet *lp, const char **what)
{
    *what = "open a packet socket";
    lp->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (lp->fd < 0)
        return -errno;
    *what = "set the packet socket's options";
    int err = set_int(lp->fd, SOL_PACKET, PACKET_VNET_HDR, 1);
    if (err == 0)
        err = set_int(lp->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    if (err < 0)
        return err;
    size_buffers(lp->fd);
    *what = "make the packet socket's ring";
    err = ring_create(&lp->ring, lp->fd);
    if (err < 0)
        return err;
    *what = "attach the packet filter";
    err = link_packet_set_ports(&lp->link, NULL, 0);
    if (err < 0)
        return err;
    *what = "bind the packet socket";
    return bind_all(lp->fd);
}

static int open_neighbours(struct link_packet *lp)
{
    uint8_t seed[16];
    if (getrandom(seed, sizeof seed, 0) != sizeof seed)
        return -errno;
    lp->neigh = neigh_create(seed);
    return lp->neigh != NULL ? 0 : -ENOMEM;
}

/* Here, not when it is needed: the caller may be in another network namespace then. */
static int open_groups(struct link_packet *lp)
{
    lp->groups = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return lp->groups >= 0 || errno == EAFNOSUPPORT ? 0 : -errno;
}

static int poll_fd(const struct link *l)
{
    return link_packet_of(l)->fd;
}

static void destroy(struct link *l)
{
    struct link_packet *lp = link_packet_of(l);
    ring_destroy(&lp->ring);
    if (lp->fd >= 0)
        close(lp->fd);
    if (lp->groups >= 0)
        close(lp->groups);
    route_destroy(lp->routes);
    neigh_destroy(lp->neigh);
    pthread_mutex_destroy(&lp->lock);
    free(lp->ports);
    free(lp->owned);
    free(lp->rx_octets);
    free(lp);
}

static const struct link_ops ops = {
    .send = link_packet_send,
    .recv = link_packet_recv,
    .expect = link_packet_expect,
    .doubt = link_packet_doubt,
    .poll_fd = poll_fd,
    .destroy = destroy,
};

int link_packet_create(struct link **out, char *err, size_t errlen)
{
    struct link_packet *lp = calloc(1, sizeof *lp);
    if (lp == NULL) {
        snprintf(err, errlen, "make a link: %s", strerror(ENOMEM));
        return -ENOMEM;
    }
    lp->link.ops = &ops;
    lp->fd = lp->groups = -1;
    pthread_mutex_init(&lp->lock, NULL);
    const char *what = "make a link's buffers";
    lp->rx_octets = aligned_alloc(64, RX_LARGE * RX_STRIDE);
    int e = lp->rx_octets == NULL ? -ENOMEM : open_neighbours(lp);
    if (e == 0) {
        what = "open an rtnetlink socket";
        e = route_create(&lp->routes);
    }
    if (e == 0) {
        what = "open an IPv6 socket";
        e = open_groups(lp);
    }
    if (e == 0)
        e = open_socket(lp, &what);
    if (e < 0) {
        const char *why = e == -EPERM ? " (this needs CAP_NET_RAW in the network namespace)" : "";
        snprintf(err, errlen, "%s: %s%s", what, strerror(-e), why);
        destroy(&lp->link);
        return e;
    }
    lp->link.caps = (struct link_caps){
        .mtu = route_min_mtu(lp->routes), .super_max = SUPER_MAX, .csum_offload = true};
    *out = &lp->link;
    return 0;
}

struct route_table *link_packet_routes(const struct link *l)
{
    return link_packet_of(l)->routes;
}

void link_packet_read_counters(struct link *l, struct link_packet_counters *out)
{
    struct link_packet *lp = link_packet_of(l);
    struct tpacket_stats stats = {0};
    socklen_t len = sizeof stats;
    /* Reading sets them to 0. */
    if (getsockopt(lp->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
        atomic_fetch_add(&lp->counters[QUEUE_FULL], stats.tp_drops);
    pthread_mutex_lock(&lp->lock);
    out->no_neighbour = neigh_dropped(lp->neigh);
    pthread_mutex_unlock(&lp->lock);
    out->sent = atomic_load(&lp->counters[SENT]);
    out->received = atomic_load(&lp->counters[RECEIVED]);
    out->malformed = atomic_load(&lp->counters[MALFORMED]);
    out->no_route = atomic_load(&lp->counters[NO_ROUTE]);
    out->refused = atomic_load(&lp->counters[REFUSED]);
    out->overflow = atomic_load(&lp->counters[QUEUE_FULL]);
    out->truncated = atomic_load(&lp->counters[TOO_LONG]);
    out->foreign = atomic_load(&lp->counters[FOREIGN]);
}
