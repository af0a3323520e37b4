/* See ladder.h. */
#include "ladder.h"

#include <stdarg.h>

#include "tcp.h"
#include "who.h"

#define WIDTH 54

static void print_time(const struct world *w, const struct conn *c)
{
    printf("%5llu.%09llu ", (unsigned long long)(w->now_ns / 1000000000),
           (unsigned long long)(w->now_ns % 1000000000));
    if (c)
        printf("#%u ", c->index);
    else
        printf("   ");
}

/* "PSH|ACK 1:1461 ack 1 win 65535", relative to the initial sequence numbers. */
static void describe(const struct frame *f, char *buf, size_t size)
{
    if (f->icmp == ICMP_SAYS_UNREACHABLE) {
        snprintf(buf, size, "unreachable");
        return;
    }
    if (f->icmp == ICMP_SAYS_TOO_BIG) {
        snprintf(buf, size, "too big for an MTU of %u", f->mtu);
        return;
    }
    const struct conn *c = f->conn;
    const struct wire_end *me = &c->end[f->side].wire, *peer = &c->end[1 - f->side].wire;
    const struct seg *s = &f->seg;
    char flags[TCP_FLAGS_TEXT_MAX], mss[16] = "", sack[128] = "";
    uint32_t at = s->seq.v - me->iss.v, ack = s->ack.v - peer->iss.v;
    if (s->opts.has_mss)
        snprintf(mss, sizeof mss, " mss %u", s->opts.mss);
    for (unsigned i = 0; i < s->opts.n_sack; i++) {
        size_t len = strlen(sack);
        snprintf(sack + len, sizeof sack - len, " sack %u:%u", s->opts.sack[i].left.v - peer->iss.v,
                 s->opts.sack[i].right.v - peer->iss.v);
    }
    snprintf(buf, size, "%s %u:%u ack %u win %u%s%s", tcp_flags_text(s->flags, flags), at,
             at + seg_len(s), s->flags & TCP_ACK ? ack : 0, s->wnd, mss, sack);
}

static void print_link(const struct link *l)
{
    const struct link_plan *p = l->plan;
    printf("  node %u to %u: %.3f ms, lost %u ppm, in bursts %u of %u..%u ppm, twice %u, late %u, "
           "broken %u, short %u",
           l->from, l->to, (double)p->delay_ns / 1e6, p->loss_ppm, p->burst.loss_ppm,
           p->burst.begin_ppm, p->burst.end_ppm, p->dup_ppm, p->reorder_ppm, p->corrupt_ppm,
           p->shorten_ppm);
    if (p->rate)
        printf(", %llu octets/s, queue %.3f ms", (unsigned long long)p->rate,
               (double)p->queue_ns / 1e6);
    for (uint32_t i = 0; i < p->n_mtu; i++)
        printf(", MTU %u from %.3f s%s", p->mtu[i].mtu, (double)p->mtu[i].from_ns / 1e9,
               p->mtu_silent ? ", silently" : "");
    printf("\n");
}

static void print_conn(const struct conn_plan *c, uint32_t i)
{
    printf("  #%u: host %u to host %u, kind %d%s, writes %llu and %llu, finish %d and %d\n", i,
           c->host[0], c->host[1], (int)c->kind, c->again ? " again" : "",
           (unsigned long long)c->end[0].to_write, (unsigned long long)c->end[1].to_write,
           (int)c->end[0].finish, (int)c->end[1].finish);
}

static void print_host(const struct host *h)
{
    const struct host_plan *p = h->plan;
    printf("  host %u: MTU %u, super %u, rcvbuf %u..%u, sndbuf %u, refuses %u ppm, memory %u, "
           "sockets %u, clock %llu\n",
           h->index, p->caps.mtu, p->caps.super_max, p->tcp.rcvbuf, p->tcp.rcvbuf_max,
           p->tcp.sndbuf, p->refuse_ppm, p->mem_limit, p->max_socks,
           (unsigned long long)h->clock_ns);
    for (uint32_t i = 0; i < p->n_crashes; i++)
        printf("    crashes at %.3f s for %.3f s\n", (double)p->crash[i].at_ns / 1e9,
               (double)p->crash[i].down_ns / 1e9);
}

void ladder_begin(const struct world *w, uint64_t seed)
{
    printf("seed %llu: IPv%d, %u hosts, %u routers, %u connections, faults end at %.3f s\n",
           (unsigned long long)seed, w->plan.v6 ? 6 : 4, w->plan.n_hosts,
           w->plan.n_nodes - w->plan.n_hosts, w->plan.n_conns, (double)w->plan.calm_ns / 1e9 + 1);
    for (uint32_t i = 0; i < w->plan.n_conns; i++)
        print_conn(&w->plan.conn[i], i);
    for (uint32_t i = 0; i < w->plan.n_hosts; i++)
        print_host(&w->host[i]);
    for (uint32_t i = 0; i < w->net.n_links; i++)
        print_link(&w->net.link[i]);
    for (uint32_t i = 0; i < w->plan.n_cuts; i++) {
        const struct cut *c = &w->plan.cut[i];
        printf("  nodes %x and %x cut off from %.3f to %.3f s, %s, down %.3f s, up %.3f s\n",
               c->from, c->to, (double)c->from_ns / 1e9, (double)c->to_ns / 1e9,
               c->both ? "both ways" : "one way", (double)c->down_ns / 1e9, (double)c->up_ns / 1e9);
    }
}

void ladder_note(const struct world *w, const char *format, ...)
{
    va_list ap;
    print_time(w, NULL);
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    putchar('\n');
}

void ladder_sent(void *ctx, const struct frame *f, const char *fate, uint64_t at_ns)
{
    const struct world *w = ctx;
    char text[128];
    describe(f, text, sizeof text);
    print_time(w, f->conn);
    if (f->side == 0)
        printf("%-*s --->", WIDTH, text);
    else
        printf("%*s <--- %-*s", WIDTH, "", WIDTH, text);
    if (at_ns)
        printf(" %s\n", fate);
    else
        printf(" X %s\n", fate);
}

void ladder_arrives(const struct host *h, const struct frame *f)
{
    char text[128];
    describe(f, text, sizeof text);
    print_time(h->world, f->conn);
    if (f->side == 0)
        printf("%*s ---> %s%s\n", WIDTH, "", text,
               f->corrupt  ? " (corrupt)"
               : f->forged ? " (forged)"
                           : "");
    else
        printf("%-*s <---%s\n", WIDTH, text,
               f->corrupt  ? " (corrupt)"
               : f->forged ? " (forged)"
                           : "");
}

void ladder_point(const struct host *h, const struct trace_point *point)
{
    if (point->kind == TRACE_SENT || point->kind == TRACE_RECEIVED)
        return;
    const struct end *e = who_has_id(h, point->sock_id);
    if (!e && point->flow)
        e = who_has_flow(h->world, point->flow);
    print_time(h->world, e ? e->conn : NULL);
    printf("%*s", !e || e->side == 0 ? 4 : WIDTH + 10, "");
    if (point->kind == TRACE_STATE)
        printf("(%s -> %s: %s)\n", point->from, point->to, point->text ? point->text : "");
    else if (point->kind == TRACE_RETRANSMIT)
        printf("(again, %u octets: %s)\n", point->len, point->text);
    else
        printf("(%s: %s)\n", point->kind == TRACE_DROPPED ? "dropped" : "event",
               point->text ? point->text : "");
}
