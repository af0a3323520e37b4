/* Text in bulk, by many threads, over a busy link; and the end of a stack while text is under way.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "two_stacks.h"

#define CHUNK 65536

/* One direction of one connection: `len` octets of the pattern. */
struct stream {
    struct nstcp *stack;
    int sock;
    uint64_t len;
};

static void *sender(void *arg)
{
    const struct stream *s = arg;
    uint8_t *buf = malloc(CHUNK);
    assert_non_null(buf);
    for (uint64_t at = 0; at < s->len; at += CHUNK) {
        size_t n = s->len - at < CHUNK ? (size_t)(s->len - at) : CHUNK;
        pattern(buf, n, at);
        must_send(s->stack, s->sock, buf, n);
    }
    free(buf);
    assert_int_equal(nstcp_shutdown(s->stack, s->sock, SHUT_WR), 0);
    return NULL;
}

static void *receiver(void *arg)
{
    const struct stream *s = arg;
    uint8_t *buf = malloc(2 * CHUNK);
    assert_non_null(buf);
    uint64_t at = 0;
    ssize_t n;
    while ((n = nstcp_recv(s->stack, s->sock, buf, CHUNK, 0)) > 0) {
        pattern(buf + CHUNK, (size_t)n, at);
        assert_memory_equal(buf, buf + CHUNK, (size_t)n);
        at += (uint64_t)n;
    }
    assert_int_equal(n, 0);
    assert_int_equal(at, s->len);
    free(buf);
    return NULL;
}

static void both_ways(const struct two_config *config, uint64_t len)
{
    struct two t;
    two_up(&t, config);
    int left, right;
    must_pair(&t, &left, &right);
    struct stream l = {t.left, left, len}, r = {t.right, right, len};
    pthread_t threads[] = {must_thread(sender, &l), must_thread(receiver, &l),
                           must_thread(sender, &r), must_thread(receiver, &r)};
    for (unsigned i = 0; i < 4; i++)
        must_join(threads[i]);
    two_down(&t);
}

static void bulk(void **state)
{
    (void)state;
    both_ways(NULL, 32 << 20);
}

static void bulk_in_small_segments(void **state)
{
    (void)state;
    const struct two_config config = {.super_max = 0};
    both_ways(&config, 4 << 20);
}

static void bulk_over_a_busy_link(void **state)
{
    (void)state;
    const struct two_config config = {.super_max = 0, .queue_max = 3};
    both_ways(&config, 1 << 20);
}

#define THREADS 16
#define ROUNDS  100

struct many {
    struct two t;
    int listener;
};

static void *echo(void *arg)
{
    struct many *m = arg;
    int sock = must_accept(m->t.right, m->listener);
    char buf[1000];
    ssize_t n;
    while ((n = nstcp_recv(m->t.right, sock, buf, sizeof buf, 0)) > 0)
        must_send(m->t.right, sock, buf, (size_t)n);
    assert_int_equal(n, 0);
    must_close(m->t.right, sock);
    return NULL;
}

static void *ask(void *arg)
{
    struct many *m = arg;
    int sock = must_connect(m->t.left, "10.0.1.1", PORT);
    for (unsigned i = 1; i <= ROUNDS; i++) {
        uint8_t out[ROUNDS], in[ROUNDS];
        pattern(out, i, i);
        must_send(m->t.left, sock, out, i);
        assert_int_equal(nstcp_recv(m->t.left, sock, in, i, MSG_WAITALL), i);
        assert_memory_equal(out, in, i);
    }
    assert_int_equal(nstcp_shutdown(m->t.left, sock, SHUT_WR), 0);
    assert_int_equal(nstcp_recv(m->t.left, sock, &(char){0}, 1, 0), 0);
    must_close(m->t.left, sock);
    return NULL;
}

static void many_threads(void **state)
{
    (void)state;
    struct many m;
    two_up(&m.t, NULL);
    m.listener = must_listen(m.t.right, "10.0.1.1", PORT);
    pthread_t threads[2 * THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        threads[2 * i] = must_thread(echo, &m);
        threads[2 * i + 1] = must_thread(ask, &m);
    }
    for (unsigned i = 0; i < 2 * THREADS; i++)
        must_join(threads[i]);
    two_down(&m.t);
}

/* Whoever destroys its stack right after sending has still sent all. */
static void destroy_waits_for_acknowledgment(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    struct stream r = {t.right, right, 2 << 20};
    pthread_t thread = must_thread(receiver, &r);
    struct stream l = {t.left, left, 2 << 20};
    sender(&l);
    must_close(t.left, left); /* of a socket that is gone as well */
    assert_int_equal(nstcp_destroy(t.left, 10000), 0);
    must_join(thread);
    t.left = NULL;
    two_down(&t);
}

/* How often the threads of the stacks in this process have gone to sleep, all together. */
static unsigned long sleeps(void)
{
    DIR *dir = opendir("/proc/self/task");
    assert_non_null(dir);
    unsigned long sum = 0;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        char path[300], line[200];
        snprintf(path, sizeof path, "/proc/self/task/%s/status", e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
        bool ours = false;
        unsigned long n;
        while (f && fgets(line, sizeof line, f)) {
            ours = ours || strcmp(line, "Name:\tnstcp\n") == 0;
            if (ours && sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1)
                sum += n;
        }
        if (f)
            fclose(f);
    }
    closedir(dir);
    return sum;
}

/* The one test that has to let time pass: nothing is to happen in it. */
static void idle_threads_sleep(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    must_send(t.left, left, "x", 1);
    assert_int_equal(nstcp_recv(t.right, right, &(char){0}, 1, 0), 1);
    unsigned long before, after = sleeps();
    unsigned tries = 0;
    do {
        assert_true(tries++ < 10);
        before = after;
        nanosleep(&(struct timespec){1, 500000000}, NULL);
        after = sleeps();
    } while (before != after);
    assert_true(after > 0); /* these were the threads; on a busy machine they begin late */
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bulk),
        cmocka_unit_test(bulk_in_small_segments),
        cmocka_unit_test(bulk_over_a_busy_link),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(destroy_waits_for_acknowledgment),
        cmocka_unit_test(idle_threads_sleep),
    };
    return two_main(tests);
}
