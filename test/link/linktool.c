/*
 * What the tests of link/ and guard/ run in the nodes of a lab:
 *
 *     linktool hold ADDR PORT [free]       holds a port until its input ends
 *     linktool blocks N                    claims N blocks of ports likewise
 *     linktool listen ADDR PORT OCTETS [SOURCE ROOM]
 *                                          holds a port, receives text and checks it, until it has
 *                                          that much, or its input ends and there is no more;
 *                                          SOURCE: it waits for text from there, with so much ROOM
 *                                          at one time, and tells how much the link has put where
 *                                          it waits; it begins when its input ends
 *     linktool send ADDR PORT TIMES LEN[,LEN] MSS [scarce]
 *                                          sends TIMES super-segments of LEN octets of text, or of
 *                                          one and the other in turn, each with CWR, which is for
 *                                          its first packet (RFC 3168); scarce: the kernel has no
 *                                          large pieces of memory
 *     linktool nobody ADDR N               sends to N addresses from ADDR on, which nobody has
 *     linktool watch ADDR                  tells the route to ADDR now and for each line of input
 *
 * The octet of text with sequence number n is pattern(n). Prints "ready" when the other end may
 * begin, and a line of "name value" pairs at the end. Ends with 1 and a reason when it fails.
 */
#include "codec.h"
#include "guard.h"
#include "link_packet.h"
#include "nstime.h"
#include "route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SEND_PORT 1000

static void __attribute__((noreturn)) die(const char *what)
{
    printf("%s\n", what);
    exit(1);
}

static void ready(void)
{
    puts("ready");
    fflush(stdout);
}

static uint64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static struct ip_addr parse_addr(const char *text)
{
    uint8_t b[16];
    if (inet_pton(AF_INET, text, b) == 1)
        return ip_addr_v4_bytes(b);
    if (inet_pton(AF_INET6, text, b) != 1)
        die("bad address");
    return ip_addr_v6_bytes(b);
}

static struct in6_addr in6(const struct ip_addr *a)
{
    struct in6_addr out;
    memcpy(&out, a->b, sizeof out);
    return out;
}

static struct guard *make_guard(void)
{
    char why[200];
    struct guard *g;
    if (guard_create(&g, why, sizeof why) < 0)
        die(why);
    return g;
}

static struct link *make_link(void)
{
    char why[200];
    struct link *l;
    if (link_packet_create(&l, why, sizeof why) < 0)
        die(why);
    return l;
}

static void wait_for_end_of_input(void)
{
    ready();
    while (getchar() != EOF) {
    }
}

static void hold(const char *addr, const char *port, bool freebind)
{
    struct guard *g = make_guard();
    struct ip_addr ip = parse_addr(addr);
    struct in6_addr a = in6(&ip);
    uint16_t n = (uint16_t)atoi(port);
    if (guard_hold(g, &a, n, freebind) < 0)
        die(guard_error(g));
    wait_for_end_of_input();
    if (guard_release(g, &a, n) < 0)
        die(guard_error(g));
    puts("released");
    guard_destroy(g);
}

static void blocks(int n)
{
    struct guard *g = make_guard();
    for (int i = 0; i < n; i++) {
        uint16_t first;
        if (guard_claim_block(g, &first) < 0)
            die(guard_error(g));
        printf("%u\n", first);
    }
    wait_for_end_of_input();
    guard_destroy(g);
}

/* Of no period that a segment's or a page's length divides. */
static uint8_t pattern(uint32_t n)
{
    return (uint8_t)(n % 251);
}

struct tally {
    uint32_t octets, packets, super, cwr, bad, placed;
    uint8_t *room; /* where text is waited for; NULL: it is not */
};

/* Looks at one packet that has arrived. */
static void inspect(const struct packet *p, uint16_t port, struct tally *t)
{
    struct flow flow;
    struct ip_hdr ip;
    struct seg seg;
    const char *why;
    if (packet_decode(p, &flow, &ip, &seg, &why) != DECODE_OK || flow.local_port != port) {
        t->bad++;
        return;
    }
    t->packets++;
    t->super += p->gso_size > 0;
    t->cwr += (seg.flags & TCP_CWR) != 0;
    uint32_t at = seg.seq.v;
    for (unsigned i = 0; i < seg.n_text; i++) {
        if (t->room && seg.text[i].ptr == t->room + at)
            t->placed += (uint32_t)seg.text[i].len;
        for (size_t j = 0; j < seg.text[i].len; j++)
            t->bad += seg.text[i].ptr[j] != pattern(at++);
    }
    t->octets += seg.text_len;
}

/* Of all that is waited for, what lies behind so many octets, and so much of it; and as much as a
 * link keeps of other connections, which nothing comes for. */
static void expect_from(struct link *l, const struct link_expect *all, uint32_t octets, size_t room)
{
    static uint8_t elsewhere[65535];
    struct link_expect rest = *all, others = *all;
    others.seq = seq_add(all->seq, octets);
    others.buf = elsewhere;
    others.len = sizeof elsewhere;
    for (unsigned i = 1; i < LINK_EXPECT_MAX; i++) {
        others.flow.remote_port++;
        l->ops->expect(l, &others);
    }
    rest.seq = seq_add(all->seq, octets);
    rest.buf += octets;
    rest.len = room < rest.len - octets ? room : rest.len - octets;
    l->ops->expect(l, &rest);
}

static void listen_for(const char *addr, const char *port, uint32_t octets, const char *source,
                       size_t room)
{
    struct guard *g = make_guard();
    struct link *l = make_link();
    struct ip_addr ip = parse_addr(addr);
    struct in6_addr a = in6(&ip);
    struct port_range range = {ip, (uint16_t)atoi(port), (uint16_t)atoi(port)};
    if (guard_hold(g, &a, range.first, true) < 0)
        die(guard_error(g));
    if (link_packet_set_ports(l, &range, 1) < 0)
        die("set_ports");
    if (source)
        wait_for_end_of_input();
    else
        ready();
    struct tally t = {.room = source ? calloc(1, octets) : NULL};
    struct link_expect all = {.buf = t.room, .len = octets};
    if (source)
        all.flow = (struct flow){ip, parse_addr(source), range.first, SEND_PORT};
    struct pollfd fds[2] = {{.fd = l->ops->poll_fd(l), .events = POLLIN},
                            {.fd = STDIN_FILENO, .events = POLLIN}};
    bool more = true;
    while (t.octets < octets && more) {
        struct packet p[8];
        if (source)
            expect_from(l, &all, t.octets, room);
        size_t n = l->ops->recv(l, p, 8);
        for (size_t i = 0; i < n; i++)
            inspect(&p[i], range.first, &t);
        more = n > 0 || (poll(fds, 2, -1) > 0 && fds[0].revents != 0);
    }
    struct link_packet_counters c;
    link_packet_read_counters(l, &c);
    printf("octets %u packets %u super %u cwr %u bad %u placed %u foreign %llu overflow %llu\n",
           t.octets, t.packets, t.super, t.cwr, t.bad, t.placed, (unsigned long long)c.foreign,
           (unsigned long long)c.overflow);
    free(t.room);
    l->ops->destroy(l);
    guard_destroy(g);
}

/* Sends p, and lets the link hear what its neighbours say. */
static void send_one(struct link *l, const struct packet *p)
{
    while (l->ops->send(l, p, 1) == 0) {
        struct pollfd fd = {.fd = l->ops->poll_fd(l), .events = POLLOUT};
        poll(&fd, 1, -1);
    }
    struct packet in;
    l->ops->recv(l, &in, 1);
}

/* Frames that the kernel was asked to take into one large piece of memory. */
static unsigned whole;
static bool scarce;

/* In the place of the C library's. */
int sendmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags)
{
    const struct virtio_net_hdr *vnet = msgs->msg_hdr.msg_iov->iov_base;
    bool large = vnet->hdr_len > 4096;
    whole += large;
    if (large && scarce) {
        errno = ENOBUFS;
        return -1;
    }
    return (int)syscall(SYS_sendmmsg, fd, msgs, n, flags);
}

static void send_text(const char *addr, const char *port, int times, const char *lens, uint16_t mss)
{
    const char *other = strchr(lens, ',');
    const uint32_t first = (uint32_t)atoi(lens), second = other ? (uint32_t)atoi(other + 1) : first;
    struct link *l = make_link();
    struct ip_addr dst = parse_addr(addr);
    struct route route;
    if (route_lookup(link_packet_routes(l), &dst, now_ns(), &route) < 0)
        die("no route");
    struct flow flow = {route.source, dst, SEND_PORT, (uint16_t)atoi(port)};
    struct seg seg = {.flags = TCP_ACK | TCP_CWR, .wnd = 1000, .gso_size = mss};
    uint8_t *text = malloc(first > second ? first : second);
    if (text == NULL)
        die("no memory");
    for (int i = 0; i < times; i++) {
        const uint32_t len = seg.text_len = i % 2 == 0 ? first : second;
        for (uint32_t j = 0; j < len; j++)
            text[j] = pattern(seg.seq.v + j);
        /* In three pieces, as from a queue of extents; the last may be a single octet. */
        seg.text[0] = (struct bytes){text, len / 2};
        seg.text[1] = (struct bytes){text + len / 2, len - len / 2 - 1};
        seg.text[2] = (struct bytes){text + len - 1, 1};
        seg.n_text = 3;
        struct packet p;
        packet_encode(&p, &flow, &seg, 0, 64, true);
        p.gso_size = len > mss ? mss : 0;
        send_one(l, &p);
        seg.seq = seg_end(&seg);
        if (i < 4) /* only so many wait for the neighbour's address */
            usleep(20000);
    }
    struct packet in;
    l->ops->recv(l, &in, 1);
    struct link_packet_counters c;
    link_packet_read_counters(l, &c);
    printf("sent %llu no_route %llu no_neighbour %llu refused %llu whole %u\n",
           (unsigned long long)c.sent, (unsigned long long)c.no_route,
           (unsigned long long)c.no_neighbour, (unsigned long long)c.refused, whole);
    free(text);
    l->ops->destroy(l);
}

/* Packets to that address and the next ones, one each at a time, which nobody has; the most answers
 * that recv() has given at one time. */
static void send_to_nobody(const char *addr, unsigned n)
{
    struct link *l = make_link();
    struct ip_addr dst = parse_addr(addr);
    struct packet p[16], in[16];
    struct route route;
    size_t most = 0;
    if (n > 16 || route_lookup(link_packet_routes(l), &dst, now_ns(), &route) < 0)
        die("no route");
    struct seg seg = {.flags = TCP_SYN, .wnd = 1000};
    for (unsigned i = 0; i < n; i++, dst.b[15]++) {
        struct flow flow = {route.source, dst, SEND_PORT, 7000};
        packet_encode(&p[i], &flow, &seg, 0, 64, true);
    }
    for (int i = 0; i < 60 && most == 0; i++) {
        l->ops->send(l, p, n);
        size_t got = l->ops->recv(l, in, 16);
        most = got > most ? got : most;
        usleep(100000);
    }
    printf("answers %zu\n", most);
    l->ops->destroy(l);
}

static void watch(const char *addr)
{
    struct route_table *t;
    if (route_create(&t) < 0)
        die("route_create");
    struct ip_addr dst = parse_addr(addr);
    do {
        struct route r;
        char source[IP_ADDR_TEXT_MAX], hop[IP_ADDR_TEXT_MAX];
        int err = route_lookup(t, &dst, now_ns(), &r);
        if (err < 0)
            printf("%s\n", strerror(-err));
        else
            printf("%s via %s mtu %u local %d\n", ip_addr_text(&r.source, source),
                   ip_addr_text(&r.next_hop, hop), r.mtu, route_is_local(t, &r.source, now_ns()));
        fflush(stdout);
    } while (getchar() != EOF);
    route_destroy(t);
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "hold") == 0)
        hold(argv[2], argv[3], argc > 4);
    else if (argc == 3 && strcmp(argv[1], "blocks") == 0)
        blocks(atoi(argv[2]));
    else if (argc == 5 && strcmp(argv[1], "listen") == 0)
        listen_for(argv[2], argv[3], (uint32_t)atoi(argv[4]), NULL, 0);
    else if (argc == 7 && strcmp(argv[1], "listen") == 0)
        listen_for(argv[2], argv[3], (uint32_t)atoi(argv[4]), argv[5], (size_t)atoi(argv[6]));
    else if ((argc == 7 || argc == 8) && strcmp(argv[1], "send") == 0) {
        scarce = argc == 8;
        send_text(argv[2], argv[3], atoi(argv[4]), argv[5], (uint16_t)atoi(argv[6]));
    } else if (argc == 4 && strcmp(argv[1], "nobody") == 0)
        send_to_nobody(argv[2], (unsigned)atoi(argv[3]));
    else if (argc == 3 && strcmp(argv[1], "watch") == 0)
        watch(argv[2]);
    else
        return 2;
    return 0;
}
