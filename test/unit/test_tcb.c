/* tcb.c: a connection's variables and its invariants (RFC 9293 3.3.1). */
#include "segments.h"
#include "timeout.h"

/* What RFC 9293 asks of the figures that are used unless a user sets others. */
static void config(void **state)
{
    (void)state;
    struct tcp_config c = tcp_config_default();
    assert_true(c.ack_delay_ns > 0 && c.ack_delay_ns < 500 * NS_PER_MS); /* MUST-40, SHLD-18 */
    assert_true(c.user_timeout_ns >= 100 * NS_PER_S);                    /* SHLD-11 */
    assert_int_equal(c.user_timeout_ns, 300 * NS_PER_S);                 /* 3.9.1.1 */
    assert_true(c.syn_timeout_ns >= 180 * NS_PER_S);                     /* MUST-23 */
    assert_true(c.synack_timeout_ns >= 180 * NS_PER_S);                  /* the same */
    assert_true(c.idle_restart);                                         /* RFC 5681 4.1 */
    assert_true(c.r1 >= 3);                                              /* SHLD-10 */
    assert_int_equal(c.rto_initial_ns, NS_PER_S);                        /* RFC 6298 2.1 */
    assert_true(c.rto_max_ns >= 60 * NS_PER_S);                          /* RFC 6298 2.5 */
    assert_false(c.nodelay);                                             /* SHLD-7 */
    assert_true(c.cc->acked && c.cc->loss && c.cc->timeout && c.cc->name);
}

/* RFC 5681 4.1 is asked for by a figure: without it a long silence leaves cwnd as it was. */
static void silence_without_restart(void **state)
{
    (void)state;
    the.config.idle_restart = false;
    establish(.wnd = 50000);
    the.tcb.busy->cc.cwnd = 60000;
    at(100000);
    user_sends(20000);
    for (uint32_t i = 0; i < 19; i++)
        expect(.flags = ACK, .seq = 1 + 1000 * i, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 19001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 20001);
}

static void begins_closed_and_empty(void **state)
{
    (void)state;
    tcp_common_init(&the.common, &the.config, &the.mem.mem, &the.trace, 0);
    tcb_init(&the.tcb, &the.flow, the.path.mtu, &the.common, 7, NULL);
    assert_int_equal(the.tcb.state, STATE_CLOSED);
    assert_int_equal(the.tcb.id, 7);
    assert_int_equal(the.mem.mem.used, 0);
    assert_true(tcp_deadline(&the.tcb) == TIME_NEVER);
    assert_null(tcb_check_deep(&the.tcb));
    tcb_finish(&the.tcb);
}

/* 3.7.1, MUST-67: the MTU less the fixed headers. */
static void mss_of_path(void **state)
{
    (void)state;
    the.path.mtu = 1500;
    tcp_common_init(&the.common, &the.config, &the.mem.mem, &the.trace, 0);
    tcb_init(&the.tcb, &the.flow, the.path.mtu, &the.common, 1, NULL);
    assert_int_equal(tcb_path_mss(&the.tcb), 1460);
    the.flow.local = the.flow.remote = (struct ip_addr){{0x20, 1, [15] = 1}};
    tcp_common_init(&the.common, &the.config, &the.mem.mem, &the.trace, 0);
    tcb_init(&the.tcb, &the.flow, the.path.mtu, &the.common, 1, NULL);
    assert_int_equal(tcb_path_mss(&the.tcb), 1440);
}

/* Text of both directions, read and acknowledged or not, goes back with the connection. */
static void finish_returns_memory(void **state)
{
    (void)state;
    establish();
    user_sends(500);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 500);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 100);
    batch();
    receive(.flags = ACK, .seq = 201, .ack = 1, .text = 100);
    expect(.flags = ACK, .seq = 501, .ack = 101);
    assert_true(the.mem.mem.used > 0);
}

/* 3.3.1 and Figure 3, in the middle of a connection. */
static void variables(void **state)
{
    (void)state;
    establish(.wnd = 5000);
    assert_int_equal(tcb_text_start(&the.tcb).v, the.iss + 1);
    assert_int_equal(tcb_text_end(&the.tcb).v, the.iss + 1);
    assert_false(tcb_fin_taken(&the.tcb));
    assert_true(tcb_synchronized(&the.tcb));
    assert_false(tcb_fin_acked(&the.tcb));
    assert_int_equal(tcb_rcv_wnd(&the.tcb), 10000);
    receive(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    assert_int_equal(tcb_rcv_wnd(&the.tcb), 9000); /* less what has arrived since */
    assert_int_equal(tcb_stream_offset(&the.tcb, seq(the.irs + 1001)), 1000);
    assert_int_equal(tcb_stream_offset(&the.tcb, seq(the.irs + 1)), 0);
    assert_int_equal(tcb_stream_offset(&the.tcb, seq(the.irs + 3001)), 3000);
    at(140);
    expect(.flags = ACK, .seq = 1, .ack = 1001, .wnd = 9000);
    user_close();
    expect(.flags = FIN | ACK, .seq = 1, .ack = 1001);
    assert_false(tcb_fin_acked(&the.tcb));
    receive(.flags = ACK, .seq = 1001, .ack = 2);
    assert_true(tcb_fin_acked(&the.tcb));
    receive(.flags = FIN | ACK, .seq = 1001, .ack = 2);
    assert_true(tcb_fin_taken(&the.tcb));
    expect(.flags = ACK, .seq = 2, .ack = 1002);
}

/* 3.10.6 */
static void status(void **state)
{
    (void)state;
    struct tcp_status s;
    for (enum tcp_state is = STATE_LISTEN; is <= STATE_TIME_WAIT; is++) {
        reach(is);
        tcb_status(&the.tcb, &s);
        assert_int_equal(s.state, is);
        again();
    }
    establish(.wnd = 5000, .mss = 800);
    user_sends(800);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 800);
    user_sends(300);
    expect(.flags = PSH | ACK, .seq = 801, .ack = 1, .text = 300);
    receive(.flags = ACK, .seq = 1, .ack = 801, .wnd = 4000, .text = 70);
    tcb_status(&the.tcb, &s);
    assert_int_equal(s.snd_wnd, 4000);
    assert_int_equal(s.rcv_wnd, 9930);
    assert_int_equal(s.snd_mss, 800);
    assert_int_equal(s.rcv_mss, 1000);
    assert_int_equal(s.flight, 300);
    assert_int_equal(s.unsent_or_unacked, 300);
    assert_int_equal(s.unread, 70);
    assert_int_equal(s.srtt_ns, 87500 * NS_PER_US);
    assert_int_equal(s.flow.remote_port, 80);
    assert_int_equal(s.retries, 0);
    assert_true(s.cwnd >= 2 * 800 && s.ssthresh > s.cwnd && s.rto_ns >= s.srtt_ns);
    at(140);
    expect(.flags = ACK, .seq = 1101, .ack = 71);
}

/* The rest of STATUS, through a loss and a shut window. */
static void status_counts(void **state)
{
    (void)state;
    struct tcp_status s;
    the.path.super_max = 3000;
    the.config.sndbuf = 20000;
    open_active();
    expect(.flags = SYN, .seq = 0);
    tcb_status(&the.tcb, &s);
    assert_int_equal(s.octets_sent + s.unsent + s.segs_in, 0);
    assert_false(s.scaled);
    at(100);
    receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 10000, .mss = 1000, .scale = 3);
    expect(.flags = ACK, .seq = 1, .ack = 1);
    user_sends(2500);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 2500, .gso = 1000);
    at(400);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000); /* lost as well */
    tcb_status(&the.tcb, &s);
    assert_true(s.scaled);
    assert_int_equal(s.snd_shift, 3);
    assert_int_equal(s.rcv_shift, 0);
    assert_int_equal(s.path_mtu, 1040);
    assert_int_equal(s.sndbuf, 20000);
    assert_int_equal(s.rcvbuf, 10000);
    assert_int_equal(s.segs_out, 6); /* SYN, ACK, three packets in one segment, one again */
    assert_int_equal(s.segs_in, 1);
    assert_int_equal(s.octets_sent, 3500);
    assert_int_equal(s.octets_resent, 1000);
    assert_int_equal(s.octets_acked, 0);
    assert_int_equal(s.backoff, 1);
    assert_int_equal(s.retries, 1);
    assert_int_equal(s.text_sent_ns, the.start_ns + 400 * NS_PER_MS);
    assert_int_equal(s.heard_ns, the.start_ns + 100 * NS_PER_MS);
    assert_int_equal(s.rttvar_ns, 50 * NS_PER_MS);
    at(500);
    receive(.flags = ACK, .seq = 1, .ack = 2501, .wnd = ZERO, .text = 1600, .gso = 800);
    batch();
    user_sends(100);
    expect(.flags = ACK, .seq = 2501, .ack = 1601);
    tcb_status(&the.tcb, &s);
    assert_int_equal(s.octets_acked, 2500);
    assert_int_equal(s.octets_sent, 3500);
    assert_int_equal(s.octets_received, 1600);
    assert_int_equal(s.segs_in, 3);
    assert_int_equal(s.rcv_largest, 800);
    assert_int_equal(s.heard_ns, the.start_ns + 500 * NS_PER_MS);
    assert_int_equal(s.unsent, 100);
    assert_int_equal(s.ack_delay_ns, 40 * NS_PER_MS);
    user_abort();
    ignore();
}

/* The peer acknowledges our FIN, which is no text. */
static void status_of_fin(void **state)
{
    (void)state;
    struct tcp_status s;
    establish();
    user_sends(10);
    batch();
    user_close();
    expect(.flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    at(400);
    expect(.flags = FIN | PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    tcb_status(&the.tcb, &s);
    assert_int_equal(s.octets_sent, 20);
    assert_int_equal(s.unsent, 0);
    receive(.flags = FIN | ACK, .seq = 1, .ack = 12);
    expect(.flags = ACK, .seq = 12, .ack = 2);
    tcb_status(&the.tcb, &s);
    assert_int_equal(s.octets_acked, 10);
    assert_int_equal(s.octets_sent, 20);
    assert_int_equal(s.octets_resent, 10);
    assert_int_equal(s.octets_received, 0);
}

#define BREAKS(...)                                                                                \
    do {                                                                                           \
        const struct tcb saved = the.tcb;                                                          \
        const struct busy saved_busy = *the.tcb.busy;                                              \
        struct tcb *t = &the.tcb;                                                                  \
        __VA_ARGS__;                                                                               \
        assert_non_null(tcb_check(t));                                                             \
        the.tcb = saved;                                                                           \
        *the.tcb.busy = saved_busy;                                                                \
        assert_null(tcb_check(t));                                                                 \
    } while (0)

/* Every invariant is noticed when it does not hold. */
static void broken_invariants(void **state)
{
    (void)state;
    establish();
    user_sends(100);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    BREAKS(t->snd.una = seq_add(t->snd.nxt, 1));
    BREAKS(t->fin_sent = true);
    BREAKS(t->fin_sent = t->fin_queued = true, t->snd.fin = t->snd.nxt);
    BREAKS(t->snd.nxt = seq_add(t->snd.nxt, 1));
    BREAKS(t->snd.up = seq_sub(t->snd.una, 1));
    BREAKS(t->snd.up = seq_add(t->snd.nxt, 1));
    BREAKS(t->busy->recovery.nxt = seq_add(t->busy->recovery.end, 1));
    BREAKS(t->busy->recovery.nxt = seq_sub(t->snd.una, 2), t->busy->recovery.end = t->snd.una);
    BREAKS(t->busy->recovery.nxt = t->snd.una, t->busy->recovery.end = seq_add(t->snd.nxt, 1));
    BREAKS(t->busy->cc.cwnd = t->busy->cc.mss - 1);
    BREAKS(t->busy->rtx_due_ns = TIME_NEVER);
    BREAKS(t->rcvwnd.edge = 0, t->rcvq.head = 1);
    BREAKS(t->rcvq.start = t->rcvq.head + 1);
    BREAKS(t->rcv.nxt = seq_add(t->rcv.nxt, 1));
    BREAKS(t->busy->rcv_up = t->rcvwnd.edge + 65536);
    receive(.flags = ACK, .seq = 1, .ack = 101);
    BREAKS(t->busy->give_up_due_ns = the.now_ns + 1);
}

static void broken_in_other_states(void **state)
{
    (void)state;
    reach(STATE_LISTEN);
    BREAKS(t->busy->rtx_due_ns = 1);
    BREAKS(t->busy->give_up_due_ns = 1);
    BREAKS(t->busy->persist.due_ns = 1);
    again();
    reach(STATE_SYN_RECEIVED);
    BREAKS(t->rcvq.head = t->rcvwnd.edge + 1);
    again();
    reach(STATE_TIME_WAIT);
    BREAKS(t->linger_due_ns = TIME_NEVER);
    BREAKS(t->rcv.nxt = seq_add(t->rcv.nxt, 1));
}

/* ---- More than 2^32 octets (3.4: "all arithmetic [...] must be performed modulo 2^32") ---- */

/* As if all numbers but n had been used since our SYN: when n more octets are acknowledged,
 * SND.UNA is ISS again, though our SYN was acknowledged long ago. */
static void all_numbers_used_but(uint32_t n)
{
    the.tcb.snd.iss = seq_add(the.tcb.snd.una, n);
}

/* Nothing is in flight when that happens: nothing is sent, and what is sent later is right. */
static void una_at_iss_again(void **state)
{
    (void)state;
    establish();
    all_numbers_used_but(2000);
    user_sends(2000);
    expect(.flags = ACK, .seq = 1, .ack = 1, .text = 1000);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 1000);
    receive(.flags = ACK, .seq = 1, .ack = 2001);
    expect_silence();
    assert_int_equal(the.tcb.snd.una.v, the.tcb.snd.iss.v);
    assert_int_equal(tcb_text_start(&the.tcb).v, the.iss + 2001);
    user_sends(300);
    expect(.flags = PSH | ACK, .seq = 2001, .ack = 1, .text = 300);
    receive(.flags = ACK, .seq = 1, .ack = 2301);
    user_close();
    expect(.flags = FIN | ACK, .seq = 2301, .ack = 1);
    receive(.flags = ACK, .seq = 1, .ack = 2302);
    expect_state(STATE_FIN_WAIT_2);
}

/* Something is in flight: new text begins where that ends, and when it is lost it comes again from
 * SND.UNA on. segments.h looks at every octet. */
static void una_at_iss_again_with_flight(void **state)
{
    (void)state;
    the.config.nodelay = true;
    establish();
    all_numbers_used_but(1000);
    user_sends(1000);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 1000);
    user_sends(100);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 100);
    at(200);
    receive(.flags = ACK, .seq = 1, .ack = 1001); /* a sample of 100: RTO 300 */
    user_sends(20);
    expect(.flags = PSH | ACK, .seq = 1101, .ack = 1, .text = 20);
    at(500);
    expect(.flags = PSH | ACK, .seq = 1001, .ack = 1, .text = 120);
    receive(.flags = ACK, .seq = 1, .ack = 1121);
    assert_int_equal(the.tcb.busy->sndq.len, 0);
}

/* Octet by octet past it, and with the FIN at each number near it. */
static void fin_at_iss_again(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 5; n++) {
        the.config.nodelay = true;
        establish();
        all_numbers_used_but(2);
        for (uint32_t i = 1; i <= n; i++) {
            user_sends(1);
            expect(.flags = PSH | ACK, .seq = i, .ack = 1, .text = 1);
            receive(.flags = ACK, .seq = 1, .ack = i + 1);
        }
        user_close();
        expect(.flags = FIN | ACK, .seq = n + 1, .ack = 1);
        ladder_at(HERE, tcp_deadline(&the.tcb) - the.start_ns);
        expect(.flags = FIN | ACK, .seq = n + 1, .ack = 1); /* not acknowledged yet */
        expect_state(STATE_FIN_WAIT_1);
        receive(.flags = ACK, .seq = 1, .ack = n + 2);
        expect_state(STATE_FIN_WAIT_2);
        again();
    }
}

/* The invariants are looked at however far SND.NXT has come: here the half of all numbers, from
 * where on ISS no longer lies before it. */
static void broken_far_from_iss(void **state)
{
    (void)state;
    establish();
    all_numbers_used_but(0x7fffff00);
    user_sends(100);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 100);
    BREAKS(t->snd.nxt = seq_add(t->snd.nxt, 1));
    receive(.flags = ACK, .seq = 1, .ack = 101);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ladder_test(config),
        ladder_test(silence_without_restart),
        ladder_test(begins_closed_and_empty),
        ladder_test(mss_of_path),
        ladder_test(finish_returns_memory),
        ladder_test(variables),
        ladder_test(status),
        ladder_test(status_counts),
        ladder_test(status_of_fin),
        ladder_test(broken_invariants),
        ladder_test(broken_in_other_states),
        ladder_test(una_at_iss_again),
        ladder_test(una_at_iss_again_with_flight),
        ladder_test(fin_at_iss_again),
        ladder_test(broken_far_from_iss),
    };
    return ladder_main(tests);
}
