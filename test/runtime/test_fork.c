/* fork(2): the child owns nothing of its parent's stack, and does not disturb it. */
#include <errno.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "two_stacks.h"

#define FORKS 30

/* What the child found wrong is its exit status: the line. */
#define child_expects(condition)                                                                   \
    do {                                                                                           \
        if (!(condition))                                                                          \
            _exit(__LINE__ > 254 ? 254 : __LINE__);                                                \
    } while (0)

#define child_fails(call)                                                                          \
    do {                                                                                           \
        errno = 0;                                                                                 \
        child_expects((call) == -1 && errno == ESHUTDOWN);                                         \
    } while (0)

/* Every call, on a stack whose lock may be locked for ever. */
static void child(struct nstcp *stack, int sock)
{
    alarm(30); /* rather than hang */
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr *addr = (struct sockaddr *)&in;
    socklen_t len = sizeof in;
    int value = 1;
    char c = 'x';
    struct pollfd p = {.fd = sock, .events = POLLIN};
    child_fails(nstcp_socket(stack, AF_INET, SOCK_STREAM, 0));
    child_fails(nstcp_bind(stack, sock, addr, len));
    child_fails(nstcp_listen(stack, sock, 1));
    child_fails(nstcp_accept(stack, sock, addr, &len));
    child_fails(nstcp_connect(stack, sock, addr, len));
    child_fails(nstcp_send(stack, sock, &c, 1, 0));
    child_fails(nstcp_recv(stack, sock, &c, 1, 0));
    child_fails(nstcp_shutdown(stack, sock, SHUT_WR));
    child_fails(nstcp_getsockname(stack, sock, addr, &len));
    child_fails(nstcp_getpeername(stack, sock, addr, &len));
    child_fails(nstcp_setsockopt(stack, sock, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value));
    child_fails(nstcp_getsockopt(stack, sock, IPPROTO_TCP, TCP_NODELAY, &value, &len));
    child_fails(nstcp_fcntl(stack, sock, F_GETFL, 0));
    child_fails(nstcp_poll(stack, &p, 1, -1));
    child_fails(nstcp_close(stack, sock));
    nstcp_stop(stack);
    child_expects(nstcp_destroy(stack, -1) == 0);
    int next = dup(STDIN_FILENO); /* the number of something that destroy has closed */
    child_expects(nstcp_destroy(stack, -1) == 0);
    child_expects(fcntl(next, F_GETFD) >= 0);
    _exit(0);
}

struct busy {
    struct nstcp *stack;
    int sock;
    atomic_bool stop;
};

/* Has the stack's lock most of the time. */
static void *keep_busy(void *arg)
{
    struct busy *b = arg;
    while (!atomic_load(&b->stop))
        nstcp_fcntl(b->stack, b->sock, F_GETFL, 0);
    return NULL;
}

static void must_end_well(pid_t pid)
{
    int status;
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void child_owns_nothing(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    int left, right;
    must_pair(&t, &left, &right);
    struct busy busy = {.stack = t.left, .sock = left};
    pthread_t thread = must_thread(keep_busy, &busy);
    for (int i = 0; i < FORKS; i++) {
        pid_t pid = fork();
        if (pid == 0)
            child(t.left, left);
        must_end_well(pid);
        must_send(t.left, left, "x", 1);
        char c;
        assert_int_equal(nstcp_recv(t.right, right, &c, 1, 0), 1);
    }
    atomic_store(&busy.stop, true);
    must_join(thread);
    two_down(&t);
}

/* A child is told from its parent, not from the first process. */
static void child_has_stacks_of_its_own(void **state)
{
    (void)state;
    struct two t;
    two_up(&t, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct two own;
        two_up(&own, NULL);
        int left, right;
        must_pair(&own, &left, &right);
        must_send(own.left, left, "hello", 5);
        char buf[5];
        child_expects(nstcp_recv(own.right, right, buf, 5, MSG_WAITALL) == 5);
        pid = fork();
        if (pid == 0)
            child(own.left, left);
        must_end_well(pid);
        two_down(&own);
        _exit(0);
    }
    must_end_well(pid);
    two_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(child_owns_nothing),
        cmocka_unit_test(child_has_stacks_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
