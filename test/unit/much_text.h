/* Text by the gibibyte, for what has to hold when sequence numbers come round again: in a few
 * super-segments larger than any link takes, whose octets nobody can look at. */
#ifndef MUCH_TEXT_H
#define MUCH_TEXT_H

#include <sys/mman.h>

#include "arrives.h"
#include "no_memory.h"
#include "output.h"
#include "segments.h"

#define MUCH_TEXT_SUPER 500000000u /* a multiple of the MSS */

/* Before the connection opens; which is to be established with .wnd = 65535, .scale = 14. */
static inline void much_text_allow(void)
{
    the.path.super_max = MUCH_TEXT_SUPER;
}

/* At least `len` octets are sent and acknowledged. Returns the flags of all their segments. */
static inline unsigned much_text_goes(uint64_t len)
{
    void *octets = mmap(NULL, MUCH_TEXT_SUPER, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(octets != MAP_FAILED);
    unsigned flags = 0;
    struct seg seg;
    for (uint64_t done = 0; done < len; done += MUCH_TEXT_SUPER) {
        bool given = sndq_give(&the.tcb.busy->sndq, octets, 0, MUCH_TEXT_SUPER);
        no_memory_told(!given);
        assert_true(given);
        the.written += MUCH_TEXT_SUPER;
        the.tcb.busy->cc.cwnd = 1 << 30;
        the.tcb.last_sent_ns = the.now_ns; /* or it would count as idle */
        while (tcp_output(&the.tcb, &seg, the.now_ns))
            flags |= seg.flags;
        seg = (struct seg){
            .flags = ACK, .seq = the.tcb.rcv.nxt, .ack = the.tcb.snd.nxt, .wnd = the.peer_wnd};
        the.now_ns += NS_PER_MS;
        assert_int_equal(tcp_arrives(&the.tcb, &seg, the.now_ns), ARRIVES_TAKEN);
        assert_null(tcb_check(&the.tcb));
        assert_int_equal(the.tcb.busy->sndq.len, 0);
    }
    munmap(octets, MUCH_TEXT_SUPER);
    return flags;
}

#endif
