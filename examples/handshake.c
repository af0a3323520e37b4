/*
 * handshake [--pcap FILE] ADDR PORT - the three-way handshake of TCP, by hand and packet by packet.
 *
 *     handshake 10.0.1.1 40000
 *
 * Opens a connection to ADDR:PORT, shows every packet of it that comes or goes, as fields and as
 * octets, and closes it again. No engine is at work here: what RFC 9293 calls for in 3.5 (the
 * handshake) and 3.6 (the closing) stands below, in main's five steps. So nothing is sent twice:
 * a packet that is lost is a failure, and the example says so after five seconds.
 */
#include "addr6.h"
#include "codec.h"
#include "guard.h"
#include "link_packet.h"
#include "link_pcap.h"
#include "nstime.h"
#include "route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define WAIT_NS (5 * NS_PER_S)
#define TTL     64
#define WINDOW  65535

/* The little that our end of the connection has to remember (RFC 9293 3.3.1). */
struct connection {
    struct link *link;
    struct flow flow;
    seq_t snd_nxt; /* the next sequence number we send */
    seq_t rcv_nxt; /* the next one we expect */
    uint16_t mss;  /* the most text in one packet that reaches us */
};

static void usage(FILE *out)
{
    fputs("usage: handshake [--pcap FILE] ADDR PORT\n\n"
          "Opens a TCP connection to ADDR (IPv4, IPv6, or fe80::1%DEVICE) and PORT, shows\n"
          "every packet of the handshake and of the closing, and ends. --pcap writes them to FILE, "
          "for tshark\n"
          "or Wireshark. Needs root, or a private lab: ./setup/netns.sh run. Exit status:\n"
          "0 done, 1 failed, 2 wrong usage.\n",
          out);
}

/* Says why this can't go on, and ends; the kernel takes back what we hold. */
static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fputs("handshake: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* --- showing --- */

static void show_octets(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        printf("%s%02x", i % 16 == 0 ? "\n    " : " ", b.ptr[i]);
    puts("\n");
}

/* One packet: who to whom, the TCP fields, the octets from the IP header on. */
static void show(const char *what, const struct flow *flow, bool to_us, const struct seg *s,
                 const struct packet *p)
{
    char local[IP_ADDR_TEXT_MAX], remote[IP_ADDR_TEXT_MAX], flags[TCP_FLAGS_TEXT_MAX];
    ip_addr_text(&flow->local, local);
    ip_addr_text(&flow->remote, remote);
    printf("%s %s\n", what, tcp_flags_text(s->flags, flags));
    if (to_us)
        printf("    from %s port %u to %s port %u\n", remote, flow->remote_port, local,
               flow->local_port);
    else
        printf("    from %s port %u to %s port %u\n", local, flow->local_port, remote,
               flow->remote_port);
    printf("    seq %u, ack %u, window %u, %u octets of text\n", s->seq.v, s->ack.v, s->wnd,
           s->text_len);
    printf("    options:");
    if (s->opts.has_mss)
        printf(" MSS %u", s->opts.mss);
    if (s->opts.has_wscale)
        printf(" window scale %u", s->opts.wscale);
    printf(s->opts.has_mss || s->opts.has_wscale ? "" : " none known");
    show_octets(p->head);
}

/* --- sending and receiving --- */

/* Sends a segment without text. SYN and FIN take up one sequence number each. */
static void send_segment(struct connection *c, uint8_t flags)
{
    struct seg s = {.seq = c->snd_nxt, .flags = flags, .wnd = WINDOW};
    if (flags & TCP_ACK)
        s.ack = c->rcv_nxt;
    if (flags & TCP_SYN)
        s.opts = (struct tcp_opts){.has_mss = true, .mss = c->mss};
    struct packet p;
    packet_encode(&p, &c->flow, &s, 0, TTL, false);
    while (c->link->ops->send(c->link, &p, 1) == 0) { /* the device is busy: wait for room */
        struct pollfd fd = {.fd = c->link->ops->poll_fd(c->link), .events = POLLOUT};
        poll(&fd, 1, -1);
    }
    c->snd_nxt = seg_end(&s);
    show("sent", &c->flow, false, &s, &p);
}

/* Whether this packet is a segment of our connection, which is then in *s. */
static bool is_ours(const struct connection *c, const struct packet *p, struct seg *s)
{
    struct flow flow;
    struct ip_hdr ip;
    const char *why;
    return packet_decode(p, &flow, &ip, s, &why) == DECODE_OK &&
           ip_addr_eq(&flow.local, &c->flow.local) && flow.local_port == c->flow.local_port &&
           ip_addr_eq(&flow.remote, &c->flow.remote) && flow.remote_port == c->flow.remote_port;
}

/* The next segment of our connection. recv() never blocks: while there is nothing we wait in
 * poll(), until the deadline. */
static void receive_segment(struct connection *c, struct seg *s, uint64_t deadline,
                            const char *missing)
{
    uint64_t now;
    while ((now = now_ns()) < deadline) { /* asked every time: a flood must not put it off */
        struct packet p;
        if (c->link->ops->recv(c->link, &p, 1) == 1) {
            if (!is_ours(c, &p, s))
                continue;
            show("received", &c->flow, true, s, &p);
            return;
        }
        struct pollfd fd = {.fd = c->link->ops->poll_fd(c->link), .events = POLLIN};
        poll(&fd, 1, (int)((deadline - now) / NS_PER_MS) + 1);
    }
    fail("within 5 s %s", missing);
}

/* --- the connection --- */

/* A source address and port of our own, which the kernel leaves alone from now on. */
static void prepare(struct connection *c, struct guard *guard)
{
    struct route route;
    int err = route_lookup(link_packet_routes(c->link), &c->flow.remote, now_ns(), &route);
    if (err == -EADDRNOTAVAIL)
        fail("that is an address of this host: what goes there does not pass a link");
    if (err < 0)
        fail("find the way there: %s; see `ip link` and `ip route`", strerror(-err));
    c->flow.local = route.source;
    c->mss = (uint16_t)(route.mtu - ip_hdr_len(&c->flow.remote) - TCP_HDR_LEN);
    if (guard_claim_block(guard, &c->flow.local_port) < 0)
        fail("%s", guard_error(guard));
    struct port_range port = {c->flow.local, c->flow.local_port, c->flow.local_port};
    err = link_packet_set_ports(c->link, &port, 1);
    if (err < 0)
        fail("set the packet filter: %s", strerror(-err));
    if (getrandom(&c->snd_nxt.v, sizeof c->snd_nxt.v, 0) != sizeof c->snd_nxt.v)
        fail("get a random number: %s", strerror(errno));
}

/* From here on every packet that comes or goes is written to the file, too. */
static void record(struct connection *c, const char *file)
{
    const struct trace none = {0};
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        fail("open %s: %s", file, strerror(errno));
    int err = link_pcap_create(&c->link, c->link, fd, &none);
    if (err < 0)
        fail("write %s: %s", file, strerror(-err));
}

/* RFC 9293 3.10.7.3, SYN-SENT: what the answer to our SYN must look like. */
static void receive_syn_ack(struct connection *c)
{
    uint64_t deadline = now_ns() + WAIT_NS;
    struct seg s;
    for (;;) {
        receive_segment(c, &s, deadline,
                        "no answer came; is the other host up, and the way to it?");
        if (!(s.flags & TCP_ACK) || !seq_eq(s.ack, c->snd_nxt)) {
            puts("That acknowledges something that we have not sent: ignored.\n");
            continue;
        }
        if (s.flags & TCP_RST)
            fail("connection refused; nobody listens there: start the server first");
        if (s.flags & TCP_SYN)
            break;
        puts("That is no SYN: ignored.\n");
    }
    c->rcv_nxt = seq_add(s.seq, 1); /* the SYN itself takes up one number */
}

/* RFC 9293 3.6: our FIN must be acknowledged, and the peer's FIN must come and be acknowledged. */
static void finish(struct connection *c)
{
    uint64_t deadline = now_ns() + WAIT_NS;
    bool acknowledged = false, closed = false;
    while (!acknowledged || !closed) {
        struct seg s;
        receive_segment(c, &s, deadline,
                        acknowledged ? "the peer did not close its side"
                                     : "no acknowledgement of our FIN came");
        if (!seq_eq(s.seq, c->rcv_nxt)) {
            puts("That is not what comes next: ignored.\n");
            continue;
        }
        if (s.flags & TCP_RST)
            fail("connection reset by the peer");
        if ((s.flags & TCP_ACK) && seq_eq(s.ack, c->snd_nxt))
            acknowledged = true;
        c->rcv_nxt = seg_end(&s);
        if (s.flags & TCP_FIN)
            closed = true;
        if (seg_len(&s) > 0)
            send_segment(c, TCP_ACK);
    }
}

/* ADDR and PORT as numbers. */
static bool parse_remote(const char *addr, const char *port, struct flow *flow)
{
    uint8_t b[4];
    struct in6_addr in6;
    uint32_t zone;
    if (inet_pton(AF_INET, addr, b) == 1) {
        flow->remote = ip_addr_v4_bytes(b);
    } else if (addr6_read(addr, &in6, &zone)) {
        flow->remote = ip_addr_v6_bytes(in6.s6_addr);
        ip_addr_set_zone(&flow->remote, zone);
    } else {
        return false;
    }
    char *end;
    unsigned long n = strtoul(port, &end, 10);
    flow->remote_port = (uint16_t)n;
    return end != port && *end == '\0' && n >= 1 && n <= 65535;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return 0;
    }
    struct connection c = {0};
    const char *pcap = NULL;
    if (argc == 5 && strcmp(argv[1], "--pcap") == 0) {
        pcap = argv[2];
        argc -= 2;
        argv += 2;
    }
    if (argc != 3 || !parse_remote(argv[1], argv[2], &c.flow)) {
        usage(stderr);
        return 2;
    }
    char why[200];
    struct guard *guard;
    int err = guard_create(&guard, why, sizeof why);
    if (err == 0)
        err = link_packet_create(&c.link, why, sizeof why);
    if (err < 0)
        fail("%s%s", why, err == -EPERM ? "; run it as root, or inside ./setup/netns.sh run" : "");
    prepare(&c, guard);
    if (pcap)
        record(&c, pcap);

    send_segment(&c, TCP_SYN);
    receive_syn_ack(&c);
    send_segment(&c, TCP_ACK);
    puts("The connection is established. Now we close it.\n");
    send_segment(&c, TCP_FIN | TCP_ACK);
    finish(&c);
    puts("The connection is closed.");

    c.link->ops->destroy(c.link);
    guard_destroy(guard);
    return 0;
}
