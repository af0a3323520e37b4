/* See selftest_pair.h. */
#include "selftest_pair.h"

#include <stdio.h>

#include "payload.h"

static struct pair *pair_new(void)
{
    static struct pair p;
    p = (struct pair){0};
    p.a = (struct wire_end){
        .stream = 1,
        .taken = true,
        .mss = MSS,
        .head = 40,
        .told = &p.told,
        .rcvbuf = 8000,
        .shift = -1,
        .resend.rto_min_ns = 200 * NS_PER_MS,
        .storm.credit = 2,
    };
    p.b = p.a;
    p.b.stream = 2;
    p.b.passive = true;
    p.a.written = p.b.written = 20000;
    return &p;
}

void pair_send(struct pair *p, struct wire_end *from, struct seg s, bool arrives)
{
    struct wire_end *to = from == &p->a ? &p->b : &p->a;
    uint32_t iss = from == &p->a ? ISS_A : ISS_B, peer = from == &p->a ? ISS_B : ISS_A;
    if (s.text_len > 0) {
        if (p->text[0] != 0xff) /* the test wants wrong text */
            payload_fill(from->stream, s.seq.v - 1, p->text, s.text_len);
        s.text[0] = (struct bytes){p->text, s.text_len};
        s.n_text = 1;
    }
    s.seq = seq(iss + s.seq.v);
    s.ack = seq(peer + s.ack.v);
    for (unsigned i = 0; i < s.opts.n_sack; i++) {
        s.opts.sack[i].left = seq_add(s.opts.sack[i].left, peer);
        s.opts.sack[i].right = seq_add(s.opts.sack[i].right, peer);
    }
    wire_sent(from, to, &s, p->now_ns);
    if (arrives)
        wire_arrived(to, from, &s, wire_epoch(from), p->now_ns);
}

void pair_ack_arrives(struct pair *p, bool old, uint32_t number)
{
    const struct seg seg = {.flags = TCP_ACK,
                            .seq = seq(ISS_B + (old ? 1 : 11)),
                            .ack = seq(ISS_A + number),
                            .wnd = 8000,
                            .text_len = old ? 10 : 0};
    wire_arrived(&p->a, &p->b, &seg, wire_epoch(&p->b), p->now_ns);
}

void pair_permit_sack(struct pair *p)
{
    p->a.sack_permitted = p->b.sack_permitted = true;
}

void pair_two_holes(struct pair *p)
{
    pair_permit_sack(p);
    LOST_FROM_A(TEXT(1, MSS));
    p->now_ns++;
    FROM_A(TEXT(1001, MSS));
    p->now_ns++;
    LOST_FROM_A(TEXT(2001, MSS));
    p->now_ns++;
    FROM_A(TEXT(3001, 2 * MSS));
    p->now_ns++;
}

static void shake_hands(struct pair *p)
{
    const struct tcp_opts opts = {.has_mss = true, .mss = MSS};
    FROM_A(.flags = TCP_SYN, .wnd = 8000, .opts = opts);
    FROM_B(.flags = TCP_SYN | TCP_ACK, .ack = {1}, .wnd = 8000, .opts = opts);
    FROM_A(.flags = TCP_ACK, .seq = {1}, .ack = {1}, .wnd = 8000);
}

static void run_one(void *arg)
{
    const struct pair_test *t = arg;
    struct pair *p = pair_new();
    shake_hands(p);
    t->act(p);
}

int pair_run(const char *group, const struct pair_test *tests, size_t n)
{
    int failed = 0;
    for (size_t i = 0; i < n; i++) {
        struct pair_test t = tests[i];
        char name[32];
        snprintf(name, sizeof name, "%s test %zu", group, i);
        failed += expect(name, run_one, &t, t.checker);
    }
    return failed;
}
