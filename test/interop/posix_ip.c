/* What our sockets have IP do, seen on the wire: Diffserv and TTL. */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "posix.h"

/* ---- The wire between host1 and the router ---- */

static int tap = -1;

/* Packets are heard from now on. */
static void listen_in(void)
{
    if (tap >= 0)
        close(tap);
    enter_router();
    tap = must("tap", socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL)));
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ALL),
                             .sll_ifindex = (int)if_nametoindex("router-veth1")};
    must("bind", bind(tap, SA(at)));
    enter(&us);
}

/* A segment of ours. */
struct seen {
    unsigned tos, ttl;
    uint8_t flags;
};

static bool parse(const uint8_t *packet, size_t len, struct seen *out)
{
    struct iphdr v4;
    struct ip6_hdr v6;
    struct tcphdr tcp;
    size_t at;
    if (len >= sizeof v4 && packet[0] >> 4 == 4) {
        memcpy(&v4, packet, sizeof v4);
        at = v4.ihl * 4u;
        *out = (struct seen){.tos = v4.tos, .ttl = v4.ttl};
        if (v4.protocol != IPPROTO_TCP || v4.saddr != inet_addr(us.ip))
            return false;
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
    return true;
}

/* Waits for our next segment that has these flags, whatever its ACK is, and prints a line. */
static void heard(const char *what, uint8_t flags)
{
    const uint8_t looked_at = TH_SYN | TH_FIN | TH_RST | TH_PUSH | (flags & TH_SYN ? TH_ACK : 0);
    struct seen seen;
    for (;;) {
        static uint8_t packet[1 << 16];
        struct sockaddr_ll from;
        socklen_t len = sizeof from;
        struct pollfd p = {.fd = tap, .events = POLLIN};
        if (must("poll", poll(&p, 1, 10000)) == 0) {
            line(what, "not heard");
            return;
        }
        ssize_t n = recvfrom(tap, packet, sizeof packet, 0, (struct sockaddr *)&from, &len);
        if (n > 0 && from.sll_pkttype != PACKET_OUTGOING && parse(packet, (size_t)n, &seen) &&
            (seen.flags & looked_at) == flags)
            break;
    }
    line(what, "tos %#x, ttl %u", seen.tos, seen.ttl);
}

/* ---- Diffserv and TTL ---- */

static void diffserv_active(void)
{
    uint16_t port;
    int listener = their_listener(&port, 4), sock = our_socket();
    struct sockaddr_in to = addr_of(them.ip, port);
    RESULT("IP_TOS", set_int(sock, IPPROTO_IP, IP_TOS, 0xbb));
    RESULT("IP_TTL", set_int(sock, IPPROTO_IP, IP_TTL, 200));
    listen_in();
    must("connect", US(connect, sock, SA(to)));
    heard("SYN", TH_SYN);
    int theirs = must("accept", THEM(accept4, listener, NULL, NULL, 0));
    must("send", US(send, sock, "x", 1, 0));
    heard("text", TH_PUSH);
    RESULT("IP_TOS", set_int(sock, IPPROTO_IP, IP_TOS, 0x28));
    RESULT("IP_TTL", set_int(sock, IPPROTO_IP, IP_TTL, 7));
    must("send", US(send, sock, "x", 1, 0));
    heard("text after a change", TH_PUSH);
    linger_of(&us, sock, 1, 0);
    must("close", US(close, sock));
    heard("RST", TH_RST);
    must("close", THEM(close, theirs));
    must("close", THEM(close, listener));
}

static void diffserv_passive(void)
{
    uint16_t port;
    int listener = our_listener(&port, 4);
    must("IP_TOS", set_int(listener, IPPROTO_IP, IP_TOS, 0xb8));
    must("IP_TTL", set_int(listener, IPPROTO_IP, IP_TTL, 200));
    listen_in();
    int theirs = must("connect", their_connect(us.ip, port));
    heard("SYN-ACK", TH_SYN | TH_ACK);
    await(&us, listener, POLLIN);
    int sock = must("accept", US(accept4, listener, NULL, NULL, 0));
    RESULT("accepted: IP_TOS", get_int(sock, IPPROTO_IP, IP_TOS));
    RESULT("accepted: IP_TTL", get_int(sock, IPPROTO_IP, IP_TTL));
    must("send", US(send, sock, "x", 1, 0));
    heard("text of the accepted", TH_PUSH);
    must("close", US(close, sock));
    heard("FIN", TH_FIN);
    must("close", THEM(close, theirs));
    must("close", US(close, listener));
}

/* From an IPv6 socket: to an IPv4 address by IPv4's options, to an IPv6 address by its own. */
static void diffserv_v6(void)
{
    static const char *const hosts[] = {"::ffff:10.0.1.1", "fd00:0:0:2::1"};
    uint16_t port = fresh_port();
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    enter(&them);
    int listener = must("socket", THEM(socket, AF_INET6, SOCK_STREAM, 0));
    must("bind", THEM(bind, listener, SA(at)));
    must("listen", THEM(listen, listener, 4));
    enter(&us);
    for (size_t i = 0; i < 2; i++) {
        int sock = must("socket", US(socket, AF_INET6, SOCK_STREAM, 0));
        must("address", inet_pton(AF_INET6, hosts[i], &at.sin6_addr) == 1 ? 0 : -1);
        must("IP_TOS", set_int(sock, IPPROTO_IP, IP_TOS, 0xb8));
        must("IP_TTL", set_int(sock, IPPROTO_IP, IP_TTL, 200));
        must("IPV6_TCLASS", set_int(sock, IPPROTO_IPV6, IPV6_TCLASS, 0x2b));
        must("IPV6_UNICAST_HOPS", set_int(sock, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 7));
        listen_in();
        must("connect", US(connect, sock, SA(at)));
        heard(hosts[i], TH_SYN);
        must("close", THEM(close, must("accept", THEM(accept4, listener, NULL, NULL, 0))));
        must("close", US(close, sock));
        heard("FIN", TH_FIN);
    }
    must("close", THEM(close, listener));
}

void ip(void)
{
    scenario("Diffserv and TTL");
    diffserv_active();
    diffserv_passive();
    diffserv_v6();
    close(tap);
}
