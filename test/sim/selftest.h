/* The parts of the self test. Each answers how many tests failed. */
#ifndef SELFTEST_H
#define SELFTEST_H

/* Runs act(arg); `checker` has to fail in it, NULL: none. 1 when it is otherwise. */
int expect(const char *name, void (*act)(void *arg), void *arg, const char *checker);

struct world_options;

/* The same for one of many seeds' worlds. */
int expect_world(const char *name, const struct world_options *options, const char *checker);

int selftest_wire(void);   /* check_wire.h, check_ack.h */
int selftest_again(void);  /* check_resend.h, check_storm.h, check_mtu.h */
int selftest_sack(void);   /* check_sack.h: what is sent again */
int selftest_blocks(void); /* check_sack.h: what is told */
int selftest_cc(void);     /* check_cc.h */
int selftest_ts(void);     /* check_ts.h */
int selftest_ecn(void);    /* check_ecn.h */
int selftest_ends(void);   /* check_end.h, payload.h, simmem.h, check_mem.h */
int selftest_cookie(void); /* check_cookie.h */
int selftest_flood(void);  /* flood.h */
int selftest_reuse(void);  /* check_reuse.h */
int selftest_live(void);   /* check_live.h */
int selftest_frames(void); /* frame.h */
int selftest_calls(void);  /* app.c, app_io.c, host.c, host_out.c */
int selftest_worlds(void); /* whole worlds, with an engine that is sabotaged */

#endif
