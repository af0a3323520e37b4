/* Trace points as lines of text. See trace_text.h. */
#include "trace_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nstime.h"
#include "seg.h"
#include "tcp.h"
#include "write_whole.h"

#define LINE_MAX_LEN 512

struct line {
    char *at;
    size_t len, room;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(l->at + l->len, l->room - l->len, format, args);
    va_end(args);
    if (n > 0)
        l->len += (size_t)n < l->room - l->len ? (size_t)n : l->room - l->len - 1;
}

/* "tcp/output.c", whatever directory the compiler was called in. */
static const char *short_name(const char *file)
{
    const char *name = file;
    for (const char *p = file; (p = strstr(p, "lib/")) != NULL; p += 4)
        name = p + 4;
    return name;
}

static void add_end(struct line *l, const struct ip_addr *addr, uint16_t port)
{
    char text[IP_ADDR_TEXT_MAX];
    add(l, ip_addr_is_v4(addr) ? "%s:%u" : "[%s]:%u", ip_addr_text(addr, text), (unsigned)port);
}

static void add_seg(struct line *l, const struct trace_point *p)
{
    bool sent = p->kind == TRACE_SENT;
    if (p->flow) {
        const struct flow *f = p->flow;
        add_end(l, sent ? &f->local : &f->remote, sent ? f->local_port : f->remote_port);
        add(l, " > ");
        add_end(l, sent ? &f->remote : &f->local, sent ? f->remote_port : f->local_port);
        add(l, " ");
    }
    if (p->seg) {
        char flags[TCP_FLAGS_TEXT_MAX];
        add(l, "%s seq=%" PRIu32 " ack=%" PRIu32 " win=%" PRIu32 " payload_len=%" PRIu32 " ",
            tcp_flags_text(p->seg->flags, flags), p->seg->seq.v, p->seg->ack.v, p->seg->wnd,
            p->seg->text_len);
        if (p->seg->flags & TCP_URG)
            add(l, "up=%u ", (unsigned)p->seg->up);
        static const char *const ecn[] = {"", "ect1 ", "ect0 ", "ce "};
        add(l, "%s", ecn[p->seg->ecn & ECN_MASK]);
    }
}

static void add_what(struct line *l, const struct trace_point *p)
{
    switch (p->kind) {
    case TRACE_SENT:
        add(l, "sent ");
        add_seg(l, p);
        break;
    case TRACE_RECEIVED:
        add(l, "received ");
        add_seg(l, p);
        break;
    case TRACE_DROPPED:
        add(l, "dropped ");
        add_seg(l, p);
        break;
    case TRACE_STATE:
        add(l, "state %s > %s ", p->from, p->to);
        break;
    case TRACE_RETRANSMIT:
        add(l, "retransmit seq=%" PRIu32 " len=%" PRIu32 " ", p->seq, p->len);
        break;
    case TRACE_EVENT:
        add(l, "event %s\n", p->text);
        return;
    case TRACE_INVARIANT:
        add(l, "broken invariant ");
        break;
    }
    if (p->text)
        add(l, "(%s)\n", p->text);
    else
        l->at[l->len - 1] = '\n'; /* in place of the last space */
}

size_t trace_text_line(const struct trace_point *p, uint64_t since_ns, char *line, size_t room)
{
    struct line l = {line, 0, room};
    uint64_t us = p->now_ns > since_ns ? (p->now_ns - since_ns) / NS_PER_US : 0;
    add(&l, "[%s:%d] %" PRIu64 ".%06" PRIu64 " ", short_name(p->file), p->line, us / 1000000,
        us % 1000000);
    if (p->sock_id)
        add(&l, "#%" PRIu32 " ", p->sock_id);
    add_what(&l, p);
    l.at[l.len - 1] = '\n'; /* when it was cut */
    return l.len;
}

void trace_text_sink(void *ctx, const struct trace_point *point)
{
    struct trace_text *t = ctx;
    if (t->reader_gone)
        return;
    if (t->since_ns == 0)
        t->since_ns = point->now_ns;
    char line[LINE_MAX_LEN];
    size_t len = trace_text_line(point, t->since_ns, line, sizeof line);
    if (write_whole(t->fd, &(struct iovec){line, len}, 1, NULL) == -EPIPE)
        t->reader_gone = true; /* other failures may pass: that line is lost, no more */
}
