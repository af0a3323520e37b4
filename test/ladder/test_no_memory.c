/* no_memory.c: tests that bear it and tests that do not, and what is said of each. */
#include "no_memory.h"

#include <signal.h>

#include "segments.h"

/* ---- Tests that pass as long as nothing fails ---- */

static void no_allocations(void **state)
{
    (void)state;
    establish();
}

/* SEND answers ERR_NOMEM. */
static void refused_aloud(void **state)
{
    (void)state;
    establish();
    user_sends(10);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
    receive(.flags = ACK, .seq = 1, .ack = 11);
}

/* And what goes on after it. */
static void refused_and_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        establish();
        (void)user_send(10);
        ignore();
        receive(.flags = ACK, .seq = 1, .ack = ours());
        again();
    }
}

static void *take(void)
{
    return mem_alloc(&the.mem.mem, 10);
}

static void give(void *ptr)
{
    mem_free(&the.mem.mem, ptr, 10);
}

/* Expects what did not happen, and nobody had said why. */
static void silent(void **state)
{
    (void)state;
    void *a = take();
    give(a);
    assert_non_null(a);
}

/* The second is refused, and the first is not given back. */
static void leaks(void **state)
{
    (void)state;
    void *a = take(), *b = take();
    if (b)
        give(a);
    give(b);
}

/* Only when both are refused. */
static void leaks_later(void **state)
{
    (void)state;
    void *a = take(), *b = take(), *c = take();
    if (b || c)
        give(a);
    give(b);
    give(c);
}

/* Each is tried, however many there are. */
static void leaks_at_the_hundredth(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 99; i++)
        give(take());
    leaks(NULL);
}

/* What comes after a word that nothing is to fail any more. */
static void leaks_when_spared(void **state)
{
    (void)state;
    give(take());
    no_memory_spares();
    leaks(NULL);
}

/* In its second part only. */
static void leaks_again(void **state)
{
    (void)state;
    give(take());
    again();
    leaks(NULL);
}

static void crashes(void **state)
{
    (void)state;
    char *a = take();
    *(volatile char *)a = 1;
    give(a);
}

static void never_ends(void **state)
{
    (void)state;
    void *a = take();
    if (!a)
        raise(SIGALRM); /* as if a minute had passed */
    give(a);
}

/* An invariant, though somebody was told. */
static void breaks(void **state)
{
    (void)state;
    establish();
    if (user_send(10) < 0)
        the.tcb.busy->cc.cwnd = 0;
    ignore();
}

/* Told, and yet the memory is gone. */
static void leaks_aloud(void **state)
{
    (void)state;
    establish();
    void *a = take();
    if (user_send(10) > 0)
        give(a);
    expect(.flags = PSH | ACK, .seq = 1, .ack = 1, .text = 10);
}

static const struct {
    struct CMUnitTest test;
    enum no_memory outcome;
} cases[] = {
    {ladder_test(no_allocations), NO_MEMORY_BORNE},
    {ladder_test(refused_aloud), NO_MEMORY_BORNE},
    {ladder_test(refused_and_again), NO_MEMORY_BORNE},
    {ladder_test(silent), NO_MEMORY_SILENT},
    {ladder_test(leaks), NO_MEMORY_LEAKED},
    {ladder_test(leaks_later), NO_MEMORY_LEAKED},
    {ladder_test(leaks_at_the_hundredth), NO_MEMORY_LEAKED},
    {ladder_test(leaks_when_spared), NO_MEMORY_BORNE},
    {ladder_test(leaks_again), NO_MEMORY_LEAKED},
    {ladder_test(crashes), NO_MEMORY_CRASHED},
    {ladder_test(never_ends), NO_MEMORY_CRASHED},
    {ladder_test(breaks), NO_MEMORY_BROKEN},
    {ladder_test(leaks_aloud), NO_MEMORY_LEAKED},
};
#define N_CASES (sizeof cases / sizeof *cases)

static enum no_memory outcomes[N_CASES];
static int failed;

static void each_is_seen(void **state)
{
    (void)state;
    assert_int_equal(failed, 0); /* as long as nothing is refused, all pass */
    for (size_t i = 0; i < N_CASES; i++) {
        print_message("%s: %d\n", cases[i].test.name, (int)outcomes[i]);
        assert_int_equal(outcomes[i], cases[i].outcome);
    }
}

int main(void)
{
    struct CMUnitTest fakes[N_CASES];
    for (size_t i = 0; i < N_CASES; i++)
        fakes[i] = cases[i].test;
    failed = no_memory_run(fakes, N_CASES, outcomes);
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_is_seen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
