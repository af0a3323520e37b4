/* eifel.c: RFC 3522 3.2, step by step. In a connection: rfc/test_rfc3522.c. */
#include "eifel.h"
#include "nstime.h"
#include "support.h"

#define MS(n) ((n)*NS_PER_MS)

static struct eifel begun(void)
{
    struct eifel e = {0};
    eifel_begin(&e);
    eifel_resent(&e, false, MS(200));
    return e;
}

/* (4): smaller than RetransmitTS, so from a tick before. */
static void earlier(void **state)
{
    (void)state;
    struct eifel e = begun();
    assert_true(eifel_acked(&e, MS(200), true, false, false));
    e = begun();
    assert_false(eifel_acked(&e, MS(201), true, false, false));
    e = begun();
    assert_false(eifel_acked(&e, TIME_NEVER, true, false, false));
}

/* (3): the first that advances decides, and no other. */
static void first_that_advances(void **state)
{
    (void)state;
    struct eifel e = begun();
    assert_false(eifel_acked(&e, MS(101), false, false, false));
    assert_true(eifel_acked(&e, MS(101), true, false, false));
    assert_false(eifel_acked(&e, MS(101), true, false, false));
    e = begun();
    assert_false(eifel_acked(&e, MS(201), true, false, false));
    assert_false(eifel_acked(&e, MS(101), true, false, false));
}

/* (5) */
static void step_5(void **state)
{
    (void)state;
    struct eifel e = begun();
    assert_false(eifel_acked(&e, MS(101), true, false, true)); /* a D-SACK */
    eifel_begin(&e);
    eifel_resent(&e, false, MS(300));
    assert_true(eifel_acked(&e, MS(101), true, true, false)); /* D-SACK previously received */
    e = begun();
    assert_false(eifel_acked(&e, MS(101), true, true, false)); /* all outstanding data */
}

/* (2): what goes again later does not overwrite it; nor does what was sent before recovery. */
static void retransmit_ts(void **state)
{
    (void)state;
    struct eifel e = begun();
    eifel_resent(&e, false, MS(300));
    assert_false(eifel_acked(&e, MS(250), true, false, false));
    e = (struct eifel){0};
    eifel_resent(&e, false, MS(200));
    assert_false(eifel_acked(&e, MS(101), true, false, false));
    e = begun();
    eifel_end(&e);
    assert_false(eifel_acked(&e, MS(101), true, false, false));
}

/* A probe (RFC 8985 7.3) has sent the oldest again before: the earlier timestamp may be its. */
static void probed(void **state)
{
    (void)state;
    struct eifel e = {0};
    eifel_begin(&e);
    eifel_resent(&e, true, MS(200));
    assert_false(eifel_acked(&e, MS(101), true, false, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(earlier), cmocka_unit_test(first_that_advances),
        cmocka_unit_test(step_5),  cmocka_unit_test(retransmit_ts),
        cmocka_unit_test(probed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
