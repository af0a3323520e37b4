/* See ladder.h. */
#include "ladder.h"

#include "tcp.h"

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
    if (f->too_big) {
        snprintf(buf, size, "too big for an MTU of %u", f->too_big);
        return;
    }
    const struct conn *c = f->conn;
    const struct wire_end *me = &c->end[f->side].wire, *peer = &c->end[1 - f->side].wire;
    const struct seg *s = &f->seg;
    char flags[TCP_FLAGS_TEXT_MAX], mss[16] = "";
    uint32_t at = s->seq.v - me->iss.v, ack = s->ack.v - peer->iss.v;
    if (s->opts.has_mss)
        snprintf(mss, sizeof mss, " mss %u", s->opts.mss);
    snprintf(buf, size, "%s %u:%u ack %u win %u%s", tcp_flags_text(s->flags, flags), at,
             at + seg_len(s), s->flags & TCP_ACK ? ack : 0, s->wnd, mss);
}

void ladder_begin(const struct world *w, uint64_t seed)
{
    printf("seed %llu: IPv%d, %u hosts, %u connections, faults end at %.3f s\n",
           (unsigned long long)seed, w->plan.v6 ? 6 : 4, w->plan.n_hosts, w->plan.n_conns,
           (double)w->plan.calm_ns / 1e9);
    for (uint32_t i = 0; i < w->plan.n_conns; i++) {
        const struct conn_plan *c = &w->plan.conn[i];
        printf("  #%u: host %u to host %u, kind %d, writes %llu and %llu, finish %d and %d\n", i,
               c->host[0], c->host[1], (int)c->kind, (unsigned long long)c->end[0].to_write,
               (unsigned long long)c->end[1].to_write, (int)c->end[0].finish,
               (int)c->end[1].finish);
    }
    for (uint32_t i = 0; i < w->plan.n_hosts; i++) {
        const struct host_plan *h = &w->plan.host[i];
        printf(
            "  host %u: MTU %u, super %u, rcvbuf %u..%u, sndbuf %u, refuses %u ppm, clock %llu\n",
            i, h->caps.mtu, h->caps.super_max, h->tcp.rcvbuf, h->tcp.rcvbuf_max, h->tcp.sndbuf,
            h->refuse_ppm, (unsigned long long)h->clock_ns);
    }
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
    uint8_t side = 0;
    const struct conn *c = point->flow ? world_find(h->world, point->flow, &side) : NULL;
    if (point->kind == TRACE_SENT || point->kind == TRACE_RECEIVED)
        return;
    print_time(h->world, c);
    printf("%*s", side == 0 ? 4 : WIDTH + 10, "");
    if (point->kind == TRACE_STATE)
        printf("(%s -> %s: %s)\n", point->from, point->to, point->text ? point->text : "");
    else if (point->kind == TRACE_RETRANSMIT)
        printf("(again, %u octets: %s)\n", point->len, point->text);
    else
        printf("(%s: %s)\n", point->kind == TRACE_DROPPED ? "dropped" : "event",
               point->text ? point->text : "");
}
