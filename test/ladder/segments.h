/*
 * A language in which a test of one connection reads like the RFC's ladder diagrams:
 *
 *     open_active();
 *     expect(.flags = SYN, .seq = 0);
 *     at(100);
 *     receive(.flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 10000, .mss = 1000);
 *     expect(.flags = ACK, .seq = 1, .ack = 1);
 *     at(1000);
 *
 * Numbers are relative: 0 is the SYN of whoever sends, 1 the first octet of its text. So are
 * timestamps: ours count ms from at(0), and the peer may say what it likes. Text is never
 * given, only its length: octet n of a stream always has the same value, and that is checked.
 *
 * Silence is asserted: before every line that makes something happen, and at the end of the test,
 * the connection must have nothing more to send; and at() runs every timer on the way and asserts
 * that none of them sends anything before the time given. Every call is followed by
 * tcb_check_deep(), and every segment is checked for what holds for all (connection.c: check_sent).
 *
 * There is one connection per test, `the`. A test may change the.config, the.path and the.flow
 * before it opens the connection. ladder_main() runs all tests several times (run.h).
 */
#ifndef SEGMENTS_H
#define SEGMENTS_H

#include "line.h"
#include "log.h"
#include "run.h"
#include "tcb.h"

/* Where in the test something was said. */
struct where {
    const char *file;
    int line;
};

#define HERE ((struct where){__FILE__, __LINE__})

struct ladder {
    struct tcb tcb;
    struct test_mem mem;
    struct tcp_config config;
    struct tcp_common common;
    struct {
        uint16_t mtu;       /* of its first link */
        uint32_t super_max; /* as in struct tcp_common */
    } path;
    struct flow flow;
    struct trace trace;

    uint32_t iss, irs; /* what 0 stands for */
    uint32_t clock; /* our timestamp at at(0): what 0 stands for there; for the peer's it is irs */
    uint64_t start_ns; /* what at(0) stands for */
    uint64_t now_ns;
    bool open;         /* the.tcb is there */
    bool batch;        /* the next step follows without output */
    uint32_t peer_wnd; /* what the peer announced last, as on the wire */
    uint64_t written;  /* octets the user has sent */
    uint64_t read;     /* octets the user has received */

    bool stamped;      /* what the peer sends has timestamps, unless the line says something */
    uint32_t peer_val; /* with this TSval, relative */

    bool has_answer; /* the RST that tcp_arrives() asked for */
    struct seg answer;
    bool has_edge; /* the right edge of the window last announced */
    seq_t edge;

    struct log log;
    bool failed;
};

extern struct ladder the;

/* ---- Time, in ms since the test began ---- */

#define at(ms)    ladder_at(HERE, (uint64_t)(ms)*NS_PER_MS)
#define later(ms) ladder_at(HERE, ladder_now() + (uint64_t)(ms)*NS_PER_MS)
void ladder_at(struct where w, uint64_t ns);
uint64_t ladder_now(void); /* ns since the test began */

/* ---- What the peer does ---- */

#define receive(...) ladder_receive(HERE, (struct line){__VA_ARGS__})
void ladder_receive(struct where w, struct line l);

/* The next receive() or user call follows in the same batch: no output between. */
void batch(void);

/* ---- What we are to send ---- */

#define expect(...)      ladder_expect(HERE, (struct line){__VA_ARGS__})
#define expect_silence() ladder_silence(HERE)
#define ignore()         ladder_ignore(HERE) /* whatever there is, until silence */
void ladder_expect(struct where w, struct line l);
void ladder_silence(struct where w);
void ladder_ignore(struct where w);
bool ladder_take(struct where w, struct seg *seg); /* the next segment; false: silence */

/* ---- What the user does: RFC 9293 3.10.1-5. ISS is taken from the.iss ---- */

#define open_active()   ladder_open(HERE, false)
#define open_passive()  ladder_open(HERE, true)
#define user_send(n)    ladder_send(HERE, (n), false)
#define user_receive(n) ladder_user_receive(HERE, (n))
#define user_close()    ladder_close(HERE)
#define user_leave()    ladder_leave(HERE)
#define user_abort()    ladder_abort(HERE)
void ladder_open(struct where w, bool passive);
int64_t ladder_send(struct where w, size_t n, bool urgent);
int64_t ladder_user_receive(struct where w, size_t n); /* checks the octets */
int ladder_close(struct where w);
void ladder_leave(struct where w);
void ladder_abort(struct where w);

/* Changes one member of the connection's struct tcp_settings; no step of its own. */
#define user_sets(member, value)                                                                   \
    do {                                                                                           \
        struct tcp_settings settings_ = *the.tcb.settings;                                         \
        settings_.member = (value);                                                                \
        ladder_set(&settings_);                                                                    \
    } while (0)
void ladder_set(const struct tcp_settings *settings);

/* The same, and all n octets are taken or had. */
#define user_sends(n)        ladder_sends(HERE, (n), false)
#define user_sends_urgent(n) ladder_sends(HERE, (n), true)
#define user_receives(n)     ladder_user_receives(HERE, (n))
void ladder_sends(struct where w, size_t n, bool urgent);
void ladder_user_receives(struct where w, size_t n);

/* ---- What is to hold ---- */

#define expect_state(s)    ladder_state(HERE, (s))
#define expect_closed(err) ladder_closed(HERE, (err))
#define expect_events(set) ladder_events(HERE, (set))
#define expect_rest()      ladder_rest(HERE)
void ladder_rest(struct where w); /* nothing to do, and no memory; it goes on from there */
void ladder_state(struct where w, enum tcp_state s);
void ladder_closed(struct where w, int err); /* CLOSED, for this reason */
void ladder_events(struct where w, unsigned set);

/* Relative SND.NXT and RCV.NXT: what the next segment carries. */
uint32_t ours(void);
uint32_t theirs(void);

/* ---- The beginnings of most tests ---- */

/* Active: SYN at 0, SYN-ACK at 100, so that RTO is 300 ms. `l` gives the SYN-ACK's wnd, mss and
 * scale; without mss it carries 1000. The time is then 100. */
#define establish(...) ladder_establish(HERE, (struct line){__VA_ARGS__})
void ladder_establish(struct where w, struct line l);

/* Passive: SYN at 0, ACK at 100. */
#define establish_passive(...) ladder_establish_passive(HERE, (struct line){__VA_ARGS__})
void ladder_establish_passive(struct where w, struct line l);

/* Any state, by way of an active OPEN where it is a synchronized one. Nothing was sent but SYN and
 * FIN. Events are taken. */
#define reach(s) ladder_reach(HERE, (s))
void ladder_reach(struct where w, enum tcp_state s);

/* ---- Running ---- */

struct trace ladder_trace(void); /* tells the.log */
int ladder_setup(void **state);
int ladder_teardown(void **state);
void again(void); /* ends the connection like the end of a test, and begins as if it were another */

#define ladder_test(f) cmocka_unit_test_setup_teardown(f, ladder_setup, ladder_teardown)

#define ladder_main(tests) run_all(tests, sizeof tests / sizeof *(tests))

#endif
