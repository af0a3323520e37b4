/* rcvwnd.c: the receive window (RFC 9293 3.8.6, RFC 7323 2). */
#include "rcvwnd.h"
#include "support.h"

#define MSS 1460u

static struct rcvwnd make(uint32_t size, uint32_t size_max, uint8_t shift)
{
    struct rcvwnd w;
    rcvwnd_init(&w, size, size_max, MSS);
    w.shift = shift;
    return w;
}

/* Announces what is offered, as a segment with RCV.NXT = head would. */
static uint32_t announce(struct rcvwnd *w, uint64_t start, uint64_t head)
{
    uint32_t wnd = rcvwnd_offer(w, start, head);
    rcvwnd_announced(w, start, head, wnd);
    return wnd;
}

/* RFC 7323 2.2, 2.3. */
static void shift(void **state)
{
    (void)state;
    assert_int_equal(rcvwnd_shift_for(0), 0);
    assert_int_equal(rcvwnd_shift_for(65535), 0);
    assert_int_equal(rcvwnd_shift_for(65536), 1);
    assert_int_equal(rcvwnd_shift_for(131070), 1);
    assert_int_equal(rcvwnd_shift_for(131071), 2);
    assert_int_equal(rcvwnd_shift_for(65535u << 13), 13);
    assert_int_equal(rcvwnd_shift_for((65535u << 13) + 1), 14);
    assert_int_equal(rcvwnd_shift_for(UINT32_MAX), 14);
}

static void sizes_make_sense(void **state)
{
    (void)state;
    struct rcvwnd w;
    rcvwnd_init(&w, 100000, 50000, MSS);
    assert_int_equal(w.size, 100000);
    assert_int_equal(w.size_max, 100000);
    rcvwnd_init(&w, 1000, 1u << 30, MSS); /* no unit of 16 KiB would fit */
    assert_int_equal(w.size, 32768);
    w.shift = rcvwnd_shift_for(w.size_max);
    assert_int_equal(rcvwnd_offer(&w, 0, 0), 32768);
}

/* A quiescent connection is offered the whole buffer, in units of the scaled field, as far as the
 * field goes. */
static void offer_in_units(void **state)
{
    (void)state;
    struct rcvwnd w = make(60001, 60001, 0);
    assert_int_equal(rcvwnd_offer(&w, 0, 0), 60001);
    assert_int_equal(rcvwnd_offer(&w, 5000, 5000), 60001);
    assert_int_equal(rcvwnd_offer(&w, 5000, 6000), 59001);
    w = make(60001, 60001, 3);
    assert_int_equal(rcvwnd_offer(&w, 0, 0), 60000);
    w = make(1000000, 1000000, 0);
    assert_int_equal(rcvwnd_offer(&w, 0, 0), 65535);
    assert_int_equal(rcvwnd_offer(&w, 0, 900000), 65535);
    assert_int_equal(rcvwnd_offer(&w, 0, 998000), 2000);
    w = make(UINT32_MAX, UINT32_MAX, 14);
    assert_int_equal(rcvwnd_offer(&w, 0, 0), 65535u << 14);
}

/* MUST-39: the edge stays until it can move by min(RCV.BUFF / 2, MSS). */
static void edge_moves_by_worthwhile_steps(void **state)
{
    (void)state;
    struct rcvwnd w = make(10000, 10000, 0);
    assert_int_equal(announce(&w, 0, 0), 10000);
    assert_int_equal(announce(&w, 0, 10000), 0);
    assert_int_equal(announce(&w, 1, 10000), 0);
    assert_int_equal(announce(&w, MSS - 1, 10000), 0);
    assert_int_equal(w.edge, 10000);
    assert_int_equal(announce(&w, MSS, 10000), MSS);
    assert_int_equal(w.edge, 10000 + MSS);
    assert_int_equal(announce(&w, 2 * MSS - 1, 10000 + 500), MSS - 500); /* the edge stays */
    assert_int_equal(announce(&w, 2 * MSS, 10000 + 500), 2 * MSS - 500);

    w = make(2000, 2000, 0); /* less than two segments: half the buffer */
    announce(&w, 0, 0);
    assert_int_equal(announce(&w, 999, 2000), 0);
    assert_int_equal(announce(&w, 1000, 2000), 1000);
}

/* Without scaling the field says 65535 of a large buffer. The edge of RCV.WND is the buffer's all
 * the time, and stays there. */
static void field_at_its_end(void **state)
{
    (void)state;
    struct rcvwnd w = make(70000, 70000, 0);
    rcvwnd_announced_syn(&w, 0, 65535);
    assert_int_equal(w.edge, 65535); /* in a SYN it is as it says */
    assert_int_equal(announce(&w, 0, 0), 65535);
    assert_int_equal(w.edge, 70000);
    assert_int_equal(announce(&w, 0, 3), 65535);
    assert_int_equal(announce(&w, 0, 4465), 65535);
    assert_int_equal(w.edge, 70000);
    assert_int_equal(announce(&w, 0, 4466), 65534);
    assert_int_equal(rcvwnd_again(&w, 4466), 65534);
    assert_int_equal(rcvwnd_again(&w, 3), 65535);
    assert_int_equal(announce(&w, 0, 70000), 0);
    assert_int_equal(w.edge, 70000);
    assert_false(rcvwnd_update_due(&w, 100, 4466));
}

/* A buffer for several segments holds whole ones. */
static void whole_segments(void **state)
{
    (void)state;
    static const uint32_t cases[][3] = {{65536, 1460, 65700}, {65536, 1440, 66240},
                                        {4096, 1000, 5000},   {5000, 1000, 5000},
                                        {999, 1000, 999},     {1000, 1000, 1000},
                                        {1001, 1000, 2000},   {UINT32_MAX, 7, UINT32_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rcvwnd w = make(cases[i][0], cases[i][0], 0);
        rcvwnd_whole(&w, cases[i][1]);
        assert_int_equal(w.size, cases[i][2]);
        assert_true(w.size_max >= w.size);
    }
}

/* SHLD-14: text that arrives and is not read leaves the edge where it is; where that falls between
 * units of the scaled field, rounding goes up while there is buffer. */
static void edge_does_not_move_left(void **state)
{
    (void)state;
    struct rcvwnd w = make(100000, 1 << 20, 5); /* unit 32 */
    assert_int_equal(announce(&w, 0, 0), 100000);
    assert_int_equal(announce(&w, 0, 32 * 100), 100000 - 3200);
    assert_int_equal(w.edge, 100000);
    assert_int_equal(announce(&w, 0, 3201), 96800); /* not 96768 */
    assert_int_equal(w.edge, 100001);

    /* A window less than the one announced before does not take back what was announced. */
    rcvwnd_announced(&w, 0, 3201, 64);
    assert_int_equal(w.edge, 100001);
}

/* RFC 7323 2.4 and Appendix F: a peer that sends a little less than a unit per ACK, to a user who
 * does not read, gets less than one unit more than the buffer, and then a window of 0. */
static void rounding_up_does_not_creep(void **state)
{
    (void)state;
    for (uint8_t s = 1; s <= 14; s++) {
        struct rcvwnd w = make(1 << 20, 1u << 30, s);
        uint32_t unit = 1u << s;
        uint64_t head = 0, edge = 0;
        for (uint32_t wnd = announce(&w, 0, 0); wnd > 0; wnd = announce(&w, 0, head)) {
            assert_in_range(w.edge, edge, w.size + unit - 1);
            /* taken back: less than a unit; but at the end of the field the buffer counts */
            assert_true(head + wnd + unit > w.edge || wnd == 65535u << s);
            edge = w.edge;
            head += wnd < unit ? wnd : unit - 1;
        }
        assert_in_range(w.edge - head, 0, unit - 1);
        assert_true(w.edge >= w.size);
    }
}

/* 3.8.6.2.2: a shut window is opened by one MSS, or a sixteenth of a large buffer, or half of a
 * small one; once announced, the next update needs more. */
static void update_of_a_shut_window(void **state)
{
    (void)state;
    static const struct {
        uint32_t size, step;
    } cases[] = {{2000, 1000}, {2 * MSS, MSS}, {16 * MSS, MSS}, {65000, 4062}, {1 << 22, 1 << 18}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t size = cases[i].size, step = cases[i].step;
        struct rcvwnd w = make(size, size, size > 65535 ? 7 : 0);
        announce(&w, 0, 0);
        assert_false(rcvwnd_update_due(&w, 0, 0));
        announce(&w, 0, size);
        assert_false(rcvwnd_update_due(&w, 0, size));
        assert_false(rcvwnd_update_due(&w, step - 1, size));
        assert_true(rcvwnd_update_due(&w, step, size));
        assert_int_equal(announce(&w, step, size), step);
        assert_false(rcvwnd_update_due(&w, step, size));
    }
}

/* A peer with some window left gets an update that at least doubles it, of two MSS at least. */
static void update_of_a_window_in_use(void **state)
{
    (void)state;
    struct rcvwnd w = make(20 * MSS, 20 * MSS, 0);
    announce(&w, 0, 0);
    uint64_t head = 19 * MSS; /* one MSS left */
    assert_false(rcvwnd_update_due(&w, 2 * MSS - 1, head));
    assert_true(rcvwnd_update_due(&w, 2 * MSS, head));
    assert_true(rcvwnd_update_due(&w, 20 * MSS / 16, head + 1)); /* less than one: shut */
    head = 15 * MSS;                                             /* five left */
    assert_false(rcvwnd_update_due(&w, 5 * MSS - 1, head));
    assert_true(rcvwnd_update_due(&w, 5 * MSS, head));
    head = 9 * MSS; /* more than half left: ACKs will do */
    assert_false(rcvwnd_update_due(&w, head, head));
    head = 10 * MSS;
    assert_true(rcvwnd_update_due(&w, head, head));
}

/* Without window scaling, 65535 is all there is to open: a large buffer must not ask for more. */
static void update_without_scaling(void **state)
{
    (void)state;
    struct rcvwnd w = make(1 << 22, 1 << 22, 0);
    uint64_t head = 1 << 22;
    w.edge = head; /* the buffer is full */
    assert_false(rcvwnd_update_due(&w, 4094, head));
    assert_true(rcvwnd_update_due(&w, 4095, head));
    assert_true(rcvwnd_update_due(&w, head, head));
}

/* The buffer grows to four times what was read within a round trip; not sooner than that, not
 * without an estimate, not beyond the maximum, and never back. */
static void growth(void **state)
{
    (void)state;
    const uint64_t rtt = 1000, t0 = 5000000;
    struct rcvwnd w = make(10000, 35000, 0);
    struct rcvwnd_growth g = {0};
    rcvwnd_read(&w, &g, 8000, rtt, t0); /* the first read only begins the measurement */
    assert_int_equal(w.size, 10000);
    rcvwnd_read(&w, &g, 13000, rtt, t0 + rtt - 1);
    assert_int_equal(w.size, 10000);
    rcvwnd_read(&w, &g, 13000, rtt, t0 + rtt);
    assert_int_equal(w.size, 20000);
    rcvwnd_read(&w, &g, 17999, rtt, t0 + 2 * rtt); /* one octet too few */
    assert_int_equal(w.size, 20000);
    rcvwnd_read(&w, &g, 32999, rtt, t0 + 3 * rtt - 1); /* a new mark: not a round trip yet */
    assert_int_equal(w.size, 20000);
    rcvwnd_read(&w, &g, 23000, rtt, t0 + 3 * rtt);
    assert_int_equal(w.size, 20004);
    rcvwnd_read(&w, &g, 32999, rtt, t0 + 4 * rtt);
    assert_int_equal(w.size, 35000);
    rcvwnd_read(&w, &g, 99999, rtt, t0 + 5 * rtt);
    assert_int_equal(w.size, 35000);

    w = make(10000, 40000, 0);
    for (uint64_t i = 0; i < 100; i++)
        rcvwnd_read(&w, &g, 10000 * i, 0, t0 + rtt * i);
    assert_int_equal(w.size, 10000);
    rcvwnd_read(&w, &g, 1000000, rtt, t0 + 100 * rtt); /* the first estimate */
    assert_int_equal(w.size, 10000);
    rcvwnd_read(&w, &g, 1005000, rtt, t0 + 101 * rtt);
    assert_int_equal(w.size, 20000);

    rcvwnd_read(&w, &g, 1015000, 0, t0 + 102 * rtt); /* and without one again */
    assert_int_equal(w.size, 20000);

    w = make(1u << 31, UINT32_MAX, 14); /* no overflow */
    rcvwnd_read(&w, &g, 1, rtt, t0);
    rcvwnd_read(&w, &g, UINT32_MAX, rtt, t0 + rtt);
    assert_int_equal(w.size, UINT32_MAX);
}

/* Without samples the receiver's own estimate: from text up to the first that its announcement has
 * let in beyond the edge; the least there was. */
static void estimate_of_the_receiver(void **state)
{
    (void)state;
    const uint64_t t0 = 5000000;
    struct rcvwnd w = make(10000, 40000, 0);
    struct rcvwnd_growth g = {0};
    rcvwnd_announced(&w, 0, 0, 10000);
    rcvwnd_arrived(&w, &g, 1000, t0);
    rcvwnd_arrived(&w, &g, 10000, t0 + 10); /* it was on its way */
    assert_int_equal(g.rtt_ns, 0);
    rcvwnd_announced(&w, 10000, 10000, 10000);
    rcvwnd_arrived(&w, &g, 11000, t0 + 1500);
    assert_int_equal(g.rtt_ns, 1500);
    rcvwnd_announced(&w, 11000, 11000, 10000);
    rcvwnd_arrived(&w, &g, 20001, t0 + 2500);
    assert_int_equal(g.rtt_ns, 1000);
    rcvwnd_announced(&w, 20001, 20001, 10000);
    rcvwnd_arrived(&w, &g, 21001, t0 + 9000); /* a peer that has not more to send */
    assert_int_equal(g.rtt_ns, 1000);
    rcvwnd_read(&w, &g, 15000, 0, t0 + 9000);
    rcvwnd_read(&w, &g, 20000, 0, t0 + 9999);
    assert_int_equal(w.size, 10000);
    rcvwnd_read(&w, &g, 20000, 0, t0 + 10000);
    assert_int_equal(w.size, 20000);
}

/* A connection, seen from its window. */
struct flow_model {
    struct rcvwnd w;
    struct rcvwnd_growth g;
    uint64_t start, head, now_ns;
    uint32_t wnd; /* last announced */
};

/* Announces, and checks the move of the edge by MUST-39, SHLD-14 and the bound on memory. */
static void announce_checked(struct flow_model *m)
{
    uint64_t old = m->w.edge, unit = UINT64_C(1) << m->w.shift;
    uint64_t max = UINT64_C(65535) << m->w.shift;
    uint64_t buff = m->w.size < max ? m->w.size : max;
    uint64_t worthwhile = buff / 2 < m->w.mss ? buff / 2 : m->w.mss;
    m->wnd = announce(&m->w, m->start, m->head);
    uint64_t edge = m->head + m->wnd;
    assert_int_equal(m->wnd % unit, 0);
    assert_true(m->wnd <= max);
    assert_true(m->w.edge >= old);
    bool capped = m->wnd == max; /* the edge that counts is beyond what the field says */
    assert_true(capped || edge >= old + worthwhile || edge < old + unit);
    assert_true(capped || edge >= old ||
                (edge + unit > old && edge + unit >= m->start + m->w.size));
    assert_true(m->w.edge < m->start + m->w.size + unit);
    assert_false(rcvwnd_update_due(&m->w, m->start, m->head));
}

static void flow_step(struct flow_model *m, struct rnd *rnd)
{
    m->now_ns += rnd_below(rnd, 1000);
    switch (rnd_below(rnd, 4)) {
    case 0:
    case 1: { /* text arrives, as far as the peer may send */
        uint32_t room = (uint32_t)(m->w.edge - m->head);
        uint32_t n = rnd_below(rnd, 4) ? rnd_skewed(rnd, room + 1) : room;
        m->head += n;
        if (n > 0 && rnd_below(rnd, 2))
            announce_checked(m);
        break;
    }
    case 2: /* the user reads */
        m->start += rnd_skewed(rnd, (uint32_t)(m->head - m->start) + 1);
        rcvwnd_read(&m->w, &m->g, m->start, rnd_below(rnd, 10) ? 5000 : 0, m->now_ns);
        if (rcvwnd_update_due(&m->w, m->start, m->head)) {
            uint64_t old = m->w.edge;
            announce_checked(m);
            assert_true(m->w.edge - m->head >= 2 * (old - m->head));
            assert_true(m->w.edge > old);
        }
        break;
    default: { /* a user who reads all that is there never leaves the peer stuck */
        uint64_t max = UINT64_C(65535) << m->w.shift, unit = UINT64_C(1) << m->w.shift;
        uint64_t half = (m->w.size < max ? m->w.size : max) / 2;
        if (rnd_below(rnd, 8) == 0)
            m->start = m->head;
        if (m->start == m->head && m->w.edge - m->head + unit <= half)
            assert_true(rcvwnd_update_due(&m->w, m->start, m->head));
    }
    }
}

static void property(void **state)
{
    (void)state;
    struct rnd rnd = rnd_start("rcvwnd");
    for (int run = 0; run < 400; run++) {
        struct flow_model m = {.now_ns = 1};
        uint32_t size = 2 + rnd_below(&rnd, 1u << (2 + rnd_below(&rnd, 20)));
        uint32_t size_max = size + rnd_below(&rnd, 1u << rnd_below(&rnd, 28));
        rcvwnd_init(&m.w, size, size_max, (uint16_t)(1 + rnd_below(&rnd, 9000)));
        announce_checked(&m); /* on our SYN: not scaled */
        if (rnd_below(&rnd, 4))
            m.w.shift = rcvwnd_shift_for(size_max);
        for (int i = 0; i < 1000; i++)
            flow_step(&m, &rnd);
        assert_in_range(m.w.size, size, m.w.size_max);
    }
}

/* SO_RCVBUF: SHLD-14, the edge does not move left for a smaller buffer, whatever the scale; the
 * offer comes down as text arrives, and is the new buffer's when all is read. */
static void smaller_buffer(void **state)
{
    (void)state;
    for (uint8_t shift = 0; shift <= 8; shift += 4) {
        struct rcvwnd w = make(60000, 4000000, shift);
        uint64_t head = 0, edge = announce(&w, 0, 0);
        rcvwnd_resize(&w, 8000);
        assert_true(head + rcvwnd_offer(&w, 0, 0) + (UINT64_C(1) << shift) > edge);
        for (; head < 100000; head += 1000) {
            uint64_t now = head + announce(&w, head, head); /* all is read */
            assert_true(now + (UINT64_C(1) << shift) > edge);
            edge = now > edge ? now : edge;
        }
        assert_int_equal(w.edge, edge);
        assert_in_range(rcvwnd_offer(&w, head, head), 8000 - MSS - (1u << shift), 8000);
        w.edge = head; /* all used up, nothing read: shut */
        assert_int_equal(rcvwnd_offer(&w, head - 8000, head), 0);
    }
}

/* It no longer grows by itself, is never less than can be announced, and stands still beyond what
 * the field can say. */
static void buffer_of_the_users_size(void **state)
{
    (void)state;
    struct rcvwnd w = make(60000, 4000000, 0);
    struct rcvwnd_growth g = {0};
    rcvwnd_resize(&w, 20000);
    uint64_t start = 0;
    for (int i = 1; i < 100; i++) {
        rcvwnd_read(&w, &g, start, 1000000, (uint64_t)i * 2000000);
        start += 20000;
    }
    assert_int_equal(w.size, 20000);
    rcvwnd_resize(&w, 1u << 30);
    assert_int_equal(rcvwnd_offer(&w, start, start), 65535);
    w.shift = 14;
    rcvwnd_resize(&w, 1);
    assert_int_equal(rcvwnd_offer(&w, start, start), 32768);
    rcvwnd_resize(&w, UINT32_MAX);
    assert_int_equal(rcvwnd_offer(&w, start, start), 65535u << 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shift),
        cmocka_unit_test(sizes_make_sense),
        cmocka_unit_test(offer_in_units),
        cmocka_unit_test(edge_moves_by_worthwhile_steps),
        cmocka_unit_test(field_at_its_end),
        cmocka_unit_test(whole_segments),
        cmocka_unit_test(edge_does_not_move_left),
        cmocka_unit_test(rounding_up_does_not_creep),
        cmocka_unit_test(update_of_a_shut_window),
        cmocka_unit_test(update_of_a_window_in_use),
        cmocka_unit_test(update_without_scaling),
        cmocka_unit_test(growth),
        cmocka_unit_test(estimate_of_the_receiver),
        cmocka_unit_test(property),
        cmocka_unit_test(smaller_buffer),
        cmocka_unit_test(buffer_of_the_users_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
