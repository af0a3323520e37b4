/* --so_flags, the sysctls of the process' network namespace, and which of them wins. Each test in a
 * process of its own: wrong flags end it, and it has a namespace to itself. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver.h"

/* Runs f in a child whose stderr is read into text. Its exit status. */
static int in_child(void (*f)(const char *arg), const char *arg, char *text, size_t room)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure ends the child, with the message */
        f(arg);
        exit(0);
    }
    close(ends[1]);
    size_t len = 0;
    ssize_t n;
    while (len < room - 1 && (n = read(ends[0], text + len, room - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void only_load(const char *flags)
{
    struct packetdrill_interface t;
    load(&t, flags);
    t.free(t.userdata);
}

/* An error says what is wrong, where, and what there is instead; the process ends with status 2. */
static void wrong_flags(void **state)
{
    (void)state;
    static const struct {
        const char *flags, *told;
    } cases[] = {
        {"mtu=1500,colour=red", "\"colour=red\": not KEY=VALUE with a KEY of these: ip, mtu, "},
        {"mtu", "\"mtu\": not KEY=VALUE"},
        {"=1", "\"=1\": not KEY=VALUE"},
        {",", "\"\": not KEY=VALUE"},
        {"mtu=67", "\"mtu=67\": the value has to be a number from 68 to 65535"},
        {"mtu=65536", "a number from 68 to 65535"},
        {"mtu=", "a number from 68 to 65535"},
        {"mtu=-1500", "a number from 68 to 65535"},
        {"mtu=1500x", "\"mtu=1500x\""},
        {"sack=1", "\"sack=1\": the value has to be on or off"},
        {"wscale=15", "\"wscale=15\": the value has to be a number from 0 to 14"},
        {"rcvbuf=0", "\"rcvbuf=0\": the value has to be a number from 1 to 1073725440"},
        {"ip=192.168.0", "\"ip=192.168.0\": the value has to be an IPv4 or IPv6 address"},
        {"ecn=3", "\"ecn=3\": the value has to be a number from 0 to 2"},
        {"quickack=2", "\"quickack=2\": the value has to be a number from 0 to 1"},
        {"cc=reno", "\"cc=reno\": the value has to be cubic or newreno"},
        {"cc=bbr", "cubic or newreno"},
    };
    char text[1000];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int status = in_child(only_load, cases[i].flags, text, sizeof text);
        if (status != 2 || strncmp(text, "nstcp: --so_flags: ", 19) != 0 ||
            !strstr(text, cases[i].told))
            fail_msg("%s: status %d, \"%s\"", cases[i].flags, status, text);
    }
}

/* ---- In a network namespace of its own ---- */

static void own_namespace(void)
{
    if (unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) < 0)
        fail_msg("unshare: %s", strerror(errno));
}

static void set_sysctl(const char *name, const char *value)
{
    char path[128];
    snprintf(path, sizeof path, "/proc/sys/net/%s", name);
    FILE *f = fopen(path, "we");
    if (!f || fputs(value, f) < 0 || fclose(f) != 0)
        fail_msg("%s: %s", path, strerror(errno));
}

static struct tcp must_connect(const struct packetdrill_interface *t, int fd)
{
    assert_int_equal(t->fcntl(t->userdata, fd, F_SETFL, O_NONBLOCK), 0);
    assert_fails(call_connect(t, fd), EINPROGRESS);
    return must_sniff(t, SYN, 0);
}

/* The SYN of a new socket. */
static struct tcp a_syn(const struct packetdrill_interface *t)
{
    return must_connect(t, must_socket(t));
}

/* A passing test of the child's says nothing. */
static void must_pass(void (*f)(const char *arg), const char *arg)
{
    char text[2000];
    int status = in_child(f, arg, text, sizeof text);
    if (status != 0)
        fail_msg("status %d: %s", status, text);
}

static void flags_in_child(const char *arg)
{
    (void)arg;
    struct packetdrill_interface t;
    own_namespace();
    load(&t, "mtu=600,ip=10.9.8.7/24,cc=newreno,quickack=0,rcvbuf=20000,wscale=5");
    struct tcp syn = a_syn(&t);
    assert_int_equal(syn.mss, 560);
    assert_int_equal(syn.source_addr, 0x0a090807);
    assert_int_equal(syn.window, 20000);
    assert_int_equal(syn.wscale - 1, 5);
    t.free(t.userdata);
    load(&t, "rcvbuf=30000"); /* and no larger ever: no scale is needed */
    syn = a_syn(&t);
    assert_int_equal(syn.window, 30000);
    assert_int_equal(syn.wscale - 1, 0);
    t.free(t.userdata);
    load(&t, "rcvbuf=100000,wscale=0");
    syn = a_syn(&t);
    assert_int_equal(syn.window, 65535);
    assert_int_equal(syn.wscale - 1, 0);
    t.free(t.userdata);
}

static void flags(void **state)
{
    (void)state;
    must_pass(flags_in_child, NULL);
}

/* Without the flag a connection comes from where a socket was bound last. */
static void source_address_in_child(const char *arg)
{
    (void)arg;
    struct packetdrill_interface t;
    own_namespace();
    for (int fixed = 0; fixed <= 1; fixed++) {
        load(&t, fixed ? "ip=192.168.0.1" : NULL);
        assert_int_equal(a_syn(&t).source_addr, LOCAL);
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a090807)};
        int bound = must_socket(&t);
        assert_int_equal(t.bind(t.userdata, bound, (struct sockaddr *)&in, sizeof in), 0);
        assert_int_equal(must_connect(&t, bound).source_addr, 0x0a090807);
        assert_int_equal(a_syn(&t).source_addr, fixed ? LOCAL : 0x0a090807);
        t.free(t.userdata);
    }
}

static void source_address(void **state)
{
    (void)state;
    must_pass(source_address_in_child, NULL);
}

/* As the namespace has it: over the stack's own defaults, under a flag; when a script changes it,
 * over the flag as well. */
static void receive_buffer_in_child(const char *arg)
{
    (void)arg;
    struct packetdrill_interface t;
    own_namespace();
    set_sysctl("ipv4/tcp_rmem", "4096 20000 8000000"); /* above any net.core.rmem_max of 4 MiB */
    load(&t, NULL);
    struct tcp syn = a_syn(&t);
    assert_int_equal(syn.window, 10000);
    assert_int_equal(syn.wscale - 1, 7); /* 65535 << 7 is the first above 8000000 */
    set_sysctl("ipv4/tcp_rmem", "4096 30000 15728640");
    syn = a_syn(&t);
    assert_int_equal(syn.window, 15000);
    assert_int_equal(syn.wscale - 1, 8);
    t.free(t.userdata);

    load(&t, "rcvbuf=50000,wscale=2");
    syn = a_syn(&t);
    assert_int_equal(syn.window, 50000);
    assert_int_equal(syn.wscale - 1, 2);
    set_sysctl("ipv4/tcp_rmem", "4096 20000 8000000");
    syn = a_syn(&t);
    assert_int_equal(syn.window, 10000);
    assert_int_equal(syn.wscale - 1, 7);
    t.free(t.userdata);
}

static void receive_buffer(void **state)
{
    (void)state;
    must_pass(receive_buffer_in_child, NULL);
}

static void window_scaling_in_child(const char *arg)
{
    (void)arg;
    struct packetdrill_interface t;
    own_namespace();
    load(&t, "wscale=5");
    assert_int_equal(a_syn(&t).wscale - 1, 5);
    set_sysctl("ipv4/tcp_window_scaling", "0");
    assert_int_equal(a_syn(&t).wscale, 0);
    t.free(t.userdata);
}

static void sack_in_child(const char *arg)
{
    struct packetdrill_interface t;
    own_namespace();
    load(&t, arg);
    assert_int_equal(a_syn(&t).sack_ok, strcmp(arg, "sack=off") != 0);
    set_sysctl("ipv4/tcp_sack", "0");
    assert_false(a_syn(&t).sack_ok);
    t.free(t.userdata);
}

/* A flag holds until the sysctl is changed. */
static void sack(void **state)
{
    (void)state;
    must_pass(sack_in_child, "mtu=1500");
    must_pass(sack_in_child, "sack=on");
    must_pass(sack_in_child, "sack=off");
}

/* The SYN of a new socket is an ECN-setup SYN, or it has neither flag. */
static bool asks_for_ecn(const struct packetdrill_interface *t)
{
    const int both = 0xc0;
    struct tcp syn;
    int fd = must_socket(t);
    assert_int_equal(t->fcntl(t->userdata, fd, F_SETFL, O_NONBLOCK), 0);
    assert_fails(call_connect(t, fd), EINPROGRESS);
    assert_true(sniff(t, &syn));
    assert_true(syn.flags == SYN || syn.flags == (SYN | both));
    return syn.flags & both;
}

static void ecn_in_child(const char *arg)
{
    struct packetdrill_interface t;
    bool asks = strcmp(arg, "ecn=1") == 0;
    own_namespace();
    load(&t, arg);
    assert_int_equal(asks_for_ecn(&t), asks);
    set_sysctl("ipv4/tcp_ecn", asks ? "0" : "1");
    assert_int_equal(asks_for_ecn(&t), !asks);
    t.free(t.userdata);
}

/* RFC 3168 6.1.1: whether the SYN asks for it. */
static void ecn(void **state)
{
    (void)state;
    must_pass(ecn_in_child, "mtu=1500");
    must_pass(ecn_in_child, "ecn=1");
    must_pass(ecn_in_child, "ecn=2");
}

static void timestamps_in_child(const char *arg)
{
    (void)arg;
    struct packetdrill_interface t;
    own_namespace();
    load(&t, NULL);
    assert_true(a_syn(&t).ts);
    set_sysctl("ipv4/tcp_timestamps", "0");
    assert_false(a_syn(&t).ts);
    t.free(t.userdata);
}

static void timestamps(void **state)
{
    (void)state;
    must_pass(timestamps_in_child, NULL);
}

/* A SYN cookie without timestamps has no place for a window scale (RFC 4987 3.6). */
static void syncookies_in_child(const char *arg)
{
    struct packetdrill_interface t;
    own_namespace();
    set_sysctl("ipv4/tcp_syncookies", arg);
    load(&t, NULL);
    must_listen(&t);
    INJECT(&t, .flags = SYN, .wscale = 8);
    assert_int_equal(must_sniff(&t, SYN | ACK, 0).wscale == 0, strcmp(arg, "2") == 0);
    t.free(t.userdata);
}

static void syncookies(void **state)
{
    (void)state;
    must_pass(syncookies_in_child, "0");
    must_pass(syncookies_in_child, "1");
    must_pass(syncookies_in_child, "2");
}

static void window_scaling(void **state)
{
    (void)state;
    must_pass(window_scaling_in_child, NULL);
}

/* How many segments of text from the first on have an ACK of their own at once. */
static int quick_acks(const char *flags)
{
    struct packetdrill_interface t;
    struct tcp ack;
    load(&t, flags);
    struct conn c = must_open(&t);
    int n = 0;
    for (bool quick = true; quick && n < 100; n += quick) {
        long long at = now_us(&t);
        INJECT(&t, .flags = ACK, .seq = c.seq, .ack = c.ack, .len = 10);
        c.seq += 10;
        assert_true(sniff(&t, &ack));
        quick = ack.time_us < at + 10000;
        sleep_us(&t, 1000000);
    }
    t.free(t.userdata);
    return n;
}

static void quickack_in_child(const char *arg)
{
    (void)arg;
    assert_int_equal(quick_acks(NULL), 0);
    assert_int_equal(quick_acks("quickack=0"), 0);
    assert_int_equal(quick_acks("quickack=1"), 16);
}

static void quickack(void **state)
{
    (void)state;
    must_pass(quickack_in_child, NULL);
}

static void send_buffer_in_child(const char *arg)
{
    (void)arg;
    struct packetdrill_interface t;
    static char buf[100000];
    own_namespace();
    set_sysctl("ipv4/tcp_wmem", "4096 8192 12345");
    load(&t, NULL);
    struct conn c = must_open(&t);
    assert_int_equal(t.fcntl(t.userdata, c.fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(t.write(t.userdata, c.fd, buf, sizeof buf), 12345);
    t.free(t.userdata);
}

static void send_buffer(void **state)
{
    (void)state;
    must_pass(send_buffer_in_child, NULL);
}

/* So many retransmissions, and the end when the timer after the last one has run out: for two of
 * them 1 + 2 + 4 s (RFC 6298 5.5). */
static void retries_in_child(const char *arg)
{
    (void)arg;
    struct packetdrill_interface t;
    struct tcp tcp;
    own_namespace();
    set_sysctl("ipv4/tcp_syn_retries", "2");
    set_sysctl("ipv4/tcp_synack_retries", "3");
    load(&t, NULL);
    int fd = must_socket(&t);
    long long at = must_connect(&t, fd).time_us;
    assert_int_equal(must_sniff(&t, SYN, 0).time_us, at + 1000000);
    assert_int_equal(must_sniff(&t, SYN, 0).time_us, at + 3000000);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    sleep_us(&t, at + 6999990 - now_us(&t));
    assert_int_equal(t.poll(t.userdata, &p, 1, 0), 0);
    assert_int_equal(t.poll(t.userdata, &p, 1, 1000), 1);
    long long end = now_us(&t);
    assert_true(end >= at + 7000000 && end <= at + 7000001);
    assert_fails(call_connect(&t, fd), ETIMEDOUT);

    must_listen(&t);
    INJECT(&t, .flags = SYN);
    at = must_sniff(&t, SYN | ACK, 0).time_us;
    for (int i = 1; i <= 3; i++)
        assert_int_equal(must_sniff(&t, SYN | ACK, 0).time_us, at + ((1 << i) - 1) * 1000000LL);
    assert_false(sniff(&t, &tcp));
    t.free(t.userdata);
}

static void retries(void **state)
{
    (void)state;
    must_pass(retries_in_child, NULL);
}

/* How many segments of a large write leave at once, after cwnd has grown to more than the initial
 * one and ten seconds have passed in silence. */
static int burst_after_silence(struct packetdrill_interface *t)
{
    static char buf[60000];
    struct conn c = must_open(t);
    struct tcp text;
    for (size_t acked = 0; acked < sizeof buf;) {
        if (acked == 0)
            assert_int_equal(t->write(t->userdata, c.fd, buf, sizeof buf), sizeof buf);
        assert_true(sniff(t, &text));
        acked += text.len;
        INJECT(t, .flags = ACK, .seq = c.seq, .ack = text.seq + (uint32_t)text.len);
    }
    sleep_us(t, 10000000);
    assert_int_equal(t->write(t->userdata, c.fd, buf, sizeof buf), sizeof buf);
    int n = 0;
    for (long long at = now_us(t); sniff(t, &text) && text.time_us <= at; n++)
        ;
    return n;
}

static void slow_start_after_idle_in_child(const char *arg)
{
    (void)arg;
    struct packetdrill_interface t;
    own_namespace();
    set_sysctl("ipv4/tcp_slow_start_after_idle", "1");
    load(&t, NULL);
    assert_true(burst_after_silence(&t) <= 10); /* the largest initial window there is: RFC 6928 */
    t.free(t.userdata);
    set_sysctl("ipv4/tcp_slow_start_after_idle", "0");
    load(&t, NULL);
    assert_true(burst_after_silence(&t) > 40);
    t.free(t.userdata);
}

static void slow_start_after_idle(void **state)
{
    (void)state;
    must_pass(slow_start_after_idle_in_child, NULL);
}

/* A call on the main thread that can never end would keep packetdrill for ever. */
static void waits_for_ever(const char *arg)
{
    (void)arg;
    struct packetdrill_interface t;
    load(&t, NULL);
    t.accept(t.userdata, must_listen(&t), NULL, NULL);
}

static void hopeless_wait(void **state)
{
    (void)state;
    char text[500];
    assert_int_equal(in_child(waits_for_ever, NULL, text, sizeof text), 1);
    assert_non_null(strstr(text, "the script's main thread waits for what can't come any more"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_flags),
        cmocka_unit_test(flags),
        cmocka_unit_test(source_address),
        cmocka_unit_test(receive_buffer),
        cmocka_unit_test(sack),
        cmocka_unit_test(ecn),
        cmocka_unit_test(window_scaling),
        cmocka_unit_test(timestamps),
        cmocka_unit_test(syncookies),
        cmocka_unit_test(quickack),
        cmocka_unit_test(send_buffer),
        cmocka_unit_test(retries),
        cmocka_unit_test(slow_start_after_idle),
        cmocka_unit_test(hopeless_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
