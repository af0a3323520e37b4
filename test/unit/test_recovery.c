/* Loss recovery without SACK: RFC 6582 3.2, RFC 5681 3.2, RFC 3465 2.3. */
#include "recovery_sender.h"
#include "support.h"

#define MSS 1000

/* With segments [from, to) of MSS octets in flight. */
static struct sender sender(uint32_t from, uint32_t to)
{
    struct sender s = sender_init(MSS);
    s.c.cwnd = (to - from) * MSS;
    s.c.ssthresh = to - from > 2 ? s.c.cwnd : 2 * MSS;
    s.nxt = to * MSS;
    if (from > 0)
        ack(&s, from * MSS);
    return s;
}

static void assert_range(const struct sender *s, uint32_t from, uint32_t to)
{
    assert_int_equal(s->r.nxt.v, at(from).v);
    assert_int_equal(s->r.end.v, at(to).v);
}

/* In fast recovery: [from, to) was in flight, the segment at `from` is lost and was sent again. */
static struct sender recovering(uint32_t from, uint32_t to)
{
    struct sender s = sender(from, to);
    assert_false(dup(&s));
    assert_false(dup(&s));
    assert_true(dup(&s));
    resent(&s, (from + 1) * MSS);
    return s;
}

static void nothing_lost(void **state)
{
    (void)state;
    struct sender s = sender(0, 10);
    for (uint32_t i = 1; i <= 10; i++) {
        struct recovery_ack a = ack(&s, i * MSS);
        assert_true(a.grow && a.restart_timer);
        assert_false(recovery_pending(&s.r));
        assert_int_equal(flight(&s), (10 - i) * MSS);
    }
    assert_int_equal(s.c.cwnd, 10 * MSS);
}

/* RFC 5681 3.2 steps 1-4, already for the first segment of a connection (RFC 6582 3.2 step 1). */
static void third_duplicate(void **state)
{
    (void)state;
    struct sender s = sender(0, 10);
    for (int i = 0; i < 2; i++) {
        assert_false(dup(&s));
        assert_int_equal(s.r.mode, RECOVERY_OPEN);
        assert_int_equal(s.c.cwnd, 10 * MSS); /* step 1: MUST NOT change */
        assert_false(recovery_pending(&s.r));
    }
    assert_true(dup(&s));
    assert_int_equal(s.r.mode, RECOVERY_FAST);
    assert_int_equal(s.c.ssthresh, 5 * MSS);
    assert_int_equal(s.c.cwnd, 8 * MSS); /* step 3: ssthresh plus 3 */
    assert_range(&s, 0, MSS);
    assert_int_equal(flight(&s), 10 * MSS);

    resent(&s, MSS);
    assert_false(recovery_pending(&s.r));
    assert_false(dup(&s)); /* step 4: one more each */
    assert_false(dup(&s));
    assert_int_equal(s.c.cwnd, 10 * MSS);
    assert_int_equal(s.c.ssthresh, 5 * MSS);
}

static uint32_t beyond_cwnd(const struct sender *s)
{
    return recovery_beyond_cwnd(&s->r, &s->c, at(s->una));
}

/* RFC 3042 2, RFC 5681 3.2 steps 1 and 2: room for a segment with each of the first two; what was
 * sent in it is not in the flight that ssthresh is half of, nor room in fast recovery. */
static void limited_transmit(void **state)
{
    (void)state;
    struct sender s = sender(0, 10);
    assert_int_equal(beyond_cwnd(&s), 0);
    for (uint32_t i = 1; i <= 2; i++) {
        dup(&s);
        assert_int_equal(beyond_cwnd(&s), i * MSS);
        s.nxt += MSS;
    }
    assert_true(dup(&s));
    assert_int_equal(beyond_cwnd(&s), 0);
    assert_int_equal(s.c.ssthresh, 5 * MSS);
    ack(&s, 12 * MSS);
    assert_int_equal(beyond_cwnd(&s), 0);
    s.nxt = 14 * MSS;
    dup(&s); /* not beyond recover: no sign of loss */
    assert_int_equal(beyond_cwnd(&s), 0);
}

/* RFC 5681 3.2: without any intervening ACK that moves SND.UNA. */
static void duplicates_in_a_row(void **state)
{
    (void)state;
    struct sender s = sender(0, 10);
    dup(&s);
    dup(&s);
    ack(&s, MSS);
    assert_false(dup(&s));
    assert_false(dup(&s));
    assert_true(dup(&s));
}

/* The segment sent again does not reach beyond what was sent. */
static void short_last_segment(void **state)
{
    (void)state;
    struct sender s = sender(0, 1);
    s.nxt = 400;
    for (int i = 0; i < 3; i++)
        dup(&s);
    assert_range(&s, 0, 400);
}

/* RFC 6582 3.2 step 3: one loss; the ACK covers recover. cwnd becomes
 * min(ssthresh, max(FlightSize, SMSS) + SMSS) and does not grow by the same ACK (section 6). */
static void full_ack(void **state)
{
    (void)state;
    static const struct {
        uint32_t sent_since, cwnd;
    } table[] = {{0, 2}, {1, 2}, {3, 4}, {4, 5}, {8, 5}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct sender s = recovering(0, 10);
        s.nxt += table[i].sent_since * MSS;
        struct recovery_ack a = ack(&s, 10 * MSS);
        assert_false(a.grow);
        assert_true(a.restart_timer);
        assert_int_equal(s.r.mode, RECOVERY_OPEN);
        assert_int_equal(s.c.cwnd, table[i].cwnd * MSS);
        assert_int_equal(s.c.ssthresh, 5 * MSS);
        assert_false(recovery_pending(&s.r));
        if (s.nxt > s.una) {
            a = ack(&s, s.nxt);
            assert_true(a.grow);
        }
    }
}

/* Up to recover, and not one octet less. Of what was sent since nothing is known (seed 1424812). */
static void all_but_one_octet(void **state)
{
    (void)state;
    struct sender s = recovering(0, 10);
    s.nxt += 5 * MSS;
    ack(&s, 10 * MSS - 1);
    assert_int_equal(s.r.mode, RECOVERY_FAST);
    assert_range(&s, 10 * MSS - 1, 10 * MSS);
    ack(&s, 10 * MSS);
    assert_int_equal(s.r.mode, RECOVERY_OPEN);
    assert_false(recovery_pending(&s.r));
}

/* RFC 6582 3.2 step 3: two more lost. Deflation by what was acknowledged, one SMSS back, the next
 * segment, the timer by the first one only, and inflation goes on. */
static void partial_acks(void **state)
{
    (void)state;
    struct sender s = recovering(0, 20);
    assert_int_equal(s.c.cwnd, 13 * MSS);
    for (int i = 0; i < 14; i++)
        dup(&s);
    assert_int_equal(s.c.cwnd, 27 * MSS);

    struct recovery_ack a = ack(&s, 5 * MSS);
    assert_false(a.grow);
    assert_true(a.restart_timer);
    assert_int_equal(s.r.mode, RECOVERY_FAST);
    assert_int_equal(s.c.cwnd, 23 * MSS);
    assert_range(&s, 5 * MSS, 6 * MSS);
    resent(&s, 6 * MSS);

    a = ack(&s, 9 * MSS);
    assert_false(a.restart_timer);
    assert_int_equal(s.c.cwnd, 20 * MSS);
    assert_range(&s, 9 * MSS, 10 * MSS);
    resent(&s, 10 * MSS);
    assert_false(dup(&s));
    assert_int_equal(s.c.cwnd, 21 * MSS);

    a = ack(&s, 20 * MSS);
    assert_true(a.restart_timer);
    assert_int_equal(s.c.cwnd, 2 * MSS);
    assert_int_equal(s.c.ssthresh, 10 * MSS);

    /* The next recovery's first partial ACK restarts the timer again. */
    s.nxt = 40 * MSS;
    ack(&s, 21 * MSS);
    for (int i = 0; i < 3; i++)
        dup(&s);
    assert_int_equal(s.r.mode, RECOVERY_FAST);
    a = ack(&s, 22 * MSS);
    assert_true(a.restart_timer);
}

/* Less than one SMSS acknowledged: nothing is added back; and never less than one SMSS is left. */
static void partial_deflation(void **state)
{
    (void)state;
    struct sender s = recovering(0, 20);
    ack(&s, MSS - 1);
    assert_int_equal(s.c.cwnd, 12 * MSS + 1);
    ack(&s, 2 * MSS - 1);
    assert_int_equal(s.c.cwnd, 12 * MSS + 1);
    ack(&s, 19 * MSS);
    assert_int_equal(s.c.cwnd, MSS);
}

/* A partial ACK comes before the fast retransmit has gone out: the range moves on with it, still
 * a whole segment. */
static void partial_before_resent(void **state)
{
    (void)state;
    struct sender s = sender(0, 10);
    for (int i = 0; i < 3; i++)
        dup(&s);
    ack(&s, 300);
    assert_range(&s, 300, 1300);
    ack(&s, 4000);
    assert_range(&s, 4000, 5000);
}

/* RFC 6582 3.2 step 2: not a second time for what was outstanding at the first. recover itself must
 * be passed, not only reached. */
static void one_reduction_per_window(void **state)
{
    (void)state;
    struct sender s = recovering(0, 10);
    s.nxt = 14 * MSS;
    ack(&s, 10 * MSS);
    uint32_t cwnd = s.c.cwnd;
    for (int i = 0; i < 5; i++)
        assert_false(dup(&s));
    assert_int_equal(s.r.mode, RECOVERY_OPEN);
    assert_int_equal(s.c.cwnd, cwnd);
    assert_int_equal(s.c.ssthresh, 5 * MSS);
    assert_false(recovery_pending(&s.r));

    ack(&s, 10 * MSS + 1);
    assert_false(dup(&s));
    assert_false(dup(&s));
    assert_true(dup(&s));
}

/* RFC 6582 6: recover must not come to lie ahead when una has moved on by 2^31. */
static void recover_follows(void **state)
{
    (void)state;
    struct sender s = recovering(0, 10);
    ack(&s, 10 * MSS);
    for (int i = 0; i < 3; i++) {
        s.nxt += UINT32_C(1) << 30;
        ack(&s, s.nxt - 5 * MSS);
    }
    dup(&s);
    dup(&s);
    assert_true(dup(&s));
}

/* RFC 5681 3.1, RFC 6582 3.2 step 4: everything again, one SMSS at first, slow start from there. */
static void after_a_timeout(void **state)
{
    (void)state;
    struct sender s = sender(0, 10);
    dup(&s);
    timeout(&s, true);
    assert_int_equal(s.r.mode, RECOVERY_RTO);
    assert_int_equal(s.r.dup_acks, 0);
    assert_int_equal(s.c.cwnd, MSS);
    assert_int_equal(s.c.ssthresh, 5 * MSS);
    assert_range(&s, 0, 10 * MSS);
    assert_int_equal(flight(&s), 0);

    resent(&s, MSS);
    assert_range(&s, MSS, 10 * MSS);
    assert_int_equal(flight(&s), MSS);

    struct recovery_ack a = ack(&s, MSS);
    assert_true(a.grow && a.restart_timer);
    assert_int_equal(s.r.mode, RECOVERY_RTO);
    assert_int_equal(flight(&s), 0);

    resent(&s, 3 * MSS);
    a = ack(&s, 7 * MSS); /* the peer had the rest: what it has is not sent again */
    assert_true(a.grow);
    assert_range(&s, 7 * MSS, 10 * MSS);
    resent(&s, 10 * MSS);
    assert_false(recovery_pending(&s.r));
    s.nxt = 12 * MSS;
    assert_int_equal(flight(&s), 5 * MSS);

    ack(&s, 10 * MSS);
    assert_int_equal(s.r.mode, RECOVERY_OPEN);
    assert_int_equal(flight(&s), 2 * MSS);
}

/* RFC 5681 3.1: ssthresh goes by what is in the network, and is held by further timeouts. */
static void timeout_again(void **state)
{
    (void)state;
    struct sender s = sender(0, 40);
    timeout(&s, true);
    assert_int_equal(s.c.ssthresh, 20 * MSS);
    resent(&s, MSS);
    timeout(&s, false);
    assert_int_equal(s.c.ssthresh, 20 * MSS);
    assert_range(&s, 0, 40 * MSS);

    resent(&s, MSS);
    ack(&s, MSS);
    resent(&s, 9 * MSS);
    timeout(&s, true); /* another segment: eight were sent since, not thirty-nine */
    assert_int_equal(s.c.ssthresh, 4 * MSS);
    assert_range(&s, MSS, 40 * MSS);
}

/* RFC 6582 3.2 step 4 and 4: duplicates of what the timeout sent twice are no sign of loss; until
 * recover is passed. Duplicates from before the timeout don't count either. */
static void no_fast_retransmit_after_timeout(void **state)
{
    (void)state;
    struct sender s = sender(0, 10);
    dup(&s);
    dup(&s);
    timeout(&s, true);
    resent(&s, MSS);
    for (int i = 0; i < 10; i++)
        assert_false(dup(&s));
    assert_int_equal(s.r.mode, RECOVERY_RTO);
    assert_int_equal(s.c.cwnd, MSS);
    assert_range(&s, MSS, 10 * MSS);

    ack(&s, 9 * MSS);
    for (int i = 0; i < 10; i++)
        assert_false(dup(&s));
    resent(&s, 10 * MSS);
    s.nxt = 20 * MSS;
    ack(&s, 10 * MSS);
    for (int i = 0; i < 10; i++)
        assert_false(dup(&s));
    assert_int_equal(s.r.mode, RECOVERY_OPEN);

    ack(&s, 11 * MSS);
    dup(&s);
    dup(&s);
    assert_true(dup(&s));
}

/* A timeout in the middle of fast recovery ends that, and lowers ssthresh a second time (RFC 5681
 * 4.3), although more is in flight by now. */
static void timeout_in_fast_recovery(void **state)
{
    (void)state;
    struct sender s = recovering(0, 10);
    s.nxt = 12 * MSS;
    timeout(&s, true);
    assert_int_equal(s.r.mode, RECOVERY_RTO);
    assert_int_equal(s.c.cwnd, MSS);
    assert_int_equal(s.c.ssthresh, 5 * MSS / 2);
    assert_range(&s, 0, 12 * MSS);
    ack(&s, 10 * MSS); /* the recover of fast recovery is not the one that counts now */
    assert_int_equal(s.r.mode, RECOVERY_RTO);
    struct recovery_ack a = ack(&s, 12 * MSS);
    assert_true(a.grow);
    assert_int_equal(s.r.mode, RECOVERY_OPEN);
}

/* RFC 3465 2.3: while a timeout's losses are repaired, and for the very ACK that ends it, one SMSS
 * per ACK; afterwards the usual limit. */
static void limit_after_timeout(void **state)
{
    (void)state;
    struct sender s = sender(0, 20);
    s.c.ssthresh = 100 * MSS;
    timeout(&s, true);
    s.c.ssthresh = 100 * MSS;
    resent(&s, MSS);
    ack(&s, 10 * MSS);
    s.c.ops->acked(&s.c, &(struct cc_ack){.octets = 10 * MSS, .used = true});
    assert_int_equal(s.c.cwnd, 2 * MSS);
    s.nxt = 30 * MSS;
    ack(&s, 20 * MSS);
    s.c.ops->acked(&s.c, &(struct cc_ack){.octets = 10 * MSS, .used = true});
    assert_int_equal(s.c.cwnd, 3 * MSS);
    ack(&s, 30 * MSS);
    s.c.ops->acked(&s.c, &(struct cc_ack){.octets = 10 * MSS, .used = true});
    assert_int_equal(s.c.cwnd, 11 * MSS);
}

/* A window that has opened again: no sign of congestion. What is to be sent does not count as in
 * flight, or a full window would keep itself shut. */
static void resend_without_loss(void **state)
{
    (void)state;
    struct sender s = sender(0, 10);
    recovery_resend(&s.r, at(0), at(s.nxt));
    check(&s);
    assert_int_equal(s.r.mode, RECOVERY_OPEN);
    assert_int_equal(s.c.cwnd, 10 * MSS);
    assert_range(&s, 0, 10 * MSS);
    assert_int_equal(flight(&s), 0);
    resent(&s, 4 * MSS);
    assert_int_equal(flight(&s), 4 * MSS);
    struct recovery_ack a = ack(&s, 5 * MSS);
    assert_true(a.grow);
    assert_range(&s, 5 * MSS, 10 * MSS);
}

/* A fast retransmit while such a range is unfinished: both are sent, nothing of it is lost. */
static void fast_retransmit_in_a_range(void **state)
{
    (void)state;
    struct sender s = sender(0, 10);
    recovery_resend(&s.r, at(0), at(s.nxt));
    resent(&s, 4 * MSS);
    dup(&s);
    dup(&s);
    assert_true(dup(&s));
    assert_int_equal(s.c.ssthresh, 2 * MSS); /* by what was in flight: four segments */
    assert_range(&s, 0, 10 * MSS);

    resent(&s, 2 * MSS);
    ack(&s, MSS); /* partial; the segment at una has just been sent again */
    assert_range(&s, 2 * MSS, 10 * MSS);
    ack(&s, 2 * MSS);
    assert_range(&s, 2 * MSS, 10 * MSS);
    ack(&s, 7 * MSS);
    assert_range(&s, 7 * MSS, 10 * MSS);
}

/* A segment that reaches beyond the range leaves the range empty, where it ended. */
static void resent_beyond_the_range(void **state)
{
    (void)state;
    struct sender s = sender(0, 10);
    for (int i = 0; i < 3; i++)
        dup(&s);
    resent(&s, 2 * MSS);
    assert_false(recovery_pending(&s.r));
    ack(&s, 2 * MSS);
    assert_range(&s, 2 * MSS, 3 * MSS);
}

/* Inflation saturates. */
static void inflation_saturates(void **state)
{
    (void)state;
    struct sender s = recovering(0, 10);
    s.c.cwnd = CC_CWND_MAX - 1;
    dup(&s);
    assert_int_equal(s.c.cwnd, CC_CWND_MAX);
    dup(&s);
    assert_int_equal(s.c.cwnd, CC_CWND_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lost),
        cmocka_unit_test(third_duplicate),
        cmocka_unit_test(limited_transmit),
        cmocka_unit_test(duplicates_in_a_row),
        cmocka_unit_test(short_last_segment),
        cmocka_unit_test(full_ack),
        cmocka_unit_test(all_but_one_octet),
        cmocka_unit_test(partial_acks),
        cmocka_unit_test(partial_deflation),
        cmocka_unit_test(partial_before_resent),
        cmocka_unit_test(one_reduction_per_window),
        cmocka_unit_test(recover_follows),
        cmocka_unit_test(after_a_timeout),
        cmocka_unit_test(timeout_again),
        cmocka_unit_test(no_fast_retransmit_after_timeout),
        cmocka_unit_test(timeout_in_fast_recovery),
        cmocka_unit_test(limit_after_timeout),
        cmocka_unit_test(resend_without_loss),
        cmocka_unit_test(fast_retransmit_in_a_range),
        cmocka_unit_test(resent_beyond_the_range),
        cmocka_unit_test(inflation_saturates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
