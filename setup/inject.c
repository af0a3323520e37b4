/* inject.c - raw sockets of both families; see raw(7), ipv6(7). None of them ever receives. */
#include "inject.h"

#include "icmp.h"
#include "say.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What an error may have of the packet: RFC 1812 4.3.2.3; RFC 4443 3.2. */
#define QUOTE4_MAX (576 - IP4_HDR_LEN - ICMP_HDR_LEN)
#define QUOTE6_MAX (1280 - IP6_HDR_LEN - ICMP_HDR_LEN)

static int open_raw(int family, int protocol)
{
    struct sock_filter nothing = {.code = BPF_RET | BPF_K};
    const struct sock_fprog filter = {.len = 1, .filter = &nothing};
    int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

int inject_open(struct inject *in)
{
    *in = (struct inject){.icmp4 = open_raw(AF_INET, IPPROTO_ICMP),
                          .icmp6 = open_raw(AF_INET6, IPPROTO_ICMPV6),
                          .raw4 = open_raw(AF_INET, IPPROTO_RAW),
                          .raw6 = open_raw(AF_INET6, IPPROTO_RAW)};
    /* Any socket that wants them makes the kernel stamp all packets when they come (queue.h). */
    const int on = 1;
    setsockopt(in->raw4, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on));
    /* A kernel may be without IPv6. */
    if (in->icmp4 < 0 || in->raw4 < 0)
        return say_failed("raw sockets", strerror(errno), "impair: open");
    return 0;
}

void inject_close(struct inject *in)
{
    const int fds[] = {in->icmp4, in->icmp6, in->raw4, in->raw6};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* Sends by one of two sockets, by the family of the address. */
static void send_to(const struct ip_addr *to, int fd4, int fd6, const void *text, size_t len)
{
    struct sockaddr_in sin = {.sin_family = AF_INET};
    struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
    if (ip_addr_is_v4(to)) {
        memcpy(&sin.sin_addr, ip_addr_v4_of(to), sizeof(sin.sin_addr));
        sendto(fd4, text, len, 0, (const struct sockaddr *)&sin, sizeof(sin));
    } else {
        memcpy(&sin6.sin6_addr, to->b, sizeof(sin6.sin6_addr));
        sendto(fd6, text, len, 0, (const struct sockaddr *)&sin6, sizeof(sin6));
    }
}

void inject_copy(const struct inject *in, const uint8_t *packet, uint32_t len)
{
    struct reader r = reader(packet, len);
    struct ip_hdr h;
    enum ip_error err = ip_parse(&r, len, &h);
    if (err == IP_OK || err == IP_FRAGMENT)
        send_to(&h.dst, in->raw4, in->raw6, packet, len);
}

/* An ICMP message that is an error: types up to 127 in IPv6, some in IPv4. */
static bool is_error(const struct ip_hdr *h, struct reader r)
{
    uint8_t type = get_u8(&r);
    if (h->proto == IP_PROTO_ICMP6)
        return type < 128;
    return h->proto == IP_PROTO_ICMP && type != 0 && type != 8 && (type < 13 || type > 18);
}

void inject_too_long(const struct inject *in, const uint8_t *packet, uint32_t len, uint32_t mtu)
{
    struct reader r = reader(packet, len);
    struct ip_hdr h;
    enum ip_error err = ip_parse(&r, len, &h);
    bool whole = err == IP_OK || (err == IP_FRAGMENT && h.offset == 0);
    bool v4 = ip_addr_is_v4(&h.dst);
    if (!whole || (v4 && !h.df) || is_error(&h, r))
        return;
    uint8_t text[ICMP_HDR_LEN + QUOTE6_MAX];
    const uint32_t most = v4 ? QUOTE4_MAX : QUOTE6_MAX;
    struct icmp m = icmp_of_kind(ICMP_TOO_BIG, v4);
    struct writer w = writer(text, sizeof(text));
    icmp_set_mtu(&m, mtu, v4);
    m.body = (struct bytes){packet, len < most ? len : most};
    icmp_emit(&w, &h, &m); /* the kernel puts the right ICMPv6 checksum in */
    send_to(&h.src, in->icmp4, in->icmp6, text, sizeof(text) - w.len);
}
