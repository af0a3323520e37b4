/* nstcp_options that are Linux's net.ipv4: what connections have by them. */
#include <errno.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bad_link.h"
#include "two_stacks.h"

/* RFC 3168 6.1.1, nstcp_options.tcp_ecn: only between two that both want it, of which one asks. */
static void ecn(void **state)
{
    (void)state;
    static const struct {
        int mode;
        bool ecn;
    } t[] = {{0, false}, {1, true}, {2, false}, {-1, false}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct two two;
        const struct two_config config = {.options = {.tcp_ecn = t[i].mode}};
        two_up(&two, &config);
        int left, right;
        char buf[5];
        must_pair(&two, &left, &right);
        must_send(two.left, left, "hello", 5);
        assert_int_equal(nstcp_recv(two.right, right, buf, 5, MSG_WAITALL), 5);
        int has = t[i].ecn ? TCPI_OPT_ECN : 0, seen = t[i].ecn ? TCPI_OPT_ECN_SEEN : 0;
        const int both = TCPI_OPT_ECN | TCPI_OPT_ECN_SEEN;
        assert_int_equal(info_of(two.left, left).tcpi_options & both, has);
        assert_int_equal(info_of(two.right, right).tcpi_options & both, has | seen);
        two_down(&two);
    }
}

/* tcp_syncookies: the accepting side has measured no round trip when nothing was kept of the SYN;
 * with timestamps all else is as ever. */
static void syncookies(void **state)
{
    (void)state;
    for (int mode = -1; mode <= 2; mode++) {
        struct two t;
        two_up(&t, &(struct two_config){.options = {.tcp_syncookies = mode}});
        int left, right;
        must_pair(&t, &left, &right);
        struct tcp_info info = info_of(t.right, right);
        assert_int_equal(info.tcpi_rtt == 0, mode == 2);
        assert_int_equal(info.tcpi_options, TCPI_OPT_TIMESTAMPS | TCPI_OPT_WSCALE | TCPI_OPT_SACK);
        must_send(t.left, left, "hello", 5);
        must_close(t.left, left);
        must_recv_all(t.right, right, "hello", 5);
        must_close(t.right, right);
        two_down(&t);
    }
}

/* tcp_sack, tcp_timestamps, tcp_window_scaling: 0 is 1, and -1 is without. */
static void options_of_the_syn(void **state)
{
    (void)state;
    static const struct {
        struct nstcp_options options;
        uint8_t has;
    } t[] = {
        {{.tcp_sack = 1, .tcp_timestamps = 1, .tcp_window_scaling = 1},
         TCPI_OPT_TIMESTAMPS | TCPI_OPT_WSCALE | TCPI_OPT_SACK},
        {{.tcp_sack = -1}, TCPI_OPT_TIMESTAMPS | TCPI_OPT_WSCALE},
        {{.tcp_timestamps = -1}, TCPI_OPT_WSCALE | TCPI_OPT_SACK},
        {{.tcp_window_scaling = -1}, TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK},
        {{.tcp_sack = -1, .tcp_timestamps = -1, .tcp_window_scaling = -1}, 0},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct two two;
        two_up(&two, &(struct two_config){.options = t[i].options});
        int left, right;
        must_pair(&two, &left, &right);
        assert_int_equal(info_of(two.left, left).tcpi_options, t[i].has);
        assert_int_equal(info_of(two.right, right).tcpi_options, t[i].has);
        two_down(&two);
    }
}

/* tcp_slow_start_after_idle, RFC 5681 4.1. */
static void slow_start_after_idle(void **state)
{
    (void)state;
    static uint8_t text[40000]; /* of which both queues always have room */
    static const int modes[] = {0, 1, -1};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct two t;
        two_up(&t, &(struct two_config){.options = {.tcp_slow_start_after_idle = modes[i]}});
        int left, right;
        must_pair(&t, &left, &right);
        for (int round = 0; round < 10; round++) {
            must_send(t.left, left, text, sizeof text);
            assert_int_equal(nstcp_recv(t.right, right, text, sizeof text, MSG_WAITALL),
                             sizeof text);
        }
        const struct tcp_info info = info_of(t.left, left);
        uint32_t grown = info.tcpi_snd_cwnd;
        assert_true(grown > 10);
        usleep(info.tcpi_rto + 200000);
        must_send(t.left, left, "x", 1);
        uint32_t after = info_of(t.left, left).tcpi_snd_cwnd;
        assert_true(modes[i] < 0 ? after >= grown : after <= 10);
        two_down(&t);
    }
}

/* A millisecond is the least that text is spread over (pacing.h). */
#define FAR_US 2000

/* TCP_INFO goes on where the struct of <netinet/tcp.h> ends, as that of <linux/tcp.h>. */
struct more_info {
    struct tcp_info info;
    uint64_t pacing_rate; /* octets in a second */
    uint64_t others[13];
    uint32_t dsack_dups; /* segments */
};

static struct more_info more_info_of(struct nstcp *stack, int sock)
{
    struct more_info more;
    socklen_t len = offsetof(struct more_info, dsack_dups) + sizeof more.dsack_dups, got = len;
    assert_int_equal(nstcp_getsockopt(stack, sock, IPPROTO_TCP, TCP_INFO, &more, &got), 0);
    assert_int_equal(got, len);
    return more;
}

static void assert_paced(struct nstcp *stack, int sock, int percent)
{
    const struct more_info p = more_info_of(stack, sock);
    assert_true(p.info.tcpi_rtt >= FAR_US);
    if (percent < 0) {
        assert_true(p.pacing_rate == UINT64_MAX);
        return;
    }
    double segments = p.info.tcpi_snd_cwnd, round_trip_s = p.info.tcpi_rtt * 1e-6;
    double each = 0.01 * percent * p.info.tcpi_snd_mss / round_trip_s;
    assert_true((double)p.pacing_rate > 0.99 * segments * each);
    assert_true((double)p.pacing_rate < 1.01 * (segments + 1) * each);
}

/* tcp_pacing_ss_ratio, tcp_pacing_ca_ratio: the rate that TCP_INFO tells, in slow start, and after
 * a loss. */
static void pacing_ratios(void **state)
{
    (void)state;
    static const struct {
        int ss_ratio, ca_ratio, ss, ca;
    } modes[] = {{0, 0, 200, 120}, {-1, 1, -1, 1}, {1, 1000, 1, 1000}, {1000, -1, 1000, -1}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        static const uint8_t text[14000]; /* what goes at once */
        uint8_t got[sizeof text];
        struct two t;
        bad_path = (struct bad_path){.late_us = FAR_US, .lost = {2}};
        two_up(&t, &(struct two_config){.options = {.tcp_pacing_ss_ratio = modes[i].ss_ratio,
                                                    .tcp_pacing_ca_ratio = modes[i].ca_ratio},
                                        .around = bad_link});
        int left, right;
        must_pair(&t, &left, &right);
        assert_paced(t.left, left, modes[i].ss);
        must_send(t.left, left, text, sizeof text);
        assert_int_equal(nstcp_recv(t.right, right, got, sizeof got, MSG_WAITALL), sizeof got);
        struct tcp_info info;
        do
            info = info_of(t.left, left);
        while (info.tcpi_unacked > 0);
        assert_true(info.tcpi_snd_ssthresh < 10);
        assert_true(info.tcpi_snd_cwnd >= info.tcpi_snd_ssthresh);
        assert_paced(t.left, left, modes[i].ca);
        two_down(&t);
    }
}

/* tcp_dsack: the sender of what came twice knows by TCP_INFO. */
static void dsack(void **state)
{
    (void)state;
    static const int modes[] = {0, 1, -1};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        static const uint8_t text[10000];
        uint8_t got[sizeof text];
        struct two t;
        bad_path = (struct bad_path){.late_us = FAR_US, .twice = 2}; /* while it is in flight */
        two_up(&t, &(struct two_config){.options = {.tcp_dsack = modes[i]}, .around = bad_link});
        int left, right;
        must_pair(&t, &left, &right);
        must_send(t.left, left, text, sizeof text);
        assert_int_equal(nstcp_recv(t.right, right, got, sizeof got, MSG_WAITALL), sizeof got);
        while (info_of(t.left, left).tcpi_unacked > 0) {
        }
        assert_int_equal(more_info_of(t.left, left).dsack_dups > 0, modes[i] >= 0);
        two_down(&t);
    }
}

/* How long text takes of which the last two packets are lost, in seconds. */
static double lost_tail_takes(int early_retrans)
{
    static const uint8_t text[4000]; /* three packets */
    uint8_t got[sizeof text];
    struct two t;
    bad_path = (struct bad_path){.lost = {2, 3}};
    two_up(&t, &(struct two_config){.options = {.tcp_early_retrans = early_retrans},
                                    .around = bad_link});
    int left, right;
    must_pair(&t, &left, &right);
    must_set(t.left, left, IPPROTO_TCP, TCP_NODELAY, 1);
    double start = now();
    must_send(t.left, left, text, sizeof text);
    assert_int_equal(nstcp_recv(t.right, right, got, sizeof got, MSG_WAITALL), sizeof got);
    double took = now() - start;
    assert_true(info_of(t.left, left).tcpi_total_retrans >= 2);
    two_down(&t);
    return took;
}

/* tcp_early_retrans: with probes it need not wait for the retransmission timer, of 200 ms at least,
 * unless this machine stands still. */
static void early_retrans(void **state)
{
    (void)state;
    static const int with[] = {0, 3, 4}, without[] = {-1, 1, 2};
    for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
        double took = 1;
        for (int tries = 0; tries < 20 && took >= 0.2; tries++)
            took = lost_tail_takes(with[i]);
        assert_true(took < 0.2);
    }
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        assert_true(lost_tail_takes(without[i]) >= 0.2);
}

/* tcp_congestion_control: of the socket that connects and of the one that is accepted. */
static void congestion_control(void **state)
{
    (void)state;
    static const char *const modes[][2] = {{NULL, "cubic"}, {"cubic", "cubic"}, {"reno", "reno"}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct two t;
        two_up(&t, &(struct two_config){.options = {.tcp_congestion_control = modes[i][0]}});
        int left, right;
        must_pair(&t, &left, &right);
        char name[2][16];
        socklen_t len = sizeof name[0];
        assert_int_equal(nstcp_getsockopt(t.left, left, IPPROTO_TCP, TCP_CONGESTION, name[0], &len),
                         0);
        assert_int_equal(
            nstcp_getsockopt(t.right, right, IPPROTO_TCP, TCP_CONGESTION, name[1], &len), 0);
        assert_string_equal(name[0], modes[i][1]);
        assert_string_equal(name[1], modes[i][1]);
        two_down(&t);
    }
}

static int buffer(struct nstcp *stack, int sock, int name)
{
    int value;
    socklen_t len = sizeof value;
    assert_int_equal(nstcp_getsockopt(stack, sock, SOL_SOCKET, name, &value, &len), 0);
    return value;
}

/* tcp_rmem, tcp_wmem: what a socket begins with. */
static void buffers_at_first(void **state)
{
    (void)state;
    static const struct {
        struct nstcp_options options;
        int rcvbuf, sndbuf;
    } modes[] = {
        {{0}, 64 << 10, 256 << 10},
        {{.tcp_rmem = {4096, 20000, 30000}, .tcp_wmem = {5000, 6000, 7000}}, 20000, 6000},
        {{.tcp_rmem = {[1] = 1 << 20}, .tcp_wmem = {[1] = 4 << 20}}, 1 << 20, 4 << 20},
        {{.tcp_rmem = {[2] = 64 << 20}, .tcp_wmem = {[2] = 64 << 20}}, 64 << 10, 256 << 10},
    };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct two t;
        two_up(&t, &(struct two_config){.options = modes[i].options});
        int sock = must_socket(t.left);
        assert_int_equal(buffer(t.left, sock, SO_RCVBUF), modes[i].rcvbuf);
        assert_int_equal(buffer(t.left, sock, SO_SNDBUF), modes[i].sndbuf);
        two_down(&t);
    }
}

#define MUCH (3 << 20)

static void *send_much(void *arg)
{
    struct two *t = arg;
    static const uint8_t text[MUCH];
    int left = must_connect(t->left, "10.0.1.1", PORT);
    must_send(t->left, left, text, sizeof text);
    must_close(t->left, left);
    return NULL;
}

/* The receive buffer of who reads much, in octets. */
static unsigned grown_rcvbuf(const struct nstcp_options *options)
{
    static uint8_t got[MUCH];
    struct two t;
    bad_path = (struct bad_path){.late_us = 200}; /* else what is under way is little */
    two_up(&t, &(struct two_config){.super_max = 64000, .options = *options, .around = bad_link});
    int listener = must_listen(t.right, "10.0.1.1", PORT);
    pthread_t sender = must_thread(send_much, &t);
    int right = must_accept(t.right, listener);
    assert_int_equal(nstcp_recv(t.right, right, got, MUCH, MSG_WAITALL), MUCH);
    must_join(sender);
    unsigned size = info_of(t.right, right).tcpi_rcv_space;
    two_down(&t);
    return size;
}

/* tcp_rmem's third number, and tcp_moderate_rcvbuf: how far it grows. */
static void receive_buffer_grows(void **state)
{
    (void)state;
    struct nstcp_options options = {.tcp_rmem = {0, 20000, 200000}};
    assert_in_range(grown_rcvbuf(&options), 100000, 210000);
    options.tcp_rmem[2] = 0;
    assert_in_range(grown_rcvbuf(&options), 210001, 4 << 20);
    options.tcp_moderate_rcvbuf = 1;
    assert_in_range(grown_rcvbuf(&options), 210001, 4 << 20);
    options.tcp_moderate_rcvbuf = -1;
    assert_in_range(grown_rcvbuf(&options), 20000, 30000); /* whole segments */
}

/* tcp_wmem: what a send that nobody reads leaves in both queues. */
static void send_buffer_is_full(void **state)
{
    (void)state;
    static const uint8_t text[MUCH];
    for (unsigned most = 50000; most <= 200000; most += 150000) {
        struct two t;
        two_up(&t, &(struct two_config){
                       .options = {.tcp_rmem = {0, 20000, 20000}, .tcp_wmem = {0, most, most}}});
        int left, right;
        must_pair(&t, &left, &right);
        struct pollfd p = {.fd = left, .events = POLLOUT};
        ssize_t sent = 0;
        while (nstcp_poll(t.left, &p, 1, 100) > 0)
            sent += nstcp_send(t.left, left, text, sizeof text, MSG_DONTWAIT);
        int queued;
        assert_int_equal(nstcp_ioctl(t.left, left, TIOCOUTQ, &queued), 0);
        assert_in_range(queued, most - most / 3, most);
        assert_true(sent >= queued);
        nstcp_destroy(t.left, 0);
        nstcp_destroy(t.right, 0);
    }
}

/* Values that Linux does not have. */
static void no_such_value(void **state)
{
    (void)state;
    must_not_create(&(struct nstcp_options){.tcp_ecn = 3}, EINVAL,
                    "tcp_ecn: not -1 to 2: Invalid argument");
    must_not_create(&(struct nstcp_options){.tcp_syncookies = -2}, EINVAL,
                    "tcp_syncookies: not -1 to 2: Invalid argument");
    must_not_create(&(struct nstcp_options){.tcp_sack = 2}, EINVAL,
                    "tcp_sack: not -1 to 1: Invalid argument");
    must_not_create(&(struct nstcp_options){.tcp_timestamps = -2}, EINVAL,
                    "tcp_timestamps: not -1 to 1: Invalid argument");
    must_not_create(&(struct nstcp_options){.tcp_dsack = 2}, EINVAL,
                    "tcp_dsack: not -1 to 1: Invalid argument");
    must_not_create(&(struct nstcp_options){.tcp_early_retrans = 5}, EINVAL,
                    "tcp_early_retrans: not -1 to 4: Invalid argument");
    static const int recovery[] = {-1, 2, 4, 6, 8, 9, INT_MIN};
    for (size_t i = 0; i < sizeof recovery / sizeof *recovery; i++)
        must_not_create(&(struct nstcp_options){.tcp_recovery = recovery[i]}, EINVAL,
                        "tcp_recovery: not 1, 3, 5 or 7: Invalid argument");
    must_not_create(&(struct nstcp_options){.tcp_window_scaling = INT_MAX}, EINVAL,
                    "tcp_window_scaling: not -1 to 1: Invalid argument");
    must_not_create(&(struct nstcp_options){.tcp_slow_start_after_idle = 2}, EINVAL,
                    "tcp_slow_start_after_idle: not -1 to 1: Invalid argument");
    must_not_create(&(struct nstcp_options){.tcp_mtu_probing = 2}, EINVAL,
                    "tcp_mtu_probing: not -1 to 1: Invalid argument");
    must_not_create(&(struct nstcp_options){.tcp_pacing_ss_ratio = 1001}, EINVAL,
                    "tcp_pacing_ss_ratio: not -1 to 1000: Invalid argument");
    must_not_create(&(struct nstcp_options){.tcp_pacing_ca_ratio = -2}, EINVAL,
                    "tcp_pacing_ca_ratio: not -1 to 1000: Invalid argument");
    must_not_create(&(struct nstcp_options){.tcp_moderate_rcvbuf = 2}, EINVAL,
                    "tcp_moderate_rcvbuf: not -1 to 1: Invalid argument");
    static const char *const wrong[] = {"", "cub", "cubic ", "bbr"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        must_not_create(&(struct nstcp_options){.tcp_congestion_control = wrong[i]}, EINVAL,
                        "tcp_congestion_control: neither cubic nor reno: Invalid argument");
}

/* Buffers that no socket can have. */
static void no_such_buffer(void **state)
{
    (void)state;
    static const unsigned wrong[][3] = {{4095},
                                        {[1] = 4095},
                                        {[2] = 4095},
                                        {[1] = 1 << 20, [2] = (1 << 20) - 1},
                                        {65537},
                                        {[1] = 5 << 20},
                                        {4096, 5000, (64 << 20) + 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const unsigned *w = wrong[i];
        must_not_create(&(struct nstcp_options){.tcp_rmem = {w[0], w[1], w[2]}}, EINVAL,
                        "tcp_rmem: not 4096 to 64 MiB, in rising order: Invalid argument");
        if (w[0] != 65537)
            must_not_create(&(struct nstcp_options){.tcp_wmem = {w[0], w[1], w[2]}}, EINVAL,
                            "tcp_wmem: not 4096 to 64 MiB, in rising order: Invalid argument");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ecn),
        cmocka_unit_test(syncookies),
        cmocka_unit_test(options_of_the_syn),
        cmocka_unit_test(slow_start_after_idle),
        cmocka_unit_test(pacing_ratios),
        cmocka_unit_test(dsack),
        cmocka_unit_test(early_retrans),
        cmocka_unit_test(congestion_control),
        cmocka_unit_test(buffers_at_first),
        cmocka_unit_test(receive_buffer_grows),
        cmocka_unit_test(send_buffer_is_full),
        cmocka_unit_test(no_such_value),
        cmocka_unit_test(no_such_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
