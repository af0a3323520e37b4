/*
 * The two ends of lwIP, whose state is one for all: two network interfaces, each bound to the other
 * by a queue. Its raw API, from one thread and without its own, as in a system without threads: the
 * least that it can cost. What an interface sends it has to copy, as lwIP's loopback does: the
 * original stays in a list of segments to be sent again.
 */
#include <errno.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>

#include "engine.h"

#define PORT  40000
#define QUEUE 4096

static struct side {
    struct netif netif;
    struct tcp_pcb *pcb;
    struct pbuf *arrived; /* text to be read: a chain, and how much of it is read */
    uint16_t skip;
    struct pbuf *queue[QUEUE]; /* packets to this end, of which it has got `taken` */
    unsigned queued, taken;
} sides[2];

static void must(err_t err, const char *what)
{
    if (err != ERR_OK) {
        errno = err_to_errno(err);
        die(what);
    }
}

static err_t output(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
    struct side *peer = netif->state;
    struct pbuf *copy = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
    (void)to;
    if (!copy || peer->queued - peer->taken == QUEUE)
        return ERR_MEM;
    peer->queue[peer->queued++ % QUEUE] = copy;
    return ERR_OK;
}

static err_t add_interface(struct netif *netif)
{
    netif->output = output;
    netif->mtu = ENGINE_SEGMENT + 40;
    return ERR_OK;
}

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct side *s = arg;
    (void)pcb;
    must(err, "recv");
    if (!p) {
        errno = ECONNRESET;
        die("recv");
    }
    if (s->arrived)
        pbuf_cat(s->arrived, p);
    else
        s->arrived = p;
    return ERR_OK;
}

static void use(struct side *s, struct tcp_pcb *pcb)
{
    s->pcb = pcb;
    tcp_arg(pcb, s);
    tcp_recv(pcb, received);
    tcp_nagle_disable(pcb);
}

static err_t accepted(void *arg, struct tcp_pcb *pcb, err_t err)
{
    must(err, "accept");
    use(arg, pcb);
    return ERR_OK;
}

static err_t connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    (void)pcb;
    return err;
}

static struct tcp_pcb *bound(struct side *s)
{
    struct tcp_pcb *pcb = tcp_new();
    if (!pcb)
        die("tcp_new");
    must(tcp_bind(pcb, &s->netif.ip_addr, PORT), "tcp_bind");
    tcp_bind_netif(pcb, &s->netif);
    return pcb;
}

void engine_open(void)
{
    lwip_init();
    for (unsigned i = 0; i < 2; i++) {
        ip4_addr_t addr, mask, none = {0};
        IP4_ADDR(&addr, 10, 9, 0, i + 1);
        IP4_ADDR(&mask, 255, 255, 255, 0);
        netif_add(&sides[i].netif, &addr, &mask, &none, &sides[1 - i], add_interface, netif_input);
        netif_set_link_up(&sides[i].netif);
        netif_set_up(&sides[i].netif);
    }
    struct tcp_pcb *listener = tcp_listen(bound(&sides[1])), *pcb = bound(&sides[0]);
    tcp_arg(listener, &sides[1]);
    tcp_accept(listener, accepted);
    use(&sides[0], pcb);
    must(tcp_connect(pcb, &sides[1].netif.ip_addr, PORT, connected), "tcp_connect");
    for (int i = 0; i < 3; i++)
        engine_move(i % 2);
    if (!sides[1].pcb) {
        errno = EPROTO;
        die("lwIP has not connected");
    }
}

void engine_close(void)
{
    for (int i = 0; i < 2; i++)
        tcp_abort(sides[i].pcb);
}

size_t engine_send(int end, const void *data, size_t len)
{
    struct tcp_pcb *pcb = sides[end].pcb;
    size_t room = tcp_sndbuf(pcb), n = len < room ? len : room;
    err_t err = n > 0 ? tcp_write(pcb, data, (u16_t)n, TCP_WRITE_FLAG_COPY) : ERR_MEM;
    if (err == ERR_MEM)
        return 0;
    must(err, "tcp_write");
    must(tcp_output(pcb), "tcp_output");
    return n;
}

size_t engine_recv(int end, void *buf, size_t len)
{
    struct side *s = &sides[end];
    size_t done = 0;
    while (s->arrived && done < len) {
        struct pbuf *p = s->arrived;
        size_t left = p->len - s->skip, n = left < len - done ? left : len - done;
        pbuf_copy_partial(p, (char *)buf + done, (u16_t)n, s->skip);
        done += n;
        s->skip = (uint16_t)(s->skip + n);
        if (s->skip == p->len) {
            s->arrived = p->next;
            s->skip = 0;
            if (p->next)
                pbuf_ref(p->next);
            pbuf_free(p);
        }
    }
    for (size_t told = 0; told < done;) {
        u16_t n = (u16_t)(done - told < UINT16_MAX ? done - told : UINT16_MAX);
        tcp_recved(s->pcb, n);
        told += n;
    }
    return done;
}

void engine_move(int end)
{
    struct side *s = &sides[!end];
    for (unsigned n = s->queued; s->taken != n;)
        must(s->netif.input(s->queue[s->taken++ % QUEUE], &s->netif), "netif_input");
    sys_check_timeouts();
}
