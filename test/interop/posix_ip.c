/* What our sockets have IP do, seen on the wire: Diffserv and TTL, IPv4's options. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "posix_wire.h"

/* Waits for our next segment that has these flags, and prints a line for it. */
static void heard(const char *what, uint8_t flags)
{
    struct seen seen;
    if (next_segment(what, flags, &seen))
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
        listen_to(sock);
        heard(hosts[i], TH_SYN);
        must("close", THEM(close, must("accept", THEM(accept4, listener, NULL, NULL, 0))));
        must("close", US(close, sock));
        heard("FIN", TH_FIN);
    }
    must("close", THEM(close, listener));
}

/* ---- IPv4's options ---- */

static const struct {
    const char *name;
    socklen_t len;
    uint8_t octets[41];
} lists[] = {
    {"loose source route", 7, {131, 7, 4, 10, 0, 0, 254}},
    {"none", 0, {0}},
    {"strict source route", 8, {1, 137, 7, 4, 10, 0, 0, 254}},
    {"two hops", 11, {131, 11, 4, 10, 0, 0, 254, 10, 0, 1, 254}},
    {"Record Route", 11, {7, 11, 4}},
    {"Timestamp", 12, {68, 12, 5, 0}},
    {"Timestamp with addresses", 12, {68, 12, 5, 1}},
    {"prespecified", 12, {68, 12, 5, 3, 10, 0, 0, 1}},
    {"prespecified, others", 12, {68, 12, 5, 3, 10, 0, 0, 254}},
    {"route and record", 18, {131, 7, 4, 10, 0, 0, 254, 7, 11, 4}},
    {"Router Alert", 4, {148, 4, 0, 0}},
    {"an unknown one", 5, {0x9e, 5, 1, 2, 3}},
    {"a NOP", 1, {1}},
    {"40 octets", 40, {1}},
    {"41 octets", 41, {1}},
    {"the end, and more", 4, {1, 0, 3, 4}},
    {"cut", 6, {131, 7, 4, 10, 0, 0}},
    {"length 1", 4, {131, 1, 4, 0}},
    {"no hop", 3, {131, 3, 4}},
    {"half an address", 9, {131, 9, 4, 10, 0, 0, 254, 10, 0}},
    {"pointer 8", 7, {131, 7, 8, 10, 0, 0, 254}},
    {"two routes", 14, {131, 7, 4, 10, 0, 0, 254, 137, 7, 4, 10, 0, 0, 254}},
    {"full", 7, {7, 7, 8}},
    {"pointer 3", 7, {7, 7, 3}},
    {"pointer 5", 7, {7, 7, 5}},
    {"two records", 14, {7, 7, 4, 0, 0, 0, 0, 7, 7, 4}},
    {"Timestamp, full", 12, {68, 12, 13, 0xe0}},
    {"Timestamp, overflown", 12, {68, 12, 13, 0xf0}},
    {"Timestamp, pointer 4", 12, {68, 12, 4, 0}},
    {"Timestamp, no room", 8, {68, 8, 5, 1}},
    {"Timestamp, other flags", 12, {68, 12, 5, 7}},
    {"two Timestamps", 16, {68, 8, 5, 0, 0, 0, 0, 0, 68, 8, 5, 0}},
};

#define N_LISTS (sizeof lists / sizeof *lists)

static int set_options(int sock, size_t i)
{
    return US(setsockopt, sock, IPPROTO_IP, IP_OPTIONS, lists[i].octets, lists[i].len);
}

static void put_hex(char *to, const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to += sprintf(to, " %02x", octets[i]);
    *to = '\0';
}

static void read_back(const char *what, int sock)
{
    uint8_t octets[40] = {0};
    char text[160];
    socklen_t len = sizeof octets;
    errno = 0;
    int err = US(getsockopt, sock, IPPROTO_IP, IP_OPTIONS, octets, &len);
    put_hex(text, octets, len);
    line(what, "%s, %u octets:%s", result_text(err), len, text);
}

static void options_set(int sock)
{
    for (size_t i = 0; i < N_LISTS; i++) {
        RESULT(lists[i].name, set_options(sock, i));
        read_back("read back", sock);
    }
    must("IP_OPTIONS", set_options(sock, 0));
    for (socklen_t room = 0; room < 12; room += 5) {
        uint8_t octets[40] = {0};
        socklen_t len = room;
        RESULT("read", US(getsockopt, sock, IPPROTO_IP, IP_OPTIONS, octets, &len));
        line("of so many", "%u", len);
    }
}

/* A time is what the sender's clock says. */
static void hide_times(struct seen *s)
{
    uint8_t *o = s->options;
    if (s->options_len >= 12 && o[0] == 68)
        memset(o + (o[3] & 15 ? 8 : 4), 0, 4);
}

static void heard_options(const char *what, uint8_t flags)
{
    struct seen seen;
    char text[160], to[INET_ADDRSTRLEN];
    if (!next_segment(what, flags, &seen))
        return;
    hide_times(&seen);
    put_hex(text, seen.options, seen.options_len);
    line(what, "to %s,%s", inet_ntop(AF_INET, &seen.dst, to, sizeof to), text);
}

/* What is left for text, as TCP_MAXSEG has it: less than without options by how much. */
static void mss_line(const char *what, int sock)
{
    static int without;
    if (!without) {
        struct joined j = join();
        without = must("TCP_MAXSEG", get_int(j.ours, IPPROTO_TCP, TCP_MAXSEG));
        part(j);
    }
    line(what, "%d less", without - must("TCP_MAXSEG", get_int(sock, IPPROTO_TCP, TCP_MAXSEG)));
}

/* Those lists that are taken, on SYN, text and RST. */
static void options_sent(void)
{
    uint16_t port;
    int listener = their_listener(&port, 4);
    struct sockaddr_in to = addr_of(them.ip, port);
    for (size_t i = 0; i < 14; i++) {
        int sock = our_socket();
        must(lists[i].name, set_options(sock, i));
        listen_in();
        RESULT(lists[i].name, US(connect, sock, SA(to)));
        heard_options("SYN", TH_SYN);
        read_back("read back", sock);
        mss_line("TCP_MAXSEG", sock);
        int theirs = must("accept", THEM(accept4, listener, NULL, NULL, 0));
        must("send", US(send, sock, "x", 1, 0));
        heard_options("text", TH_PUSH);
        must("IP_OPTIONS", set_options(sock, i > 0 ? 0 : 1));
        mss_line("TCP_MAXSEG after a change", sock);
        must("send", US(send, sock, "x", 1, 0));
        heard_options("text after a change", TH_PUSH);
        linger_of(&us, sock, 1, 0);
        must("close", US(close, sock));
        heard_options("RST after a change", TH_RST);
        must("close", THEM(close, theirs));
    }
    must("close", THEM(close, listener));
}

/* Much text, in packets as long as they may be. */
static void options_with_much_text(void)
{
    static char octets[1 << 16];
    const size_t much = 4 << 20;
    uint16_t port;
    int listener = their_listener(&port, 4);
    struct sockaddr_in to = addr_of(them.ip, port);
    struct joined j = {.ours = our_socket()};
    RESULT(lists[2].name, set_options(j.ours, 2));
    must("connect", US(connect, j.ours, SA(to)));
    j.theirs = must("accept", THEM(accept4, listener, NULL, NULL, 0));
    size_t sent = 0, read = 0;
    for (bool going = true; going && read < much;) {
        size_t rest = much - sent, piece = rest < sizeof octets ? rest : sizeof octets;
        struct pollfd ours = {.fd = j.ours, .events = rest > 0 ? POLLOUT : 0};
        struct pollfd theirs = {.fd = j.theirs, .events = POLLIN};
        if (must("poll", US(poll, &ours, 1, 0)) > 0)
            sent += (size_t)must("send", US(send, j.ours, octets, piece, MSG_DONTWAIT));
        going = must("poll", THEM(poll, &theirs, 1, sent < much ? 0 : 10000)) > 0 || sent < much;
        if (theirs.revents)
            read += (size_t)must("recv", THEM(recv, j.theirs, octets, sizeof octets, 0));
    }
    line("octets", "%s", read == much ? "all of them" : "too few");
    part(j);
    must("close", THEM(close, listener));
}

/* A source route that has arrived is used for the way back; a listener's own is not. */
static void options_accepted(void)
{
    static const uint8_t by_routers[2][11] = {{131, 11, 4, 10, 0, 1, 254, 10, 0, 0, 254},
                                              {137, 7, 4, 10, 0, 1, 254}};
    uint16_t port;
    int listener = our_listener(&port, 4);
    must("IP_OPTIONS", set_options(listener, 4));
    read_back("listener's", listener);
    struct sockaddr_in to = addr_of(us.ip, port);
    for (size_t i = 0; i < 3; i++) {
        int theirs = their_socket();
        enter(&them);
        if (i < 2)
            must("IP_OPTIONS",
                 THEM(setsockopt, theirs, IPPROTO_IP, IP_OPTIONS, by_routers[i], by_routers[i][1]));
        listen_in();
        enter(&them);
        RESULT("connect", THEM(connect, theirs, SA(to)));
        enter(&us);
        heard_options("SYN-ACK", TH_SYN | TH_ACK);
        await(&us, listener, POLLIN);
        int sock = must("accept", US(accept4, listener, NULL, NULL, 0));
        listen_to(sock);
        read_back("accepted", sock);
        mss_line("TCP_MAXSEG", sock);
        must("send", US(send, sock, "x", 1, 0));
        heard_options("text", TH_PUSH);
        RESULT("IP_OPTIONS", set_options(sock, 4));
        must("send", US(send, sock, "x", 1, 0));
        heard_options("text after a change", TH_PUSH);
        RESULT("none", set_options(sock, 1));
        read_back("read back", sock);
        must("close", US(close, sock));
        heard_options("FIN after a change", TH_FIN);
        must("close", THEM(close, theirs));
    }
    must("close", US(close, listener));
}

/* In the namespace we are in. */
static void accept_source_route(const char *device)
{
    const char *names[] = {"all", device};
    for (size_t i = 0; i < 2; i++) {
        char path[80];
        snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/accept_source_route", names[i]);
        FILE *f = fopen(path, "w");
        must(path, f && fputs("1", f) >= 0 && fclose(f) == 0 ? 0 : -1);
    }
}

static void ip_options(void)
{
    enter_router();
    accept_source_route("router-veth1");
    accept_source_route("router-veth2");
    enter(&them);
    accept_source_route("host2-veth1");
    enter(&us);
    accept_source_route("host1-veth1");
    scenario("IP_OPTIONS");
    int sock = our_socket();
    options_set(sock);
    must("close", US(close, sock));
    scenario("IP_OPTIONS sent");
    options_sent();
    options_with_much_text();
    scenario("IP_OPTIONS accepted");
    options_accepted();
}

void ip(void)
{
    scenario("Diffserv and TTL");
    diffserv_active();
    diffserv_passive();
    diffserv_v6();
    ip_options();
    stop_listening();
}
