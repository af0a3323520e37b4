/* Sysctls and flags as the stack's figures. See settings.h. */
#include "settings.h"

#include <stdio.h>
#include <string.h>

#include "minmax.h"

#define QUICKACKS 16 /* Linux: TCP_MAX_QUICKACKS */

void sysctls_read(struct sysctls *out)
{
    static const char *const files[N_SYSCTLS] = {
        [SYSCTL_RMEM] = "/proc/sys/net/ipv4/tcp_rmem",
        [SYSCTL_RMEM_MAX] = "/proc/sys/net/core/rmem_max",
        [SYSCTL_WMEM] = "/proc/sys/net/ipv4/tcp_wmem",
        [SYSCTL_SYN_RETRIES] = "/proc/sys/net/ipv4/tcp_syn_retries",
        [SYSCTL_SYNACK_RETRIES] = "/proc/sys/net/ipv4/tcp_synack_retries",
        [SYSCTL_IDLE_RESTART] = "/proc/sys/net/ipv4/tcp_slow_start_after_idle",
        [SYSCTL_WINDOW_SCALING] = "/proc/sys/net/ipv4/tcp_window_scaling",
        [SYSCTL_MTU_PROBING] = "/proc/sys/net/ipv4/tcp_mtu_probing",
        [SYSCTL_SACK] = "/proc/sys/net/ipv4/tcp_sack",
        [SYSCTL_TIMESTAMPS] = "/proc/sys/net/ipv4/tcp_timestamps",
        [SYSCTL_ECN] = "/proc/sys/net/ipv4/tcp_ecn",
        [SYSCTL_SYNCOOKIES] = "/proc/sys/net/ipv4/tcp_syncookies",
    };
    for (int i = 0; i < N_SYSCTLS; i++) {
        struct sysctl_value *value = &out->of[i];
        *value = (struct sysctl_value){0};
        FILE *f = fopen(files[i], "re");
        if (!f)
            continue;
        value->n = fscanf(f, "%u %u %u", &value->v[0], &value->v[1], &value->v[2]);
        fclose(f);
    }
}

/* When the retransmission timer has run out `retries` times and once more. */
static uint64_t retries_ns(const struct tcp_config *tcp, unsigned retries)
{
    uint64_t sum = 0, rto = tcp->rto_initial_ns;
    for (unsigned i = 0; i <= retries; i++) {
        sum += rto;
        rto = time_min(2 * rto, tcp->rto_max_ns);
    }
    return sum;
}

static void set_receive_buffer(struct tcp_config *tcp, const struct sysctls *now)
{
    const struct sysctl_value *rmem = &now->of[SYSCTL_RMEM], *max = &now->of[SYSCTL_RMEM_MAX];
    if (rmem->n < 3)
        return;
    tcp->rcvbuf = rmem->v[1] / 2;
    tcp->rcvbuf_max = max_u32(rmem->v[2], max->n > 0 ? max->v[0] : 0);
}

static void set_receive_buffer_by_flags(struct tcp_config *tcp, const struct so_flags *flags)
{
    if (flags->rcvbuf)
        tcp->rcvbuf = tcp->rcvbuf_max = flags->rcvbuf;
    if (flags->has_wscale)
        tcp->rcvbuf_max = UINT32_C(65535) << flags->wscale;
    tcp->rcvbuf = min_u32(tcp->rcvbuf, tcp->rcvbuf_max);
}

static bool changed(enum sysctl s, const struct sysctls *at_load, const struct sysctls *now)
{
    return memcmp(&now->of[s], &at_load->of[s], sizeof now->of[s]) != 0;
}

struct tcp_config settings(const struct so_flags *flags, const struct sysctls *at_load,
                           const struct sysctls *now)
{
    struct tcp_config tcp = tcp_config_default();
    /* As Linux, without a queueing discipline that does. */
    tcp.pacing_ss_ratio = tcp.pacing_ca_ratio = 0;
    const struct sysctl_value *of = now->of;
    tcp.cc = flags->cc;
    if (flags->quickack)
        tcp.quickacks = QUICKACKS;
    set_receive_buffer(&tcp, now);
    if (!changed(SYSCTL_RMEM, at_load, now))
        set_receive_buffer_by_flags(&tcp, flags);
    if (of[SYSCTL_WMEM].n == 3)
        tcp.sndbuf = of[SYSCTL_WMEM].v[2];
    if (of[SYSCTL_SYN_RETRIES].n > 0)
        tcp.syn_timeout_ns = retries_ns(&tcp, of[SYSCTL_SYN_RETRIES].v[0]);
    if (of[SYSCTL_SYNACK_RETRIES].n > 0)
        tcp.synack_timeout_ns = retries_ns(&tcp, of[SYSCTL_SYNACK_RETRIES].v[0]);
    if (of[SYSCTL_IDLE_RESTART].n > 0)
        tcp.idle_restart = of[SYSCTL_IDLE_RESTART].v[0] != 0;
    if (of[SYSCTL_WINDOW_SCALING].n > 0)
        tcp.window_scaling = of[SYSCTL_WINDOW_SCALING].v[0] != 0;
    if (of[SYSCTL_MTU_PROBING].n > 0)
        tcp.mtu_probing = of[SYSCTL_MTU_PROBING].v[0] != 0;
    if (of[SYSCTL_SACK].n > 0)
        tcp.sack = of[SYSCTL_SACK].v[0] != 0;
    if (flags->has_sack && !changed(SYSCTL_SACK, at_load, now))
        tcp.sack = flags->sack;
    if (of[SYSCTL_TIMESTAMPS].n > 0)
        tcp.timestamps = of[SYSCTL_TIMESTAMPS].v[0] != 0;
    if (of[SYSCTL_ECN].n > 0)
        tcp.ecn = (enum tcp_ecn)min_u32(of[SYSCTL_ECN].v[0], TCP_ECN_ANSWER);
    if (flags->has_ecn && !changed(SYSCTL_ECN, at_load, now))
        tcp.ecn = (enum tcp_ecn)flags->ecn;
    if (of[SYSCTL_SYNCOOKIES].n > 0)
        tcp.syncookies = (enum syncookies)min_u32(of[SYSCTL_SYNCOOKIES].v[0], SYNCOOKIES_ALWAYS);
    return tcp;
}
