/*
 * Packets and time: stack_input, stack_tick, stack_output, stack_deadline. The one place where the
 * engine meets packets.
 */
#include "arrives.h"
#include "codec.h"
#include "output.h"
#include "reset.h"
#include "sock.h"
#include "timeout.h"

/* What a socket's user has chosen for the IP header of packets to this address. */
static struct tcp_ip ip_of(const struct sock *so, const struct ip_addr *remote)
{
    return *tcp_settings_ip(stack_settings(so), remote);
}

bool stack_can_answer(const struct stack *s)
{
    return s->n_answers < STACK_ANSWERS;
}

void stack_answer_with(struct stack *s, const struct sock *so, const struct flow *flow,
                       const struct ip_options *options, const struct seg *answer)
{
    if (!stack_can_answer(s))
        return;
    struct answer *a = &s->answers[(s->answers_head + s->n_answers) % STACK_ANSWERS];
    a->flow = *flow;
    a->options = options ? *options : (struct ip_options){0};
    a->ip = so ? ip_of(so, &flow->remote) : (struct tcp_ip){.ttl = IP_TTL_DEFAULT};
    a->seg = *answer;
    s->n_answers++;
}

void stack_answer(struct stack *s, struct sock *so, const struct flow *flow, const struct seg *seg)
{
    struct seg rst;
    if (tcp_reset_answer(seg, &rst))
        stack_answer_with(s, so, flow, so ? stack_options(so) : NULL, &rst);
}

struct sock *stack_find(struct stack *s, const struct flow *flow)
{
    struct table_node *node = table_find(&s->table, flow);
    return node ? container_of(node, struct sock, node) : NULL;
}

static void conn_arrives(struct conn *c, const struct arrival *a, uint64_t now_ns)
{
    if (c->sock.stage == CONN_HALF_OPEN && listener_takes_cookie(c->sock.listener, a, c, now_ns))
        return;
    if (!listener_has_room(c, a->seg)) {
        conn_stack(c)->counters.listen_drops++;
        return;
    }
    enum arrives what = tcp_arrives(&c->tcb, a->seg, now_ns);
    if (what == ARRIVES_ANSWER_RST)
        stack_answer(conn_stack(c), &c->sock, a->flow, a->seg);
    if (what == ARRIVES_TAKEN && a->route && !conn_take_route(c, a->route))
        conn_stack(c)->counters.no_memory++; /* the next segment brings it again */
    conn_settle(c, now_ns);
}

static void segment_arrives(struct stack *s, const struct arrival *a, uint64_t now_ns)
{
    const struct flow *flow = a->flow;
    const struct seg *seg = a->seg;
    struct sock *so = stack_find(s, flow);
    TRACE(&s->config.trace, TRACE_RECEIVED, .now_ns = now_ns, .sock_id = so ? so->id : 0,
          .flow = flow, .seg = seg);
    struct sock *listener = so ? NULL : listener_find(s, flow);
    struct conn *old = NULL;
    if (so && so->kind == SOCK_CONNECTION && so->stage == CONN_LEFT &&
        tcp_arrives_reopens(&as_conn(so)->tcb, seg)) {
        listener = listener_find(s, flow);
        old = listener ? as_conn(so) : NULL;
    }
    if (so && so->kind == SOCK_CONNECTION && !old) {
        conn_arrives(as_conn(so), a, now_ns);
    } else if (listener) {
        listener_arrives(as_listener(listener), a, old, now_ns);
    } else {
        s->counters.not_for_us++;
        if (ip_addr_is_unicast(&flow->remote) && ip_addr_is_unicast(&flow->local))
            stack_answer(s, NULL, flow, seg); /* 3.10.7.1 CLOSED */
    }
}

static void drop(struct stack *s, const char *why, uint64_t now_ns)
{
    TRACE(&s->config.trace, TRACE_DROPPED, .now_ns = now_ns, .text = why);
}

/* Whether p is the last piece of a packet, which is in *whole then. */
static bool fragment_arrives(struct stack *s, const struct packet *p, struct packet *whole,
                             uint64_t now_ns)
{
    const char *why;
    s->counters.fragments++;
    bool complete = reassembly_add(&s->reassembly, p, now_ns, whole, &why);
    s->counters.reassembled += complete;
    if (why)
        drop(s, why, now_ns);
    return complete;
}

void stack_input(struct stack *s, const struct packet *p, size_t n, uint64_t now_ns)
{
    for (size_t i = 0; i < n; i++) {
        struct flow flow;
        struct ip_hdr ip;
        struct seg seg;
        const char *why = NULL;
        const struct packet *in = &p[i];
        struct packet whole;
        enum decode d = packet_decode(in, &flow, &ip, &seg, &why);
        if (d == DECODE_FRAGMENT) {
            if (!fragment_arrives(s, in, &whole, now_ns))
                continue;
            in = &whole;
            d = packet_decode(in, &flow, &ip, &seg, &why);
        }
        if (d == DECODE_OK) {
            struct ip_options back;
            bool routed =
                s->config.accept_source_route && ip_options_reverse(ip.options, &ip.src, &back);
            const struct arrival a = {&flow, &seg, routed ? &back : NULL, p[i].mtu};
            s->counters.segs_in++;
            segment_arrives(s, &a, now_ns);
            continue;
        }
        if (d == DECODE_NOT_TCP) {
            icmp_arrives(s, in, p[i].mtu, now_ns);
            continue;
        }
        if (d == DECODE_CHECKSUM)
            s->counters.bad_checksums++;
        else
            s->counters.bad_packets++;
        drop(s, why, now_ns);
    }
}

void stack_tick(struct stack *s, uint64_t now_ns)
{
    while (heap_deadline(&s->timers) <= now_ns) {
        struct conn *c = container_of(heap_first(&s->timers), struct conn, timer);
        heap_set(&s->timers, &c->timer, TIME_NEVER);
        tcp_timeout(&c->tcb, now_ns);
        conn_settle(c, now_ns);
    }
    time_wait_tick(s, now_ns);
    rest_tick(s, now_ns);
}

static void emit(struct stack *s, struct packet *p, uint32_t sock_id, const struct flow *flow,
                 const struct seg *seg, struct tcp_ip ip, const struct ip_options *options,
                 uint64_t now_ns)
{
    packet_encode(p, flow, seg, ip.tos, ip.ttl, s->config.caps.csum_offload);
    if (options && options->len > 0)
        packet_put_options(p, options, (uint32_t)(now_ns / NS_PER_MS));
    s->counters.segs_out++;
    s->counters.resets_out += (seg->flags & TCP_RST) != 0;
    TRACE(&s->config.trace, TRACE_SENT, .now_ns = now_ns, .sock_id = sock_id, .flow = flow,
          .seg = seg);
}

size_t stack_output(struct stack *s, struct packet *p, size_t max, uint64_t now_ns)
{
    size_t n = 0;
    icmp_forget_lent(s);
    while (n < max && icmp_output(s, &p[n]))
        n++;
    while (n < max && s->n_answers > 0) {
        const struct answer *a = &s->answers[s->answers_head];
        emit(s, &p[n++], 0, &a->flow, &a->seg, a->ip, &a->options, now_ns);
        s->answers_head = (s->answers_head + 1) % STACK_ANSWERS;
        s->n_answers--;
    }
    /* One segment a turn, so that no connection waits for another's whole window. */
    while (n < max && !list_empty(&s->pending)) {
        struct conn *c = container_of(list_pop_front(&s->pending), struct conn, pending);
        struct seg seg;
        uint32_t resent = c->tcb.resent;
        if (tcp_output(&c->tcb, &seg, now_ns)) {
            s->counters.retransmits += c->tcb.resent - resent;
            const struct flow *flow = &c->sock.node.flow;
            emit(s, &p[n++], c->sock.id, flow, &seg, ip_of(&c->sock, &flow->remote), c->options,
                 now_ns);
            list_push_back(&s->pending, &c->pending);
        } else {
            conn_rest(c, now_ns);
        }
    }
    return n;
}

uint64_t stack_deadline(const struct stack *s)
{
    bool more = s->n_answers > 0 || !list_empty(&s->pending) || !list_empty(&s->echoes);
    if (more)
        return 0;
    return time_min(heap_deadline(&s->timers), time_min(time_wait_deadline(s), rest_deadline(s)));
}
