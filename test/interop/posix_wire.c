/* Listening on the wire. See posix_wire.h. */
#include "posix_wire.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

static int tap = -1;
static in_port_t only; /* our port, in network order; 0: any */

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

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Our next segment; false when none comes until then. */
static bool hear(double until, struct seen *seen)
{
    static uint8_t packet[1 << 16];
    for (double left; (left = until - now()) > 0;) {
        struct sockaddr_ll from;
        socklen_t len = sizeof from;
        struct pollfd p = {.fd = tap, .events = POLLIN};
        if (must("poll", poll(&p, 1, (int)(1000 * left) + 1)) == 0)
            continue;
        ssize_t n = recvfrom(tap, packet, sizeof packet, 0, (struct sockaddr *)&from, &len);
        if (n > 0 && from.sll_pkttype != PACKET_OUTGOING && parse(packet, (size_t)n, seen))
            return true;
    }
    return false;
}

bool next_segment(const char *what, uint8_t flags, struct seen *seen)
{
    const uint8_t looked_at = TH_SYN | TH_FIN | TH_RST | TH_PUSH | (flags & TH_SYN ? TH_ACK : 0);
    double until = now() + 10;
    while (hear(until, seen)) {
        if ((seen->flags & looked_at) == flags)
            return true;
    }
    line(what, "not heard");
    return false;
}

bool next_text(int ms, struct seen *seen)
{
    double until = now() + ms / 1e3;
    while (hear(until, seen)) {
        if (seen->text > 0)
            return true;
    }
    return false;
}

bool next_ack(int ms, struct seen *seen)
{
    double until = now() + ms / 1e3;
    while (hear(until, seen)) {
        if (seen->text == 0 && seen->flags == TH_ACK)
            return true;
    }
    return false;
}
