/* Listening on the wire. See posix_wire.h. */
#include "posix_wire.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

static int tap = -1;
static in_port_t only; /* our port, in network order; 0: any */

/* What passed until then has been heard. Windows of time begin there, or with the last call: by the
 * stamps of the packets, however late this thread comes to read them. */
static double heard;
static struct packet {
    double at; /* 0: none */
    size_t len;
    uint8_t octets[1 << 16];
} next; /* is not before the end of the last window */

void stop_listening(void)
{
    if (tap >= 0)
        close(tap);
    tap = -1;
    only = 0;
}

void listen_in(void)
{
    stop_listening();
    enter_router();
    tap = must("tap", socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL)));
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ALL),
                             .sll_ifindex = (int)if_nametoindex("router-veth1")};
    must("bind", bind(tap, SA(at)));
    must("SO_TIMESTAMPNS", setsockopt(tap, SOL_SOCKET, SO_TIMESTAMPNS, &(int){1}, sizeof(int)));
    next.at = 0;
    heard = now();
    enter(&us);
}

void listen_to(int sock)
{
    struct sockaddr_in6 at; /* sin6_port is where sin_port is */
    socklen_t len = sizeof at;
    must("getsockname", US(getsockname, sock, (struct sockaddr *)&at, &len));
    only = at.sin6_port;
}

/* The value of the MSS option; 0: there is none. */
static unsigned mss_option(const uint8_t *options, size_t len)
{
    for (size_t i = 0; i + 1 < len && options[i] != TCPOPT_EOL;) {
        if (options[i] == TCPOPT_MAXSEG && i + 4 <= len)
            return (unsigned)options[i + 2] << 8 | options[i + 3];
        i += options[i] == TCPOPT_NOP ? 1 : options[i + 1] > 1 ? options[i + 1] : len;
    }
    return 0;
}

/* An IP header that is ours; returns its length, or 0. *end: where its packet ends. */
static size_t parse_ip(const uint8_t *packet, size_t len, struct seen *out, size_t *end)
{
    struct iphdr v4;
    struct ip6_hdr v6;
    if (len >= sizeof v4 && packet[0] >> 4 == 4) {
        memcpy(&v4, packet, sizeof v4);
        size_t at = v4.ihl * 4u;
        if (v4.protocol != IPPROTO_TCP || v4.saddr != inet_addr(us.ip) || len < at)
            return 0;
        *out = (struct seen){.tos = v4.tos, .ttl = v4.ttl, .dst = v4.daddr};
        out->options_len = at - sizeof v4;
        memcpy(out->options, packet + sizeof v4, out->options_len);
        *end = ntohs(v4.tot_len);
        return at;
    }
    if (len < sizeof v6 || packet[0] >> 4 != 6)
        return 0;
    memcpy(&v6, packet, sizeof v6);
    if (v6.ip6_nxt != IPPROTO_TCP)
        return 0;
    *out = (struct seen){.tos = ntohl(v6.ip6_flow) >> 20 & 0xff, .ttl = v6.ip6_hlim};
    *end = sizeof v6 + ntohs(v6.ip6_plen);
    return sizeof v6;
}

static bool parse(const uint8_t *packet, size_t len, struct seen *out)
{
    struct tcphdr tcp;
    size_t end, at = parse_ip(packet, len, out, &end);
    if (at == 0 || end > len || end < at + sizeof tcp)
        return false;
    memcpy(&tcp, packet + at, sizeof tcp);
    size_t tcp_len = tcp.th_off * 4u;
    if (tcp_len < sizeof tcp || end < at + tcp_len || (only && tcp.th_sport != only))
        return false;
    out->flags = tcp.th_flags;
    out->mss = mss_option(packet + at + sizeof tcp, tcp_len - sizeof tcp);
    out->text = (unsigned)(end - at - tcp_len);
    out->quote_len = at + 8 < QUOTE_MAX ? at + 8 : QUOTE_MAX;
    memcpy(out->quote, packet, out->quote_len);
    return true;
}

static double stamp(struct msghdr *msg)
{
    struct timespec t = {0};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
            memcpy(&t, CMSG_DATA(c), sizeof t);
    }
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Reads the next packet that comes from host1, unless there is one. */
static void take(void)
{
    struct sockaddr_ll from;
    struct iovec iov = {.iov_base = next.octets, .iov_len = sizeof next.octets};
    _Alignas(struct cmsghdr) char control[64];
    struct msghdr msg = {.msg_name = &from,
                         .msg_namelen = sizeof from,
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof control};
    ssize_t n = recvmsg(tap, &msg, MSG_DONTWAIT);
    if (n <= 0 || from.sll_pkttype == PACKET_OUTGOING)
        return;
    next.at = stamp(&msg);
    next.len = (size_t)n;
}

/* Our next segment; false when none came until then. */
static bool hear(double until, struct seen *seen)
{
    for (;;) {
        double left = until - now();
        struct pollfd p = {.fd = tap, .events = POLLIN};
        if (next.at == 0 && must("poll", poll(&p, 1, left > 0 ? (int)(1000 * left) + 1 : 0)) > 0)
            take();
        if (next.at == 0 && left > 0)
            continue;
        heard = next.at == 0 || next.at > until ? until : next.at;
        if (heard == until)
            return false;
        next.at = 0;
        if (parse(next.octets, next.len, seen))
            return true;
    }
}

/* The end of a window of so many ms. */
static double window(int ms)
{
    return (last_call > heard ? last_call : heard) + ms / 1e3;
}

bool next_segment(const char *what, uint8_t flags, struct seen *seen)
{
    const uint8_t looked_at = TH_SYN | TH_FIN | TH_RST | TH_PUSH | (flags & TH_SYN ? TH_ACK : 0);
    double until = window(10000);
    while (hear(until, seen)) {
        if ((seen->flags & looked_at) == flags)
            return true;
    }
    line(what, "not heard");
    return false;
}

bool next_text(int ms, struct seen *seen)
{
    double until = window(ms);
    while (hear(until, seen)) {
        if (seen->text > 0)
            return true;
    }
    return false;
}

bool next_ack(int ms, struct seen *seen)
{
    double until = window(ms);
    while (hear(until, seen)) {
        if (seen->text == 0 && seen->flags == TH_ACK)
            return true;
    }
    return false;
}
