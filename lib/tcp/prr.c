/* RFC 6937 section 3, for sack_recovery.c. RFC 6937 takes SSRB for every ACK; Linux takes it only
 * for those that show progress, as its authors advise since, and so do we. The others' bound is
 * SSRB's without the segment more: where CRB has spent its credit, what was lost again would have
 * to wait for others' deliveries. */
#include "prr.h"

#include "minmax.h"

void prr_begin(struct prr *p, uint32_t recover_fs)
{
    *p = (struct prr){.recover_fs = max_u32(recover_fs, 1)};
}

void prr_sent(struct prr *p, uint32_t octets)
{
    p->out += octets;
}

uint32_t prr_cwnd(struct prr *p, uint32_t octets, uint32_t pipe, uint32_t ssthresh, uint32_t mss,
                  bool safe)
{
    p->delivered += octets;
    uint64_t sndcnt;
    if (pipe > ssthresh) {
        uint64_t due = ((uint64_t)p->delivered * ssthresh + p->recover_fs - 1) / p->recover_fs;
        sndcnt = due > p->out ? due - p->out : 0;
    } else {
        uint64_t limit = p->delivered > p->out ? p->delivered - p->out : 0;
        limit = max_u64(limit, octets);
        if (safe)
            limit += mss;
        sndcnt = min_u64(ssthresh - pipe, limit);
    }
    if (p->out == 0)
        sndcnt = max_u64(sndcnt, mss);
    return (uint32_t)min_u64(max_u64(pipe + sndcnt, mss), UINT32_MAX);
}
