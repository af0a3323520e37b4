/*
 * The ceiling of the path: the frames and acknowledgements of one connection by AF_PACKET, with no
 * TCP behind them. 64 000 octets of text in a frame, from the caller's buffer; an acknowledgement
 * for every second frame; at most 512 KiB under way. Nothing is sent again: a frame that is lost
 * ends the measurement.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"
#include "guard.h"

#define FRAME_TEXT  64000
#define MSS         1448
#define WINDOW      (512u * 1024)
#define ACK_FRAMES  2
#define QUEUE       (8 << 20) /* SO_RCVBUF, octets */
#define PATIENCE_MS 2000

struct head {
    struct virtio_net_hdr vnet;
    struct ethhdr eth;
    struct iphdr ip;
    struct tcphdr tcp;
} __attribute__((packed));

struct raw {
    struct guard *guard;
    int fd;
    struct head out; /* of what is sent next */
};

static uint32_t sum_words(const void *p, size_t len)
{
    const uint16_t *w = p;
    uint32_t sum = 0;
    for (size_t i = 0; i < len / 2; i++)
        sum += w[i];
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* The device that has the address, into its name, and its Ethernet address. */
static int find_device(struct in_addr addr, struct ifreq *ifr)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0)
        die("getifaddrs");
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET &&
            ((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr.s_addr == addr.s_addr)
            strncpy(ifr->ifr_name, i->ifa_name, IFNAMSIZ - 1);
    }
    freeifaddrs(all);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, ifr) < 0)
        die("SIOCGIFHWADDR");
    close(fd);
    return (int)if_nametoindex(ifr->ifr_name);
}

static void open_raw(struct raw *r, struct in_addr local, uint16_t port)
{
    char err[256];
    const int on = 1, queue = QUEUE;
    struct in6_addr mapped = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    struct ifreq ifr = {0};
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    memcpy(mapped.s6_addr + 12, &local, 4);
    if (guard_create(&r->guard, err, sizeof err) < 0 ||
        guard_hold(r->guard, &mapped, ntohs(port), false) < 0)
        die("the port");
    at.sll_ifindex = find_device(local, &ifr);
    r->fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (r->fd < 0 || setsockopt(r->fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0 ||
        setsockopt(r->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
        (setsockopt(r->fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof queue) < 0 &&
         setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue) < 0) ||
        bind(r->fd, (const struct sockaddr *)&at, sizeof at) < 0)
        die("AF_PACKET");
    memcpy(r->out.eth.h_source, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
    r->out.eth.h_proto = htons(ETH_P_IP);
    r->out.ip = (struct iphdr){
        .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP, .saddr = local.s_addr};
    r->out.tcp.source = port;
    r->out.tcp.doff = sizeof r->out.tcp / 4;
    r->out.tcp.ack = 1;
}

static void close_raw(struct raw *r)
{
    close(r->fd);
    guard_destroy(r->guard);
}

/* seq, ack: counts of octets. */
static void send_frame(struct raw *r, uint64_t seq, uint64_t ack, const void *text, size_t len)
{
    struct head *h = &r->out;
    size_t l4 = sizeof h->tcp + len;
    h->vnet = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                      .csum_start = sizeof h->eth + sizeof h->ip,
                                      .csum_offset = offsetof(struct tcphdr, check)};
    if (len > MSS) {
        h->vnet.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
        h->vnet.gso_size = MSS;
        h->vnet.hdr_len = (uint16_t)(sizeof *h - sizeof h->vnet + len); /* in one piece */
    }
    h->ip.tot_len = htons((uint16_t)(sizeof h->ip + l4));
    h->ip.check = 0;
    h->ip.check = (uint16_t)~fold(sum_words(&h->ip, sizeof h->ip));
    h->tcp.seq = htonl((uint32_t)seq);
    h->tcp.ack_seq = htonl((uint32_t)ack);
    h->tcp.check = fold(sum_words(&h->ip.saddr, 8) + htons(IPPROTO_TCP) + htons((uint16_t)l4));
    struct iovec iov[] = {{h, sizeof *h}, {(void *)(uintptr_t)text, len}};
    const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    while (sendmsg(r->fd, &msg, 0) < 0) {
        if (errno != ENOBUFS && errno != EAGAIN)
            die("sendmsg");
    }
}

/* The next frame to our port: its head, and the octets of text, which are in buf. */
static size_t recv_frame(struct raw *r, struct head *h, void *buf, size_t len)
{
    for (;;) {
        struct pollfd p = {.fd = r->fd, .events = POLLIN};
        struct iovec iov[] = {{h, sizeof *h}, {buf, len}};
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
        ssize_t n = recvmsg(r->fd, &msg, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            if (poll(&p, 1, PATIENCE_MS) == 0) {
                errno = ETIMEDOUT;
                die("raw: a frame is lost");
            }
        } else if (n < 0) {
            die("recvmsg");
        } else if (n >= (ssize_t)sizeof *h && h->eth.h_proto == htons(ETH_P_IP) &&
                   h->ip.protocol == IPPROTO_TCP && h->tcp.dest == r->out.tcp.source) {
            return ntohs(h->ip.tot_len) - sizeof h->ip - sizeof h->tcp;
        }
    }
}

void raw_serve(struct bench *b)
{
    struct raw r = {0};
    struct head h;
    char *buf = must_alloc(FRAME_TEXT);
    uint64_t octets = 0;
    open_raw(&r, b->addr.sin_addr, b->addr.sin_port);
    say_listening();
    double cpu = cpu_s();
    for (unsigned frames = 1;; frames++) {
        octets += recv_frame(&r, &h, buf, FRAME_TEXT);
        memcpy(r.out.eth.h_dest, h.eth.h_source, ETH_ALEN);
        r.out.ip.daddr = h.ip.saddr;
        r.out.tcp.dest = h.tcp.source;
        if (h.tcp.fin || frames % ACK_FRAMES == 0)
            send_frame(&r, 0, octets, NULL, 0);
        if (h.tcp.fin)
            break;
    }
    printf("{\"octets\": %llu, \"cpu_s\": %.4f}\n", (unsigned long long)octets, cpu_s() - cpu);
    close_raw(&r);
    free(buf);
}

/* The Ethernet address of the only neighbour, once the kernel has found it for a datagram. Our own
 * address for it is in *local. */
static void find_gateway(const struct bench *b, struct in_addr *local, unsigned char *mac)
{
    struct sockaddr_in us;
    socklen_t len = sizeof us;
    char line[256];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&b->addr, sizeof b->addr) < 0 ||
        send(fd, "", 1, 0) < 0 || getsockname(fd, (struct sockaddr *)&us, &len) < 0)
        die("UDP");
    close(fd);
    *local = us.sin_addr;
    usleep(100000);
    FILE *f = fopen("/proc/net/arp", "r");
    bool found = false;
    while (f && fgets(line, sizeof line, f)) {
        found = found || sscanf(line, "%*s %*s 0x2 %hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1,
                                mac + 2, mac + 3, mac + 4, mac + 5) == 6;
    }
    if (!f || !found)
        die("/proc/net/arp: no neighbour");
    fclose(f);
}

void raw_ask(struct bench *b)
{
    struct raw r = {0};
    struct head h;
    struct in_addr local;
    unsigned char mac[ETH_ALEN];
    char *text = must_alloc(BULK_CALL);
    uint64_t sent = 0, acked = 0;
    find_gateway(b, &local, mac);
    open_raw(&r, local, b->addr.sin_port);
    memcpy(r.out.eth.h_dest, mac, ETH_ALEN);
    r.out.ip.daddr = b->addr.sin_addr.s_addr;
    r.out.tcp.dest = b->addr.sin_port;
    double cpu = cpu_s();
    uint64_t begun = now_ns(), until = begun + (uint64_t)(b->amount * 1e9);
    while (now_ns() < until) {
        for (; sent - acked + FRAME_TEXT <= WINDOW; sent += FRAME_TEXT)
            send_frame(&r, sent, 0, text + sent % (BULK_CALL - FRAME_TEXT), FRAME_TEXT);
        recv_frame(&r, &h, NULL, 0);
        acked += (uint32_t)(ntohl(h.tcp.ack_seq) - (uint32_t)acked);
    }
    r.out.tcp.fin = 1;
    send_frame(&r, sent, 0, NULL, 0);
    while (acked < sent) {
        recv_frame(&r, &h, NULL, 0);
        acked += (uint32_t)(ntohl(h.tcp.ack_seq) - (uint32_t)acked);
    }
    printf("{\"octets\": %llu, \"seconds\": %.6f, \"cpu_s\": %.4f}\n", (unsigned long long)sent,
           (double)(now_ns() - begun) / 1e9, cpu_s() - cpu);
    close_raw(&r);
    free(text);
}
