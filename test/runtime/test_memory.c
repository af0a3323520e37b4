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

static void idle_connections(void **state)
{
    (void)state;
    struct two t;
    int listener[LISTENERS];
    two_up(&t, NULL);
    for (int i = 0; i < LISTENERS; i++)
        listener[i] = must_listen(t.right, "10.0.1.1", (uint16_t)(PORT + i));
    open_many(&t, listener, FIRST);
    long before = octets_out();
    open_many(&t, listener, MEASURED);
    long each = (octets_out() - before) / (2 * MEASURED);
    print_message("%ld octets\n", each);
    assert_in_range(each, 1, IDLE_MAX);
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(idle_connections)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
