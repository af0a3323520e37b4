/* The beginnings of most tests, and their end. See segments.h. */
#include "no_memory.h"
#include "run.h"
#include "segments.h"

/* What two ends have before they agree on anything. The peer sends little: MSS 1000, and windows of
 * 10000, make diagrams that can be read. */
#define MTU 1040
#define WND 10000

int ladder_setup(void **state)
{
    (void)state;
    memset(&the, 0, sizeof the);
    test_mem_init(&the.mem);
    no_memory_watch(&the.mem);
    the.config = tcp_config_default();
    /* What goes when is by ACKs and timers alone. */
    the.config.pacing_ss_ratio = the.config.pacing_ca_ratio = 0;
    the.config.rcvbuf = the.config.rcvbuf_max = WND;
    the.path.mtu = MTU;
    the.path.super_max = 0;
    the.flow = (struct flow){.local = ip_addr_v4(0x0a000001),
                             .remote = ip_addr_v4(0x0a000002),
                             .local_port = 40000,
                             .remote_port = 80};
    the.trace = ladder_trace();
    the.iss = run_numbers.iss;
    the.irs = run_numbers.irs;
    the.start_ns = the.now_ns = 10 * NS_PER_S;
    the.clock = run_numbers.iss;
    the.peer_wnd = WND;
    return 0;
}

int ladder_teardown(void **state)
{
    (void)state;
    no_memory_told(the.open && the.tcb.no_room);
    if (no_memory_excused())
        ignore();
    else if (!the.failed)
        expect_silence();
    if (the.open)
        tcb_finish(&the.tcb);
    no_memory_gives_back(&the.mem);
    return 0;
}

void again(void)
{
    no_memory_passed();
    ladder_teardown(NULL);
    ladder_setup(NULL);
}

void ladder_establish(struct where w, struct line l)
{
    ladder_open(w, false);
    ladder_expect(w, (struct line){.flags = SYN, .seq = 0});
    ladder_at(w, 100 * NS_PER_MS);
    l.flags = SYN | ACK;
    l.ack = 1;
    if (l.mss == 0)
        l.mss = 1000;
    ladder_receive(w, l);
    ladder_expect(w, (struct line){.flags = ACK, .seq = 1, .ack = 1});
    ladder_state(w, STATE_ESTABLISHED);
    ladder_events(w, TCB_EV_ESTABLISHED);
}

void ladder_establish_passive(struct where w, struct line l)
{
    ladder_open(w, true);
    l.flags = SYN;
    if (l.mss == 0)
        l.mss = 1000;
    ladder_receive(w, l);
    ladder_expect(w, (struct line){.flags = SYN | ACK, .seq = 0, .ack = 1});
    ladder_at(w, 100 * NS_PER_MS);
    ladder_receive(w, (struct line){.flags = ACK, .seq = 1, .ack = 1});
    ladder_state(w, STATE_ESTABLISHED);
    ladder_events(w, TCB_EV_ESTABLISHED);
}

static void close_and_send_fin(struct where w)
{
    uint32_t ack = theirs();
    assert_int_equal(ladder_close(w), ERR_NONE);
    ladder_expect(w, (struct line){.flags = FIN | ACK, .seq = 1, .ack = ack});
}

static void receive_fin(struct where w, uint32_t ack)
{
    ladder_receive(w, (struct line){.flags = FIN | ACK, .seq = 1, .ack = ack});
    if (the.tcb.state == STATE_CLOSING) /* our FIN, which it has crossed, goes again */
        ladder_expect(w, (struct line){.flags = FIN | ACK, .seq = 1, .ack = 2});
    else
        ladder_expect(w, (struct line){.flags = ACK, .seq = ours(), .ack = 2});
}

void ladder_reach(struct where w, enum tcp_state s)
{
    if (s == STATE_CLOSED || s == STATE_LISTEN || s == STATE_SYN_RECEIVED) {
        ladder_open(w, true);
        if (s == STATE_CLOSED)
            ladder_close(w);
        if (s == STATE_SYN_RECEIVED) {
            ladder_receive(w, (struct line){.flags = SYN, .mss = 1000});
            ladder_expect(w, (struct line){.flags = SYN | ACK, .seq = 0, .ack = 1});
        }
    } else if (s == STATE_SYN_SENT) {
        ladder_open(w, false);
        ladder_expect(w, (struct line){.flags = SYN, .seq = 0});
    } else {
        ladder_establish(w, (struct line){.mss = 1000});
    }
    if (s == STATE_CLOSE_WAIT || s == STATE_LAST_ACK)
        receive_fin(w, 1);
    if (s == STATE_FIN_WAIT_1 || s == STATE_FIN_WAIT_2 || s == STATE_CLOSING ||
        s == STATE_LAST_ACK || s == STATE_TIME_WAIT)
        close_and_send_fin(w);
    if (s == STATE_FIN_WAIT_2 || s == STATE_TIME_WAIT)
        ladder_receive(w, (struct line){.flags = ACK, .seq = 1, .ack = 2});
    if (s == STATE_CLOSING || s == STATE_TIME_WAIT)
        receive_fin(w, s == STATE_CLOSING ? 1 : 2);
    ladder_state(w, s);
    the.tcb.events = 0;
}
