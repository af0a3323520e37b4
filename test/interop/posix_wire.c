/* Listening on the wire. See posix_wire.h. */
#include "posix_wire.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

static int tap = -1;

void stop_listening(void)
{
    if (tap >= 0)
        close(tap);
    tap = -1;
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

static bool parse(const uint8_t *packet, size_t len, struct seen *out)
{
    struct iphdr v4;
    struct ip6_hdr v6;
    struct tcphdr tcp;
    size_t at;
    if (len >= sizeof v4 && packet[0] >> 4 == 4) {
        memcpy(&v4, packet, sizeof v4);
        at = v4.ihl * 4u;
        *out = (struct seen){.tos = v4.tos, .ttl = v4.ttl, .dst = v4.daddr};
        if (v4.protocol != IPPROTO_TCP || v4.saddr != inet_addr(us.ip) || len < at)
            return false;
        out->options_len = at - sizeof v4;
        memcpy(out->options, packet + sizeof v4, out->options_len);
    } else if (len >= sizeof v6 && packet[0] >> 4 == 6) {
        memcpy(&v6, packet, sizeof v6);
        at = sizeof v6;
        *out = (struct seen){.tos = ntohl(v6.ip6_flow) >> 20 & 0xff, .ttl = v6.ip6_hlim};
        if (v6.ip6_nxt != IPPROTO_TCP)
            return false;
    } else {
        return false;
    }
    if (len < at + sizeof tcp)
        return false;
    memcpy(&tcp, packet + at, sizeof tcp);
    out->flags = tcp.th_flags;
    out->quote_len = at + 8 < QUOTE_MAX ? at + 8 : QUOTE_MAX;
    memcpy(out->quote, packet, out->quote_len);
    return true;
}

bool next_segment(const char *what, uint8_t flags, struct seen *seen)
{
    const uint8_t looked_at = TH_SYN | TH_FIN | TH_RST | TH_PUSH | (flags & TH_SYN ? TH_ACK : 0);
    for (;;) {
        static uint8_t packet[1 << 16];
        struct sockaddr_ll from;
        socklen_t len = sizeof from;
        struct pollfd p = {.fd = tap, .events = POLLIN};
        if (must("poll", poll(&p, 1, 10000)) == 0) {
            line(what, "not heard");
            return false;
        }
        ssize_t n = recvfrom(tap, packet, sizeof packet, 0, (struct sockaddr *)&from, &len);
        if (n > 0 && from.sll_pkttype != PACKET_OUTGOING && parse(packet, (size_t)n, seen) &&
            (seen->flags & looked_at) == flags)
            return true;
    }
}
