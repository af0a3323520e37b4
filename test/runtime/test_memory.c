/*
 * What a connection costs that is established and has nothing to do: everything that malloc has
 * given out for it, its own overhead and the tables' entries included, at either end.
 */
#include <malloc.h>
#include <stdlib.h>

#include "two_stacks.h"

/* The left one has 256 ports, and each may be connected to each listener once. */
#define LISTENERS 8
#define FIRST     1000 /* connections: they pay for what all share */
#define MEASURED  1000

/* Octets for each. The tables' arrays are nearly full. */
#define IDLE_MAX 512

/* Blocks that a burst has needed are kept for the next one (pool.h, pair.h), and how long the
 * queues get is a matter of when threads run: that is on top of what connections cost. So the
 * least. */
#define TRIES 5

static long octets_out(void)
{
    struct mallinfo2 m = mallinfo2();
    return (long)(m.uordblks + m.hblkhd);
}

static void echo(struct nstcp *from, int a, struct nstcp *to, int b)
{
    char buf[64] = {0};
    must_send(from, a, buf, sizeof buf);
    assert_int_equal(nstcp_recv(to, b, buf, sizeof buf, MSG_WAITALL), sizeof buf);
}

/* One more connection, on which each side has sent and received. */
static void open_one(struct two *t, int listener, uint16_t port)
{
    int left = must_connect(t->left, "10.0.1.1", port);
    int right = must_accept(t->right, listener);
    echo(t->left, left, t->right, right);
    echo(t->right, right, t->left, left);
}

static void open_many(struct two *t, const int listener[LISTENERS], int n)
{
    for (int i = 0; i < n; i++)
        open_one(t, listener[i % LISTENERS], (uint16_t)(PORT + i % LISTENERS));
    nstcp_poll(t->left, NULL, 0, 500); /* until the last ones have nothing to do either */
}

static long octets_each(void)
{
    struct two t;
    int listener[LISTENERS];
    two_up(&t, NULL);
    for (int i = 0; i < LISTENERS; i++)
        listener[i] = must_listen(t.right, "10.0.1.1", (uint16_t)(PORT + i));
    open_many(&t, listener, FIRST);
    long before = octets_out();
    open_many(&t, listener, MEASURED);
    long each = (octets_out() - before) / (2 * MEASURED);
    two_down(&t);
    return each;
}

static void idle_connections(void **state)
{
    (void)state;
    long least = octets_each();
    for (int i = 1; i < TRIES && least > IDLE_MAX; i++) {
        long each = octets_each();
        least = each < least ? each : least;
    }
    print_message("%ld octets\n", least);
    assert_in_range(least, 1, IDLE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(idle_connections)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
