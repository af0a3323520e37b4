/*
 * The packet link's way in: frames as they lie in the ring, those larger than their place there
 * received into buffers that are used again at the next call. See link_packet.c. News about
 * neighbours is kept here, everything else that is ours goes up.
 */
#include "link_packet_priv.h"

#include <errno.h>

#include "ip.h"
#include "predict.h"

#define ICMP6_ND_FIRST 133 /* router solicitation */
#define ICMP6_ND_LAST  137 /* redirect */

/* What the frames of one batch have in common, more often than not. */
struct memo {
    uint64_t now;
    uint32_t ifindex; /* 0: none yet */
    uint32_t mtu;     /* of that device; 0: it is none of ours */
    bool target_known;
    struct ip_addr dst;
    uint16_t port;
};

static uint32_t device_mtu(struct link_packet *lp, struct memo *memo, uint32_t ifindex)
{
    if (memo->ifindex != ifindex) {
        memo->mtu = route_device_mtu(lp->routes, ifindex, memo->now);
        memo->ifindex = ifindex;
    }
    return memo->mtu;
}

/* Where a packet wants to go. */
enum target { TO_PORT, TO_ADDRESS, TO_NEIGHBOURS, TO_ERRORS, TO_NOBODY };

/* Whether an address is one that no packet on a wire may have: RFC 1122 3.2.1.3 (g), RFC 4291
 * 2.5.3. To the kernel's routes it is local like any other of ours. */
static bool from_or_to_loopback(const uint8_t *ip, size_t len)
{
    if (len >= IP4_HDR_LEN && ip[0] >> 4 == 4)
        return ip[12] == 127 || ip[16] == 127;
    struct ip_addr src, dst;
    if (len < IP6_HDR_LEN)
        return false;
    src = ip_addr_v6_bytes(ip + 8);
    dst = ip_addr_v6_bytes(ip + 24);
    return ip_addr_is_loopback(&src) || ip_addr_is_loopback(&dst);
}

/* Reads as little as will do; the engine looks at everything else. */
static enum target read_target(const uint8_t *ip, size_t len, struct ip_addr *dst, uint16_t *port)
{
    struct reader r = reader(ip, len);
    uint8_t proto;
    bool later_fragment = false; /* it has no ports */
    if (from_or_to_loopback(ip, len))
        return TO_NOBODY;
    if (len >= IP4_HDR_LEN && ip[0] >> 4 == 4) {
        *dst = ip_addr_v4_bytes(ip + 16);
        proto = ip[9];
        later_fragment = ((ip[6] << 8 | ip[7]) & IP4_OFFSET) != 0;
        get_bytes(&r, (ip[0] & 0xfU) * 4);
    } else if (len >= IP6_HDR_LEN && ip[0] >> 4 == 6 &&
               (ip[6] == IP_PROTO_TCP || ip[6] == IP_PROTO_ICMP6)) {
        *dst = ip_addr_v6_bytes(ip + 24);
        proto = ip[6];
        get_bytes(&r, IP6_HDR_LEN);
    } else {
        struct ip_hdr h;
        enum ip_error e = ip_parse(&r, len, &h);
        if (e != IP_OK && e != IP_FRAGMENT)
            return TO_NOBODY;
        *dst = h.dst;
        proto = h.proto;
        later_fragment = h.offset > 0;
    }
    if (later_fragment)
        return TO_ADDRESS;
    if (proto == IP_PROTO_ICMP)
        return TO_ERRORS;
    if (proto == IP_PROTO_ICMP6) {
        uint8_t type = get_u8(&r);
        return type >= ICMP6_ND_FIRST && type <= ICMP6_ND_LAST ? TO_NEIGHBOURS : TO_ERRORS;
    }
    get_bytes(&r, TCP_AT_DST_PORT);
    *port = get_u16(&r);
    return proto == IP_PROTO_TCP && !r.bad ? TO_PORT : TO_NOBODY;
}

/* Whether a packet to this port of this address, or any_port, is ours. The filter has seen to most
 * of it; the addresses that a wildcard stands for, it does not know. */
static bool port_ok(struct link_packet *lp, struct memo *memo, const struct ip_addr *dst,
                    uint16_t port, bool any_port)
{
    if (memo->target_known && memo->port == port && ip_addr_eq(&memo->dst, dst))
        return true;
    bool wild = false;
    pthread_mutex_lock(&lp->lock);
    bool exact = link_packet_owns(lp, dst);
    for (size_t i = 0; i < lp->n_ports && !exact; i++) {
        const struct port_range *range = &lp->ports[i];
        if (!any_port && (port < range->first || port > range->last))
            continue;
        exact = ip_addr_eq(&range->addr, dst);
        wild = wild ||
               (ip_addr_is_any(&range->addr) && ip_addr_is_v4(&range->addr) == ip_addr_is_v4(dst));
    }
    pthread_mutex_unlock(&lp->lock);
    if (!exact && !(wild && route_is_local(lp->routes, dst, memo->now)))
        return false;
    memo->target_known = !any_port;
    memo->dst = *dst;
    memo->port = port;
    return true;
}

static void hear(struct link_packet *lp, const uint8_t *frame, size_t len, uint32_t ifindex,
                 uint64_t now)
{
    struct resolve_question question;
    if (resolve_parse_question(frame, len, &question))
        link_packet_answer(lp, &question, ifindex, now);
    struct resolve_news news;
    if (!resolve_parse(frame, len, &news))
        return;
    ip_addr_set_zone(&news.to, ifindex);
    bool to_us = route_is_local(lp->routes, &news.to, now);
    struct neigh_key key = {ifindex, news.ip};
    struct list ready;
    list_init(&ready);
    pthread_mutex_lock(&lp->lock);
    if (!to_us && !link_packet_owns(lp, &news.to)) /* if an answer, then to somebody else */
        news.claim = ip_addr_is_v4(&news.ip) ? NEIGH_OTHER : NEIGH_UNASKED;
    if (lp->asked != NULL && lp->asked->ifindex == ifindex && ip_addr_eq(&lp->asked->ip, &news.ip))
        lp->asked = NULL;
    neigh_heard(lp->neigh, &key, news.claim, news.has_mac ? &news.mac : NULL, now, &ready);
    link_packet_send_ready(lp, &ready, now);
    pthread_mutex_unlock(&lp->lock);
}

/* False when the kernel speaks of something other than TCP. */
static bool read_offload(const struct virtio_net_hdr *vnet, struct packet *p)
{
    p->csum = CSUM_FULL;
    if (vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
        p->csum = CSUM_PARTIAL;
    else if (vnet->flags & VIRTIO_NET_HDR_F_DATA_VALID)
        p->csum = CSUM_VERIFIED;
    p->gso_size = 0;
    switch (vnet->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        return true;
    case VIRTIO_NET_HDR_GSO_TCPV4:
    case VIRTIO_NET_HDR_GSO_TCPV6:
        p->gso_size = vnet->gso_size;
        return true;
    default:
        return false;
    }
}

/* Which of the expected ones the frame is the next of; NULL: none. *headers: the length of its
 * headers with Ethernet's. */
static struct link_expect *find_expected(struct link_packet *lp, const struct ring_frame *f,
                                         size_t *headers)
{
    struct flow flow;
    seq_t seq;
    if (lp->n_expected == 0 || f->len < ETHER_HDR_LEN)
        return NULL;
    size_t n = predict(f->octets + ETHER_HDR_LEN, f->len - ETHER_HDR_LEN, f->whole - ETHER_HDR_LEN,
                       &flow, &seq);
    *headers = ETHER_HDR_LEN + n;
    return n > 0 ? predict_find(lp->expected, lp->n_expected, &flow, seq) : NULL;
}

/* Text of a frame goes there, or will be copied there; the next one's, behind it. */
static struct bytes take_room(struct link_packet *lp, struct link_expect *e, size_t text_len)
{
    const struct bytes room = {e->buf, text_len};
    e->seq = seq_add(e->seq, (uint32_t)text_len);
    e->buf += text_len;
    e->len -= text_len;
    lp->begun[e - lp->expected] = true;
    return room;
}

/* Receives the frame of which the ring has only the first part, as a whole: the `headers`, and its
 * text to where there is *room for it; without, all of it into the large buffer i. False when the
 * socket's queue had no room for it. */
static bool take_queued(struct link_packet *lp, size_t i, struct ring_frame *f, size_t headers,
                        const struct bytes *room)
{
    uint8_t *large = lp->rx_octets + i * RX_STRIDE + RX_PAD;
    struct virtio_net_hdr vnet;
    struct iovec iov[] = {{&vnet, sizeof vnet}, {large, FRAME_MAX}, {NULL, 0}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 3};
    ssize_t n;
    if (room->len > 0) {
        iov[1].iov_len = headers;
        iov[2] = (struct iovec){(void *)(uintptr_t)room->ptr, room->len};
    }
    do
        n = recvmsg(lp->fd, &msg, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    f->octets = large;
    f->len = f->whole - room->len;
    return n >= 0 && (size_t)n == sizeof vnet + f->whole;
}

/* Looks at a frame. True when it is a packet for the engine, which p then describes. */
static bool take(struct link_packet *lp, struct memo *memo, const struct ring_frame *f,
                 const struct bytes *text, struct packet *p)
{
    uint32_t ifindex = (uint32_t)f->from->sll_ifindex;
    p->mtu = device_mtu(lp, memo, ifindex);
    p->zone = ifindex;
    if (f->len < ETHER_HDR_LEN || p->mtu == 0) {
        count(lp, FOREIGN);
        return false;
    }
    const uint8_t *ip = f->octets + ETHER_HDR_LEN;
    size_t len = f->len - ETHER_HDR_LEN;
    enum target target = TO_NEIGHBOURS;
    struct ip_addr dst = {{0}};
    uint16_t port = 0;
    if (f->from->sll_protocol != htobe16(ETHER_TYPE_ARP))
        target = read_target(ip, len, &dst, &port);
    ip_addr_set_zone(&dst, ifindex);
    if (target == TO_NEIGHBOURS) {
        hear(lp, f->octets, f->len, ifindex, memo->now);
        return false;
    }
    bool checked = target == TO_PORT || target == TO_ADDRESS;
    if (target == TO_NOBODY || (checked && !port_ok(lp, memo, &dst, port, target == TO_ADDRESS)) ||
        !read_offload(f->vnet, p)) {
        count(lp, FOREIGN);
        return false;
    }
    p->head = (struct bytes){ip, len};
    p->body[0] = *text;
    p->n_body = text->len > 0;
    count(lp, RECEIVED);
    return true;
}

/* What send() had to say, if anything: how many packets of n. */
static size_t take_refusals(struct link_packet *lp, struct packet *p, size_t n)
{
    if (atomic_load_explicit(&lp->n_refusals, memory_order_relaxed) == 0)
        return 0;
    pthread_mutex_lock(&lp->lock);
    size_t all = lp->n_refusals, taken = all < n ? all : n;
    memcpy(lp->rx_refusals, lp->refusals, taken * sizeof lp->refusals[0]);
    memmove(lp->refusals, lp->refusals + taken, (all - taken) * sizeof lp->refusals[0]);
    lp->n_refusals = all - taken;
    pthread_mutex_unlock(&lp->lock);
    for (size_t i = 0; i < taken; i++) {
        const struct refusal *r = &lp->rx_refusals[i];
        p[i] = (struct packet){
            .head = {r->octets, r->len},
            .csum = CSUM_FULL,
            .zone = r->zone,
        };
    }
    return taken;
}

void link_packet_expect(struct link *l, const struct link_expect *e)
{
    struct link_packet *lp = link_packet_of(l);
    if (lp->n_expected == LINK_EXPECT_MAX)
        return;
    lp->begun[lp->n_expected] = false;
    lp->expected[lp->n_expected++] = *e;
}

size_t link_packet_recv(struct link *l, struct packet *p, size_t n)
{
    struct link_packet *lp = link_packet_of(l);
    struct ring_frame f;
    struct memo memo = {0};
    ring_give_back(&lp->ring);
    size_t taken = take_refusals(lp, p, n), large = 0;
    for (size_t i = taken; i < n && large < RX_LARGE && ring_take(&lp->ring, &f); i++) {
        if (memo.now == 0)
            memo.now = now_ns();
        struct bytes text = {NULL, 0}; /* what does not follow the headers in memory */
        size_t headers = 0;
        struct link_expect *e = find_expected(lp, &f, &headers);
        bool fits = e && f.whole - headers <= e->len;
        /* Who waits is served, and will be back with another buffer for what would have to be
         * copied now. */
        if (e && !fits && lp->begun[e - lp->expected] && f.queued) {
            ring_leave(&lp->ring);
            break;
        }
        bool whole = f.len == f.whole;
        if (fits && whole)
            take_room(lp, e, f.whole - headers);
        else if (fits && f.queued)
            text = take_room(lp, e, f.whole - headers);
        if (!whole && !(f.queued && take_queued(lp, large++, &f, headers, &text)))
            count(lp, f.whole > FRAME_MAX ? TOO_LONG : QUEUE_FULL);
        else
            taken += take(lp, &memo, &f, &text, &p[taken]);
    }
    lp->n_expected = 0;
    return taken;
}
