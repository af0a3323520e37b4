/* The trace as lines of text: what each kind of point looks like, and a whole connection's story.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "two_stacks.h"

#include "seg.h"
#include "trace_text.h"

static void expect(const struct trace_point *p, const char *expected)
{
    char line[512];
    size_t len = trace_text_line(p, 1000000, line, sizeof line);
    assert_true(len < sizeof line);
    line[len] = '\0';
    assert_string_equal(line, expected);
}

static void lines(void **state)
{
    (void)state;
    const struct flow flow = {ip_addr_v4(0x0a000001), ip_addr_v4(0x0a000101), 61003, 40000};
    const struct seg seg = {.seq = seq(7), .ack = seq(9), .wnd = 100, .flags = TCP_SYN | TCP_ACK};
    struct trace_point p = {.kind = TRACE_SENT,
                            .file = "../lib/tcp/output.c",
                            .line = 12,
                            .now_ns = 2234567,
                            .sock_id = 2,
                            .flow = &flow,
                            .seg = &seg};
    expect(&p, "[tcp/output.c:12] 0.001234 #2 sent 10.0.0.1:61003 > 10.0.1.1:40000 SYN|ACK seq=7 "
               "ack=9 win=100 payload_len=0\n");
    p.kind = TRACE_RECEIVED;
    p.text = "why";
    p.sock_id = 0;
    expect(&p, "[tcp/output.c:12] 0.001234 received 10.0.1.1:40000 > 10.0.0.1:61003 SYN|ACK seq=7 "
               "ack=9 win=100 payload_len=0 (why)\n");
    const struct seg marked = {.flags = TCP_ACK | TCP_CWR, .ecn = ECN_CE};
    p.seg = &marked;
    expect(&p, "[tcp/output.c:12] 0.001234 received 10.0.1.1:40000 > 10.0.0.1:61003 ACK|CWR seq=0 "
               "ack=0 win=0 payload_len=0 ce (why)\n");
    const struct seg urgent = {.flags = TCP_ACK | TCP_URG, .up = 65535};
    p.seg = &urgent;
    expect(&p, "[tcp/output.c:12] 0.001234 received 10.0.1.1:40000 > 10.0.0.1:61003 ACK|URG seq=0 "
               "ack=0 win=0 payload_len=0 up=65535 (why)\n");
    p = (struct trace_point){.kind = TRACE_STATE,
                             .file = "/lib/x/lib/tcp/state.c",
                             .line = 3,
                             .now_ns = 5001000000,
                             .sock_id = 4,
                             .from = "LISTEN",
                             .to = "SYN-RECEIVED",
                             .text = "SYN"};
    expect(&p, "[tcp/state.c:3] 5.000000 #4 state LISTEN > SYN-RECEIVED (SYN)\n");
    p = (struct trace_point){.kind = TRACE_RETRANSMIT,
                             .file = "lib/a.c",
                             .line = 1,
                             .now_ns = 1000000,
                             .sock_id = 1,
                             .seq = 5,
                             .len = 6,
                             .text = "RTO"};
    expect(&p, "[a.c:1] 0.000000 #1 retransmit seq=5 len=6 (RTO)\n");
    p.kind = TRACE_EVENT;
    p.text = "DataArrived";
    expect(&p, "[a.c:1] 0.000000 #1 event DataArrived\n");
    p.kind = TRACE_DROPPED;
    p.text = "checksum";
    expect(&p, "[a.c:1] 0.000000 #1 dropped (checksum)\n");
    const struct flow six = {IP_ADDR_ANY6, IP_ADDR_ANY6, 1, 2};
    p.flow = &six;
    p.seg = &seg;
    expect(&p, "[a.c:1] 0.000000 #1 dropped [::]:2 > [::]:1 SYN|ACK seq=7 ack=9 win=100 "
               "payload_len=0 (checksum)\n");
}

static void cut_short(void **state)
{
    (void)state;
    const struct trace_point p = {
        .kind = TRACE_EVENT, .file = "lib/a.c", .line = 1, .text = "DataArrived"};
    char line[20];
    memset(line, 'z', sizeof line);
    size_t len = trace_text_line(&p, 0, line, sizeof line);
    assert_in_range(len, 1, sizeof line - 1);
    assert_int_equal(line[len - 1], '\n');
    assert_memory_equal(line, "[a.c:1] 0.000000 ", 17);
}

/* The words of the book's story, in this order for one side of a connection. */
static void story(void **state)
{
    (void)state;
    char name[] = "/tmp/trace-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd > 0);
    unlink(name);
    struct two t;
    const struct two_config config = {.super_max = 64000, .options = {.trace_fd = fd}};
    two_up(&t, &config);
    int left, right;
    must_pair(&t, &left, &right);
    must_send(t.left, left, "hello", 5);
    assert_int_equal(nstcp_shutdown(t.left, left, SHUT_WR), 0);
    must_recv_all(t.right, right, "hello", 5);
    must_close(t.right, right);
    must_recv_all(t.left, left, "", 0);
    two_down(&t);
    static char text[65536];
    assert_true(pread(fd, text, sizeof text - 1, 0) > 0);
    close(fd);
    static const char *const words[] = {
        " #1 state CLOSED > SYN-SENT ",
        " #1 sent 10.0.0.1:610",
        " SYN seq=",
        " #1 received 10.0.1.1:40000 > 10.0.0.1:610",
        " SYN|ACK seq=",
        " #1 state SYN-SENT > ESTABLISHED ",
        " #1 event ConnectionCompleted",
        " #1 sent ",
        " payload_len=5",
        " #1 event Acked",
        " #1 received ",
        " FIN|ACK ",
        " #1 event DataArrived",
    };
    const char *at = text;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *found = strstr(at, words[i]);
        if (!found)
            fail_msg("no \"%s\" behind \"%.60s\" in\n%s", words[i], at, text);
        at = found;
    }
    assert_non_null(strstr(text, " #1 event ConnectionClosed"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        assert_non_null(strstr(line, ".c:"));
}

/* Nobody reads the trace any more: it is lost, and nothing else is; above all there is no SIGPIPE.
 */
static void reader_gone(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    struct two t;
    const struct two_config config = {.super_max = 64000, .options = {.trace_fd = fds[1]}};
    two_up(&t, &config);
    int left, right;
    must_pair(&t, &left, &right);
    must_send(t.left, left, "hello", 5);
    must_close(t.left, left);
    must_recv_all(t.right, right, "hello", 5);
    must_close(t.right, right);
    two_down(&t);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(cut_short),
        cmocka_unit_test(story),
        cmocka_unit_test(reader_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
