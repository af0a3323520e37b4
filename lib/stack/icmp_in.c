/*
 * ICMP and ICMPv6 as they arrive: echo requests to addresses that we have and the kernel has not,
 * and errors about segments of ours (RFC 9293 3.9.2.2). Called by border.c. No error is ever
 * generated here.
 *
 * Anybody can forge an error. It is believed when it is about a segment in flight: the four-tuple
 * is a connection's and SND.UNA =< SEG.SEQ < SND.NXT (RFC 5927 4.1), and what is believed can do
 * little harm: see tcp/pmtu.c and tcp/unreach.h.
 */
#include "codec.h"
#include "icmp.h"
#include "minmax.h"
#include "pmtu.h"
#include "sock.h"
#include "unreach.h"

static void ignore(struct stack *s, uint64_t *counter, const char *why, uint64_t now_ns)
{
    ++*counter;
    TRACE(&s->config.trace, TRACE_DROPPED, .now_ns = now_ns, .text = why);
}

/* ---- Echo ---- */

/* So many answers a second: they amplify nothing, but are work that anybody can ask for. */
#define ECHO_MAX     1000
#define ECHO_SPAN_NS NS_PER_S

/* And so many wait for output, which a busy device may keep waiting. */
#define ECHO_WAITING 64

/* An answer, as it goes on the wire. */
struct echo {
    struct list node; /* in stack.echoes or stack.echoes_lent */
    uint32_t zone;    /* of its link-local addresses */
    size_t len;
    uint8_t octets[];
};

static bool within_rate(struct stack *s, uint64_t now_ns)
{
    if (s->echoes_in_span == 0 || now_ns - s->echo_span_ns >= ECHO_SPAN_NS) {
        s->echo_span_ns = now_ns;
        s->echoes_in_span = 0;
    }
    return s->echoes_in_span++ < ECHO_MAX;
}

/* RFC 1122 3.2.2.6, RFC 4443 4.2: with the same data, from the address that was asked. Options and
 * source routes of the request are not taken over (CVE-2021-31344). We make no fragments; RFC
 * 1122 would then have an answer truncated to the MTU. RFC 4443 wants all data whatever its length,
 * but a short answer says more than none, so IPv6's is truncated as well. */
static void answer_echo(struct stack *s, const struct ip_hdr *request, const struct icmp *m,
                        uint32_t mtu, uint64_t now_ns)
{
    const struct flow key = {.local = request->dst};
    if (!table_find(&s->owned, &key) || !ip_addr_is_unicast(&request->src))
        return;
    size_t len = min_u32((uint32_t)(ip_hdr_len(&request->dst) + ICMP_HDR_LEN + m->body.len),
                         stack_first_mtu(s, &request->src, mtu));
    bool may = within_rate(s, now_ns) && s->n_echoes < ECHO_WAITING;
    struct echo *e = may ? mem_alloc(s->mem, sizeof *e + len) : NULL;
    if (!e) {
        ignore(s, &s->counters.icmp_echo_drops, "ICMP: too many echo requests", now_ns);
        return;
    }
    struct icmp reply = icmp_of_kind(ICMP_ECHO_REPLY, ip_addr_is_v4(&request->dst));
    reply.rest = m->rest;
    reply.body.ptr = m->body.ptr;
    reply.body.len = len - ip_hdr_len(&request->dst) - ICMP_HDR_LEN;
    const struct ip_hdr ip = {
        .src = request->dst,
        .dst = request->src,
        .proto = request->proto,
        .ttl = IP_TTL_DEFAULT,
        .df = true,
        .payload_len = (uint32_t)(ICMP_HDR_LEN + reply.body.len),
    };
    e->zone = ip_addr_zone(&request->src);
    e->len = len;
    struct writer w = writer(e->octets, len);
    ip_emit(&w, &ip);
    icmp_emit(&w, &ip, &reply);
    list_push_back(&s->echoes, &e->node);
    s->n_echoes++;
    s->counters.icmp_echoes++;
}

bool icmp_output(struct stack *s, struct packet *p)
{
    struct list *node = list_pop_front(&s->echoes);
    if (!node)
        return false;
    struct echo *e = container_of(node, struct echo, node);
    p->head = (struct bytes){e->octets, e->len};
    p->n_body = 0;
    p->csum = CSUM_FULL;
    p->gso_size = 0;
    p->mtu = 0;
    p->zone = e->zone;
    list_push_back(&s->echoes_lent, node);
    s->n_echoes--;
    return true;
}

static void free_echoes(struct stack *s, struct list *echoes)
{
    while (!list_empty(echoes)) {
        struct echo *e = container_of(list_pop_front(echoes), struct echo, node);
        mem_free(s->mem, e, sizeof *e + e->len);
    }
}

void icmp_forget_lent(struct stack *s)
{
    free_echoes(s, &s->echoes_lent);
}

void icmp_finish(struct stack *s)
{
    free_echoes(s, &s->echoes);
    free_echoes(s, &s->echoes_lent);
}

/* ---- Errors ---- */

/* RFC 9293 3.9.2.2, and RFC 5927 5.1 for IPv6, call the first kinds hard and the others soft.
 * Errno's words for them are Linux's, but for a protocol that is unreachable (ENOPROTOOPT there): a
 * host without TCP refuses as well. */
static void unreachable(struct conn *c, enum icmp_kind kind, uint64_t now_ns)
{
    switch (kind) {
    case ICMP_PROTOCOL_UNREACHABLE:
    case ICMP_PORT_UNREACHABLE:
        tcp_unreachable(&c->tcb, ERR_REFUSED, true, now_ns);
        break;
    case ICMP_PROHIBITED:
        tcp_unreachable(&c->tcb, ERR_PROHIBITED, true, now_ns);
        break;
    case ICMP_PARAMETER_PROBLEM:
        tcp_unreachable(&c->tcb, ERR_PROTOCOL, false, now_ns);
        break;
    case ICMP_NET_UNREACHABLE:
        tcp_unreachable(&c->tcb, ERR_NETUNREACH, false, now_ns);
        break;
    default:
        tcp_unreachable(&c->tcb, ERR_HOSTUNREACH, false, now_ns);
        break;
    }
}

/* Whether that was to be believed. */
static bool too_big(struct conn *c, uint32_t mtu, uint32_t packet_len, uint64_t now_ns)
{
    struct stack *s = conn_stack(c);
    if (!tcp_pmtu_too_big(&c->tcb, mtu, packet_len, now_ns)) {
        ignore(s, &s->counters.icmp_bad_mtu, "ICMP: too big, but not by that MTU", now_ns);
        return false;
    }
    paths_learn(&s->paths, &s->config.secret, &c->tcb.flow->remote, c->tcb.pmtu.mtu,
                c->tcb.pmtu.until_ns);
    return true;
}

/* The connection whose segment is quoted, if that is in flight. */
static struct conn *in_flight(struct stack *s, const struct ip_hdr *ip,
                              const struct icmp_cause *cause, uint64_t now_ns)
{
    struct sock *so = ip_addr_eq(&ip->dst, &cause->flow.local) ? stack_find(s, &cause->flow) : NULL;
    if (!so || so->kind != SOCK_CONNECTION) {
        ignore(s, &s->counters.icmp_not_ours, "ICMP: about no connection of ours", now_ns);
        return NULL;
    }
    const struct tcb *t = &as_conn(so)->tcb;
    if (seq_lt(cause->seq, t->snd.una) || !seq_lt(cause->seq, t->snd.nxt)) {
        ignore(s, &s->counters.icmp_bad_seq, "ICMP: about no segment in flight", now_ns);
        return NULL;
    }
    return as_conn(so);
}

/* zone: of its link-local addresses, those that it quotes included. */
static void error_arrives(struct stack *s, const struct ip_hdr *ip, const struct icmp *m,
                          enum icmp_kind kind, uint32_t zone, uint64_t now_ns)
{
    bool v4 = ip_addr_is_v4(&ip->dst);
    struct icmp_cause cause;
    if (!icmp_parse_cause(m, v4, &cause)) {
        ignore(s, &s->counters.icmp_not_ours, "ICMP: about no TCP segment", now_ns);
        return;
    }
    ip_addr_set_zone(&cause.flow.local, zone);
    ip_addr_set_zone(&cause.flow.remote, zone);
    struct conn *c = in_flight(s, ip, &cause, now_ns);
    if (!c)
        return;
    if (kind != ICMP_TOO_BIG)
        unreachable(c, kind, now_ns);
    else if (!too_big(c, icmp_mtu(m, v4), cause.packet_len, now_ns))
        return;
    s->counters.icmp_acted++;
    conn_settle(c, now_ns);
}

void icmp_arrives(struct stack *s, const struct packet *p, uint32_t mtu, uint64_t now_ns)
{
    struct reader r;
    struct ip_hdr ip;
    struct icmp m;
    if (packet_parse_ip(p, &r, &ip) != IP_OK)
        return;
    switch (icmp_parse(&r, &ip, &m)) {
    case ICMP_OK:
        break;
    case ICMP_FAMILY:
        return;
    case ICMP_SHORT:
        ignore(s, &s->counters.bad_packets, "ICMP: cut short", now_ns);
        return;
    case ICMP_BAD_CHECKSUM:
        ignore(s, &s->counters.bad_checksums, "ICMP: checksum", now_ns);
        return;
    }
    s->counters.icmp_in++;
    enum icmp_kind kind = icmp_kind(&m, ip_addr_is_v4(&ip.dst));
    switch (kind) {
    case ICMP_ECHO_REQUEST:
        answer_echo(s, &ip, &m, mtu, now_ns);
        break;
    case ICMP_OTHER:
    case ICMP_ECHO_REPLY:
    case ICMP_SOURCE_QUENCH: /* MUST-55, RFC 6633 */
        ignore(s, &s->counters.icmp_other, "ICMP: of no use to us", now_ns);
        break;
    default:
        error_arrives(s, &ip, &m, kind, p->zone, now_ns);
        break;
    }
}
