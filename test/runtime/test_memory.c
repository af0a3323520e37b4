/*
 * What a connection costs that is established and has nothing to do: everything that malloc has
 * given out for it, its own overhead and the tables' entries included, at either end.
 */
#include <malloc.h>
#include <stdlib.h>

#include "two_stacks.h"

/* Of the two, every connection has a port of its own, of the 256 that there are for each. */
#define LISTENERS 8
#define CONNS     (LISTENERS * 250)

/* Octets; the tables' arrays are between half full and full. */
#define IDLE_MAX 640

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

static void idle_connections(void **state)
{
    (void)state;
    struct two t;
    int listener[LISTENERS];
    two_up(&t, NULL);
    for (int i = 0; i < LISTENERS; i++)
        listener[i] = must_listen(t.right, "10.0.1.1", (uint16_t)(PORT + i));
    open_one(&t, listener[0], PORT); /* pays for what all share */
    long before = octets_out();
    for (int i = 0; i < CONNS; i++)
        open_one(&t, listener[i % LISTENERS], (uint16_t)(PORT + i % LISTENERS));
    nstcp_poll(t.left, NULL, 0, 500); /* until the last ones have nothing to do either */
    long each = (octets_out() - before) / (2 * CONNS);
    print_message("%ld octets\n", each);
    assert_in_range(each, 1, IDLE_MAX);
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(idle_connections)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
