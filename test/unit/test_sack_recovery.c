/* sack_recovery.c without a connection: what ends recovery, and what undoes it (RFC 6675 5, RFC
 * 4015). Through the connection: test_loss.c. */
#include "nstime.h"
#include "sack_recovery.h"
#include "support.h"

#define MSS 1000u
#define MS  NS_PER_MS

struct sender {
    struct test_mem mem;
    struct sack_recovery r;
    struct cc c;
    uint32_t nxt;
};

/* An ACK of `ack`, with one block; left == right: none. */
static void acked(struct sender *s, uint32_t ack, uint32_t left, uint32_t right, uint64_t at_ms)
{
    struct seg seg = {.flags = TCP_ACK, .ack = seq(ack)};
    seg.opts.n_sack = left != right;
    seg.opts.sack[0] = (struct sack_block){seq(left), seq(right)};
    const struct sack_ack a = {.seg = &seg,
                               .una = seq(ack),
                               .nxt = seq(s->nxt),
                               .echo_end_ns = TIME_NEVER,
                               .wnd_max = 20 * MSS,
                               .srtt_ns = 100 * MS,
                               .now_ns = at_ms * MS};
    sack_recovery_ack(&s->r, &s->c, &a);
}

/* Twenty segments are in flight, the first is lost, and was sent again. */
static void recovering(struct sender *s)
{
    test_mem_init(&s->mem);
    cc_init(&s->c, &cc_newreno, MSS, false);
    s->c.cwnd = s->nxt = 20 * MSS;
    sack_recovery_init(&s->r, &s->mem.mem, seq(0), 1);
    sack_recovery_sent(&s->r, seq(0), seq(20 * MSS), seq(0), 1000 * MS);
    acked(s, 0, MSS, 5 * MSS, 1100);
    assert_int_equal(s->r.mode, RECOVERY_FAST);
    assert_int_equal(s->c.ssthresh, 10 * MSS);
    sack_recovery_sent(&s->r, seq(0), seq(MSS), seq(20 * MSS), 1100 * MS);
}

static void end(struct sender *s)
{
    sack_recovery_finish(&s->r);
    assert_int_equal(s->mem.live, 0);
}

/* RFC 6675 5 (A): RecoveryPoint, and not an octet less. */
static void recovery_point(void **state)
{
    (void)state;
    struct sender s;
    recovering(&s);
    acked(&s, 20 * MSS - 1, 0, 0, 1200);
    assert_int_equal(s.r.mode, RECOVERY_FAST);
    acked(&s, 20 * MSS, 0, 0, 1201);
    assert_int_equal(s.r.mode, RECOVERY_OPEN);
    assert_int_equal(s.c.cwnd, 10 * MSS);
    end(&s);
}

/* RFC 6675 5 (A), 5.1: a loss beyond RecoveryPoint, of text that was sent in recovery, is
 * congestion again when recovery is over (simulator, seed 250521). */
static void beyond_recovery_point(void **state)
{
    (void)state;
    struct sender s;
    recovering(&s);
    s.nxt = 24 * MSS;
    sack_recovery_sent(&s.r, seq(20 * MSS), seq(21 * MSS), seq(20 * MSS), 1110 * MS);
    sack_recovery_sent(&s.r, seq(21 * MSS), seq(24 * MSS), seq(21 * MSS), 1120 * MS);
    acked(&s, 5 * MSS, 5 * MSS + 1, 20 * MSS, 1200);
    acked(&s, 5 * MSS, 21 * MSS, 24 * MSS,
          1300); /* the 21st is lost, and so is the sixth's octet */
    assert_int_equal(s.r.mode, RECOVERY_FAST);
    assert_int_equal(s.c.ssthresh, 10 * MSS);
    assert_true(s.r.board.lost >= MSS);
    acked(&s, 20 * MSS, 21 * MSS, 24 * MSS, 1301);
    assert_int_equal(s.r.mode, RECOVERY_FAST);
    assert_true(s.c.ssthresh < 10 * MSS);
    assert_int_equal(s.r.recover.v, seq(24 * MSS).v);
    acked(&s, 24 * MSS, 0, 0, 1400);
    assert_int_equal(s.r.mode, RECOVERY_OPEN);
    end(&s);
}

/* A D-SACK of what was not sent again in this recovery undoes nothing; one of all that was does,
 * and is a sign of reordering. */
static void undo(void **state)
{
    (void)state;
    struct sender s;
    recovering(&s);
    acked(&s, 5 * MSS, 0, 500, 1150);
    assert_int_equal(s.r.mode, RECOVERY_FAST);
    acked(&s, 5 * MSS, 0u - MSS, 0, 1160);
    assert_int_equal(s.r.mode, RECOVERY_FAST);
    assert_false(s.r.rack.reordering_seen);
    acked(&s, 5 * MSS, 500, MSS, 1170);
    assert_int_equal(s.r.mode, RECOVERY_OPEN);
    assert_true(s.r.rack.reordering_seen); /* it was late, not lost */
    assert_true(s.c.cwnd >= 20 * MSS && s.c.ssthresh > 20 * MSS);
    end(&s);
}

/* An ACK that the network has doubled does not tell of more than was sent again (simulator, seed
 * 2226091). */
static void doubled_dsack(void **state)
{
    (void)state;
    struct sender s;
    recovering(&s);
    acked(&s, 5 * MSS, 0, 600, 1150);
    acked(&s, 5 * MSS, 0, 600, 1151);
    assert_int_equal(s.r.mode, RECOVERY_FAST);
    acked(&s, 5 * MSS, 600, MSS, 1170);
    assert_int_equal(s.r.mode, RECOVERY_OPEN);
    end(&s);
}

/* What goes again for cwnd. */
static unsigned sent_again(struct sender *s, uint64_t at_ms)
{
    unsigned n = 0;
    seq_t from, end;
    while (scoreboard_flight(&s->r.board, s->nxt) + MSS <= s->c.cwnd &&
           scoreboard_missing(&s->r.board, &from, &end)) {
        sack_recovery_sent(&s->r, from, seq_add(from, MSS), seq(s->nxt), at_ms * MS);
        n++;
    }
    return n;
}

/* RFC 6937 3 has PRR at each ACK: what the reordering timer finds lost in recovery takes the room
 * that it leaves, as in Linux. */
static void timer_in_recovery(void **state)
{
    (void)state;
    struct sender s;
    recovering(&s);
    s.r.rack.reordering_seen = true;
    acked(&s, 0, 18 * MSS, 19 * MSS, 1101);
    uint64_t due_ns = s.r.rack.reo_due_ns;
    assert_true(due_ns != TIME_NEVER);
    (void)sent_again(&s, 1101);
    uint32_t lost = s.r.board.lost;
    sack_recovery_reo_timeout(&s.r, &s.c, seq(0), seq(s.nxt), 100 * MS, due_ns);
    uint32_t found = (s.r.board.lost - lost) / MSS;
    assert_true(found >= 10);
    assert_int_equal(sent_again(&s, due_ns / MS), found);
    end(&s);
}

/* RFC 5681 4.3: the timer runs out in fast recovery: a second sign of congestion. */
static void timeout(void **state)
{
    (void)state;
    struct sender s;
    recovering(&s);
    sack_recovery_timeout(&s.r, &s.c, seq(0), seq(20 * MSS), true, 100 * MS, 1400 * MS);
    assert_int_equal(s.r.mode, RECOVERY_RTO);
    assert_int_equal(s.c.ssthresh, 5 * MSS);
    assert_int_equal(s.r.board.lost, 16 * MSS);
    assert_int_equal(s.c.cwnd, MSS);
    end(&s);
}

/* RFC 9438 4.8: what cwnd was before a timeout in fast recovery is what recovery was to end with,
 * not what proportional rate reduction had come to. */
static void timeout_in_recovery(void **state)
{
    (void)state;
    struct sender s;
    recovering(&s);
    cc_change(&s.c, &cc_cubic);
    assert_true(s.c.cwnd > s.c.ssthresh); /* it is on its way down */
    sack_recovery_timeout(&s.r, &s.c, seq(0), seq(20 * MSS), true, 100 * MS, 1400 * MS);
    assert_int_equal(s.c.cubic.cwnd_prior, 10 * MSS);
    end(&s);
}

/* What small segments share a record for is not cut out of it one by one: SACKed are as many as
 * have records. */
static void small_segments(void **state)
{
    (void)state;
    enum { SMALL = 48, SENT = 4 * SCOREBOARD_MANY, RECORDS_MAX = 2 * SCOREBOARD_MANY };
    struct sender s = {0};
    test_mem_init(&s.mem);
    cc_init(&s.c, &cc_newreno, SMALL, false);
    sack_recovery_init(&s.r, &s.mem.mem, seq(0), 1);
    for (uint32_t i = 0; i < SENT; i++, s.nxt += SMALL)
        sack_recovery_sent(&s.r, seq(s.nxt), seq(s.nxt + SMALL), seq(s.nxt), 1000 * MS + i);
    for (uint32_t i = SENT - 2; i > 0; i -= 2)
        acked(&s, 0, i * SMALL, (i + 1) * SMALL, 1100);
    assert_in_range(s.r.board.n, SCOREBOARD_MANY, RECORDS_MAX);
    assert_true(s.r.board.sacked > 0);
    assert_true(scoreboard_check(&s.r.board, seq(0), seq(s.nxt)));
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recovery_point),
        cmocka_unit_test(beyond_recovery_point),
        cmocka_unit_test(undo),
        cmocka_unit_test(doubled_dsack),
        cmocka_unit_test(timer_in_recovery),
        cmocka_unit_test(timeout),
        cmocka_unit_test(timeout_in_recovery),
        cmocka_unit_test(small_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
