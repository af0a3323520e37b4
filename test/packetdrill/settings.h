/*
 * The stack's figures as the sysctls of this process' network namespace and --so_flags have them.
 * Looked at whenever a socket is made, as packetdrill's scripts set sysctls before that.
 *
 * Of a figure that both have, what is nearer to the script wins: a sysctl that has been changed
 * since the object was loaded (packetdrill runs a script's commands after that), then the flag,
 * then the sysctl as it was found, then the stack's own default. Those of net.ipv4:
 *
 *     tcp_rmem                  rcvbuf: half of the second number, as Linux announces half of its
 *                               buffer; the window scale, and the most that rcvbuf grows to: of the
 *                               third number, or of net.core.rmem_max if that is more
 *     tcp_wmem                  sndbuf: the third number, to which Linux lets it grow
 *     tcp_syn_retries,
 *     tcp_synack_retries        the connection fails when the timer after so many runs out
 *     tcp_slow_start_after_idle
 *     tcp_mtu_probing,
 *     tcp_window_scaling,
 *     tcp_sack,
 *     tcp_timestamps,
 *     tcp_ecn                   0, 1 and 2; others as 2
 *     tcp_syncookies            the same
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "flags.h"
#include "tcb.h"

enum sysctl {
    SYSCTL_RMEM,
    SYSCTL_RMEM_MAX,
    SYSCTL_WMEM,
    SYSCTL_SYN_RETRIES,
    SYSCTL_SYNACK_RETRIES,
    SYSCTL_IDLE_RESTART,
    SYSCTL_WINDOW_SCALING,
    SYSCTL_MTU_PROBING,
    SYSCTL_SACK,
    SYSCTL_TIMESTAMPS,
    SYSCTL_ECN,
    SYSCTL_SYNCOOKIES,
    N_SYSCTLS
};

/* Numbers of each; none when it is not there. */
struct sysctls {
    struct sysctl_value {
        int n;
        unsigned v[3];
    } of[N_SYSCTLS];
};

void sysctls_read(struct sysctls *out);

struct tcp_config settings(const struct so_flags *flags, const struct sysctls *at_load,
                           const struct sysctls *now);

#endif
