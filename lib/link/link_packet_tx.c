/*
 * The packet link's way out: a packet to a frame, with route, neighbour and virtio header, and as
 * many frames as possible per system call. See link_packet.c. The packet's memory is handed to the
 * kernel as it lies; only what waits for a neighbour, and a small frame that goes alone, is copied.
 *
 * The kernel copies a frame into one piece of memory twice as fast as into pages, to each of which
 * it copies by itself. It takes the length of the headers for what is to be in one piece.
 */
#include "link_packet_priv.h"

#include <errno.h>
#include <string.h>

#include "ip.h"
#include "resolve.h"

/* Smaller frames are in one piece anyway, ... */
#define PAGE 4096
/* ... and as many as this are not tried to be after one for which there was none. */
#define PAGES_FRAMES 1024

/* One frame up to this size goes by sendto(), which has the kernel read less from us than
 * sendmmsg() does, and is faster even with the copy. */
#define SMALL 256

/* Where a packet goes. */
struct hop {
    struct ip_addr dst;
    struct route route;
    struct mac_addr mac; /* of the next hop */
};

/* False when the head doesn't begin with an IP header. */
static bool read_dst(const struct packet *p, struct ip_addr *dst)
{
    const uint8_t *ip = p->head.ptr;
    if (p->head.len >= IP4_HDR_LEN && ip[0] >> 4 == 4)
        *dst = ip_addr_v4_bytes(ip + 16);
    else if (p->head.len >= IP6_HDR_LEN && ip[0] >> 4 == 6)
        *dst = ip_addr_v6_bytes(ip + 24);
    else
        return false;
    ip_addr_set_zone(dst, p->zone);
    return true;
}

/* Of a packet that read_dst() has read. */
static struct ip_addr source_of(const struct packet *p)
{
    const uint8_t *ip = p->head.ptr;
    return ip[0] >> 4 == 4 ? ip_addr_v4_bytes(ip + 12) : ip_addr_v6_bytes(ip + 8);
}

/* Tells the kernel what is left to do: linux/virtio_net.h. The virtio fields are in host order. */
static bool fill_offload(struct virtio_net_hdr *vnet, const struct packet *p)
{
    memset(vnet, 0, sizeof *vnet);
    if (p->csum != CSUM_PARTIAL)
        return p->gso_size == 0;
    const uint8_t *ip = p->head.ptr;
    bool v4 = ip[0] >> 4 == 4;
    size_t ip_len = v4 ? (ip[0] & 0xfU) * 4 : IP6_HDR_LEN;
    if (p->head.len < ip_len + TCP_MIN)
        return false;
    size_t tcp_len = (size_t)(ip[ip_len + TCP_AT_OFFSET] >> 4) * 4;
    if (tcp_len < TCP_MIN || p->head.len < ip_len + tcp_len)
        return false;
    vnet->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    vnet->csum_start = (uint16_t)(ETHER_HDR_LEN + ip_len);
    vnet->csum_offset = TCP_AT_CHECKSUM;
    vnet->hdr_len = (uint16_t)(ETHER_HDR_LEN + ip_len + tcp_len);
    if (p->gso_size != 0 && packet_len(p) > ip_len + tcp_len + p->gso_size) {
        vnet->gso_type = v4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
        if (ip[ip_len + TCP_AT_FLAGS] & TCP_CWR) /* which is for the first of the packets alone */
            vnet->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
        vnet->gso_size = p->gso_size;
    }
    return true;
}

static void add_iov(struct frame *f, const void *ptr, size_t len)
{
    /* sendmsg() only reads. */
    f->iov[f->n_iov++] = (struct iovec){(void *)(uintptr_t)ptr, len};
}

/* False when the packet can't be sent by anybody. */
static bool fill_frame(struct frame *f, const struct packet *p, const struct hop *hop)
{
    if (packet_len(p) > IP_MAX || !fill_offload(&f->prefix.vnet, p))
        return false;
    f->headers = f->prefix.vnet.hdr_len;
    bool v4 = ip_addr_is_v4(&hop->dst);
    struct ether_hdr ether = {hop->mac, hop->route.mac, v4 ? ETHER_TYPE_IPV4 : ETHER_TYPE_IPV6};
    struct writer w = writer(f->prefix.ether, sizeof f->prefix.ether);
    ether_emit(&w, &ether);
    f->to = (struct sockaddr_ll){.sll_family = AF_PACKET,
                                 .sll_protocol = htobe16(ether.type),
                                 .sll_ifindex = (int)hop->route.ifindex};
    f->n_iov = 0;
    add_iov(f, &f->prefix, sizeof f->prefix.vnet + sizeof f->prefix.ether);
    add_iov(f, p->head.ptr, p->head.len);
    for (unsigned i = 0; i < p->n_body; i++)
        add_iov(f, p->body[i].ptr, p->body[i].len);
    return true;
}

static void use_one_piece(struct link_packet *lp, struct frame *f, const struct packet *p)
{
    size_t len = ETHER_HDR_LEN + packet_len(p);
    if (f->headers == 0 || len < PAGE)
        return;
    if (lp->tx_pages > 0)
        lp->tx_pages--;
    else
        f->prefix.vnet.hdr_len = (uint16_t)(len < UINT16_MAX ? len : UINT16_MAX);
}

/* What is staged from this frame on. False when that was to go into pages already. */
static bool use_pages(struct link_packet *lp, size_t from)
{
    bool whole = lp->tx[from].prefix.vnet.hdr_len != lp->tx[from].headers;
    for (size_t i = from; i < lp->tx_n; i++)
        lp->tx[i].prefix.vnet.hdr_len = lp->tx[i].headers;
    return whole;
}

static void fill_msg(struct msghdr *m, struct frame *f)
{
    *m = (struct msghdr){
        .msg_name = &f->to, .msg_namelen = sizeof f->to, .msg_iov = f->iov, .msg_iovlen = f->n_iov};
}

/* The kernel's answer, other than success: true when the device or the socket's buffer has no room
 * now, false when this frame will never go. */
static bool is_busy(int err)
{
    return err == EAGAIN || err == ENOBUFS;
}

/* Puts f in one piece at `to`: its octets, or 0 when there are more than SMALL. */
static size_t flatten(uint8_t to[SMALL], const struct frame *f)
{
    struct writer w = writer(to, SMALL);
    for (size_t i = 0; i < f->n_iov; i++)
        put_bytes(&w, f->iov[i].iov_base, f->iov[i].iov_len);
    return w.bad ? 0 : SMALL - w.len;
}

/* Sends what is staged from this frame on: how many went, or -1 and errno. */
static int send_staged(struct link_packet *lp, size_t from)
{
    struct frame *f = &lp->tx[from];
    uint8_t small[SMALL];
    size_t len = lp->tx_n - from == 1 ? flatten(small, f) : 0;
    if (len == 0)
        return sendmmsg(lp->fd, lp->tx_msg + from, (unsigned)(lp->tx_n - from), MSG_DONTWAIT);
    const struct sockaddr *to = (const struct sockaddr *)&f->to;
    return sendto(lp->fd, small, len, MSG_DONTWAIT, to, sizeof f->to) < 0 ? -1 : 1;
}

/* Sends the frames that are staged. True when none is left; otherwise *unsent is the index of the
 * first packet for which there was no room. */
static bool flush(struct link_packet *lp, size_t *unsent)
{
    size_t done = 0;
    bool busy = false, in_pages = false; /* after it was refused in one piece */
    while (done < lp->tx_n && !busy) {
        int n = send_staged(lp, done);
        if (n > 0) {
            done += (size_t)n;
            if (in_pages)
                lp->tx_pages = PAGES_FRAMES;
            in_pages = false;
            atomic_fetch_add_explicit(&lp->counters[SENT], (uint64_t)n, memory_order_relaxed);
        } else if (is_busy(errno)) {
            *unsent = lp->tx[done].index;
            in_pages = errno == ENOBUFS && use_pages(lp, done);
            busy = !in_pages;
        } else if (errno != EINTR) {
            count(lp, REFUSED);
            done++;
        }
    }
    lp->tx_n = 0;
    return !busy;
}

void link_packet_send_frame(struct link_packet *lp, uint32_t ifindex, bool v4, uint8_t *frame,
                            size_t len)
{
    struct virtio_net_hdr vnet = {0};
    struct iovec iov[] = {{&vnet, sizeof vnet}, {frame, len}};
    struct sockaddr_ll sll = {.sll_family = AF_PACKET,
                              .sll_protocol = htobe16(v4 ? ETHER_TYPE_ARP : ETHER_TYPE_IPV6),
                              .sll_ifindex = (int)ifindex};
    struct msghdr m = {
        .msg_name = &sll, .msg_namelen = sizeof sll, .msg_iov = iov, .msg_iovlen = 2};
    if (sendmsg(lp->fd, &m, MSG_DONTWAIT) < 0)
        count(lp, REFUSED);
}

/* Asks for the next hop's address. */
static void send_request(struct link_packet *lp, const struct route *route,
                         const struct mac_addr *to)
{
    uint8_t frame[RESOLVE_FRAME_MAX];
    struct writer w = writer(frame, sizeof frame);
    resolve_emit(&w, route, to);
    link_packet_send_frame(lp, route->ifindex, ip_addr_is_v4(&route->next_hop), frame,
                           sizeof frame - w.len);
}

/* The next hop's address, asking for it when it is time to. The lock must be held. */
static bool find_neighbour(struct link_packet *lp, struct hop *hop, uint64_t now)
{
    struct neigh_key key = {hop->route.ifindex, hop->route.next_hop};
    enum neigh_ask ask;
    bool known = neigh_lookup(lp->neigh, &key, now, &hop->mac, &ask);
    if (ask != NEIGH_ASK_NOTHING)
        send_request(lp, &hop->route, ask == NEIGH_ASK_IT ? &hop->mac : NULL);
    return known;
}

/* Lets recv() say what is wrong with p. Beyond a few at one time the rest may wait: there are more
 * packets where p came from. The lock must be held. */
static void refuse(struct link_packet *lp, const struct packet *p, enum icmp_kind why, uint32_t mtu)
{
    if (lp->n_refusals == REFUSALS_MAX)
        return;
    struct refusal *r = &lp->refusals[lp->n_refusals];
    r->len = refuse_emit(r->octets, p, why, mtu);
    r->zone = p->zone;
    lp->n_refusals += r->len > 0;
}

enum verdict {
    STAGE,  /* the hop is known */
    TAKEN,  /* dropped, or waiting: done with */
    NO_ROOM /* what stood before it could not be sent */
};

/* Finds the hop of p. A packet that waits or is dropped is done with, so everything before it must
 * have been sent first: otherwise the caller would bring it again. */
static enum verdict find_hop(struct link_packet *lp, const struct packet *p, struct hop *hop,
                             uint64_t now, size_t *unsent)
{
    bool good = read_dst(p, &hop->dst);
    int err = good ? route_lookup(lp->routes, &hop->dst, now, &hop->route) : 0;
    if (!good || err < 0) {
        if (!flush(lp, unsent))
            return NO_ROOM;
        count(lp, good ? NO_ROUTE : MALFORMED);
        return TAKEN;
    }
    enum verdict verdict = STAGE;
    pthread_mutex_lock(&lp->lock); /* held until the packet waits: the answer may come any time */
    struct ip_addr source = source_of(p);
    if (link_packet_owns(lp, &source)) /* it asks in its own name, and is known thereby */
        hop->route.source = source;
    if (!find_neighbour(lp, hop, now)) {
        verdict = flush(lp, unsent) ? TAKEN : NO_ROOM;
        struct neigh_key key = {hop->route.ifindex, hop->route.next_hop};
        if (verdict == TAKEN)
            neigh_wait(lp->neigh, &key, p, now);
        if (verdict == TAKEN && neigh_failed(lp->neigh, &key))
            refuse(lp, p, ICMP_HOST_UNREACHABLE, 0);
    }
    pthread_mutex_unlock(&lp->lock);
    return verdict;
}

size_t link_packet_send(struct link *l, const struct packet *p, size_t n)
{
    struct link_packet *lp = link_packet_of(l);
    uint64_t now = now_ns();
    struct hop hop;
    struct ip_addr dst;
    bool same = false; /* hop is that of dst: packets to one destination come in a row */
    size_t unsent;
    for (size_t i = 0; i < n; i++) {
        if (!same || !read_dst(&p[i], &dst) || !ip_addr_eq(&dst, &hop.dst)) {
            enum verdict verdict = find_hop(lp, &p[i], &hop, now, &unsent);
            if (verdict == NO_ROOM)
                return unsent;
            same = verdict == STAGE;
            if (!same)
                continue;
        }
        if (refuse_wanted(&p[i], hop.route.mtu)) {
            if (!flush(lp, &unsent))
                return unsent;
            count(lp, REFUSED);
            pthread_mutex_lock(&lp->lock);
            refuse(lp, &p[i], ICMP_TOO_BIG, hop.route.mtu);
            pthread_mutex_unlock(&lp->lock);
            continue;
        }
        struct frame *f = &lp->tx[lp->tx_n];
        if (!fill_frame(f, &p[i], &hop)) {
            if (!flush(lp, &unsent))
                return unsent;
            count(lp, MALFORMED);
            continue;
        }
        f->index = i;
        use_one_piece(lp, f, &p[i]);
        fill_msg(&lp->tx_msg[lp->tx_n++].msg_hdr, f);
        if (lp->tx_n == TX_BATCH && !flush(lp, &unsent))
            return unsent;
    }
    return flush(lp, &unsent) ? n : unsent;
}

void link_packet_doubt(struct link *l, const struct ip_addr *dst)
{
    struct link_packet *lp = link_packet_of(l);
    uint64_t now = now_ns();
    struct route route;
    route_forget(lp->routes, dst);
    if (route_lookup(lp->routes, dst, now, &route) < 0)
        return;
    const struct neigh_key key = {route.ifindex, route.next_hop};
    pthread_mutex_lock(&lp->lock);
    neigh_doubt(lp->neigh, &key);
    pthread_mutex_unlock(&lp->lock);
}

void link_packet_send_ready(struct link_packet *lp, struct list *ready, uint64_t now)
{
    struct list *node;
    while ((node = list_pop_front(ready)) != NULL) {
        struct neigh_packet *w = container_of(node, struct neigh_packet, node);
        struct hop hop;
        struct frame f;
        struct msghdr m;
        if (!read_dst(&w->packet, &hop.dst) ||
            route_lookup(lp->routes, &hop.dst, now, &hop.route) < 0) {
            count(lp, NO_ROUTE);
        } else if (find_neighbour(lp, &hop, now) && fill_frame(&f, &w->packet, &hop)) {
            fill_msg(&m, &f);
            count(lp, sendmsg(lp->fd, &m, MSG_DONTWAIT) < 0 ? REFUSED : SENT);
        }
        neigh_packet_free(w);
    }
}
