/* See lwip_wire.h. A system call for each frame in either direction: lwIP knows no batches. */
#include "lwip_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/timeouts.h>
#include <net/if.h>
#include <netif/ethernet.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tools.h"

#define QUEUE      (8 << 20) /* SO_RCVBUF, octets */
#define FRAME_MAX  65550
#define BATCH      64
#define PIECES_MAX 16

static struct netif netif;
static int fd = -1;

static err_t output(struct netif *n, struct pbuf *p)
{
    struct iovec iov[PIECES_MAX];
    struct msghdr msg = {.msg_iov = iov};
    (void)n;
    for (; p && msg.msg_iovlen < PIECES_MAX; p = p->next)
        iov[msg.msg_iovlen++] = (struct iovec){p->payload, p->len};
    return p || sendmsg(fd, &msg, 0) < 0 ? ERR_IF : ERR_OK;
}

static err_t add_device(struct netif *n)
{
    n->output = etharp_output;
    n->linkoutput = output;
    n->mtu = ETH_DATA_LEN;
    n->hwaddr_len = ETH_ALEN;
    n->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    return ERR_OK;
}

static struct in_addr gateway(void)
{
    char line[256];
    unsigned long to, via;
    struct in_addr found = {0};
    FILE *f = fopen("/proc/net/route", "r");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%*s %lx %lx", &to, &via) == 2 && to == 0)
            found.s_addr = (in_addr_t)via;
    }
    if (!f || !found.s_addr)
        die("/proc/net/route: no gateway");
    fclose(f);
    return found;
}

static void open_socket(unsigned device)
{
    const int on = 1, queue = QUEUE;
    const struct sockaddr_ll at = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)device};
    fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
        (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof queue) < 0 &&
         setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue) < 0) ||
        bind(fd, (const struct sockaddr *)&at, sizeof at) < 0)
        die("AF_PACKET");
}

void lwip_wire_open(void)
{
    struct ifaddrs *all;
    ip4_addr_t addr = {0}, mask = {0}, via = {gateway().s_addr};
    if (getifaddrs(&all) < 0)
        die("getifaddrs");
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_flags & IFF_LOOPBACK)
            continue;
        if (i->ifa_addr->sa_family == AF_INET) {
            addr.addr = ((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr.s_addr;
            mask.addr = ((struct sockaddr_in *)(void *)i->ifa_netmask)->sin_addr.s_addr;
        } else if (i->ifa_addr->sa_family == AF_PACKET) {
            const struct sockaddr_ll *ll = (struct sockaddr_ll *)(void *)i->ifa_addr;
            memcpy(netif.hwaddr, ll->sll_addr, ETH_ALEN);
            open_socket((unsigned)ll->sll_ifindex);
        }
    }
    freeifaddrs(all);
    addr.addr = htonl(ntohl(addr.addr) + 1);
    lwip_init();
    if (fd < 0 || !netif_add(&netif, &addr, &mask, &via, NULL, add_device, netif_input))
        die("no device");
    netif_set_default(&netif);
    netif_set_link_up(&netif);
    netif_set_up(&netif);
}

void lwip_wire_close(void)
{
    close(fd);
}

/* False when there is none. */
static bool take_frame(void)
{
    static char frame[FRAME_MAX];
    ssize_t len = recv(fd, frame, sizeof frame, MSG_DONTWAIT);
    if (len < 0) {
        if (errno != EAGAIN)
            die("recv");
        return false;
    }
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_RAM);
    if (!p || pbuf_take(p, frame, (u16_t)len) != ERR_OK || netif.input(p, &netif) != ERR_OK)
        die("a frame");
    return true;
}

bool lwip_wire_move(void)
{
    int taken = 0;
    while (taken < BATCH && take_frame())
        taken++;
    sys_check_timeouts();
    return taken > 0;
}

void lwip_wire_wait(void)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    poll(&readable, 1, 1);
}
