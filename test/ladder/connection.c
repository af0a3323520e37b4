/* The one connection of a test, driven line by line. See segments.h. */
#include <stdio.h>

#include "arrives.h"
#include "no_memory.h"
#include "output.h"
#include "reset.h"
#include "segments.h"
#include "timeout.h"
#include "urgent.h"
#include "user.h"

struct ladder the;

/* ---- Log and failure ---- */

__attribute__((noreturn, format(printf, 2, 3))) static void fail_at(struct where w,
                                                                    const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    the.failed = true;
    no_memory_failed(false);
    log_print(&the.log);
    print_error("\n%s\n", text);
    _fail(w.file, w.line);
    abort(); /* not reached */
}

/* For what holds always, also when memory is refused. */
#define broken_at(...) (no_memory_failed(true), fail_at(__VA_ARGS__))

static void sink(void *ctx, const struct trace_point *p)
{
    (void)ctx;
    if (p->kind == TRACE_STATE || p->kind == TRACE_RETRANSMIT)
        log_trace(&the.log, ladder_now(), p->from, p->to, p->text);
}

struct trace ladder_trace(void)
{
    return (struct trace){.sink = sink};
}

/* ---- What holds always ---- */

static void check(struct where w)
{
    const char *why = tcb_check_deep(&the.tcb);
    if (why)
        broken_at(w, "invariant: %s", why);
}

static void check_text(struct where w, const struct seg *seg)
{
    uint64_t at = seg_text_start(seg).v - the.iss - 1; /* no test sends 4 GiB */
    uint32_t len = 0;
    for (unsigned i = 0; i < seg->n_text; i++) {
        for (size_t j = 0; j < seg->text[i].len; j++, at++) {
            if (seg->text[i].ptr[j] != stream_octet(false, at))
                broken_at(w, "octet %llu of the text sent is wrong", (unsigned long long)at);
        }
        len += (uint32_t)seg->text[i].len;
    }
    if (len != seg->text_len)
        broken_at(w, "the pieces hold %u octets of text, not %u", len, seg->text_len);
}

/* SHLD-14: the edge does not move left. With a scale it can, by less than a unit (RFC 7323 2.4). */
static void check_edge(struct where w, const struct seg *seg)
{
    uint8_t shift = seg->flags & SYN ? 0 : the.tcb.rcvwnd.shift;
    if (!(seg->flags & ACK) || seg->flags & RST)
        return;
    seq_t edge = seq_add(seg->ack, seg->wnd << shift);
    if (the.has_edge && seq_lt(seq_add(edge, (1u << shift) - 1), the.edge))
        broken_at(w, "the window's right edge moves left by %d", seq_diff(the.edge, edge));
    the.edge = the.has_edge ? seq_max(the.edge, edge) : edge;
    the.has_edge = true;
}

/* 3.8.5: URG is on every segment with text that is urgent, and points to the octet behind it, or as
 * far as it can (MUST-62); but not into what was sent before it was urgent. A super-segment has it
 * not: its packets would all have the same. */
static void check_urgent(struct where w, const struct seg *seg)
{
    const struct tcb *t = &the.tcb;
    if (!(seg->flags & URG)) {
        bool reaches = seq_lt(t->busy->up_from, seq_add(seg->seq, UINT16_MAX)) ||
                       seq_diff(t->snd.up, seg->seq) <= UINT16_MAX;
        if (seg->text_len > 0 && seq_lt(seg->seq, t->snd.up) && reaches)
            broken_at(w, "urgent text without URG");
        if (seg->up != 0)
            broken_at(w, "an urgent pointer without URG");
        return;
    }
    uint32_t ahead = (uint32_t)seq_diff(t->snd.up, seg->seq);
    if (seg->up != (ahead < UINT16_MAX ? ahead : UINT16_MAX) || ahead == 0)
        broken_at(w, "urgent pointer %u, SND.UP is %u ahead", seg->up, ahead);
    if (seg->gso_size > 0)
        broken_at(w, "URG on a super-segment");
}

/* What holds for every segment that is sent. new_text: beyond what had been sent. */
static void check_sent(struct where w, const struct seg *seg, bool new_text)
{
    const struct tcb *t = &the.tcb;
    uint32_t mss = t->snd.mss;
    check_text(w, seg);
    check_edge(w, seg);
    check_urgent(w, seg);
    if (seg->gso_size != (seg->text_len > mss ? mss : 0))
        broken_at(w, "gso_size %u with %u octets, MSS %u", seg->gso_size, seg->text_len, mss);
    if (seg->text_len > mss && seg->text_len > t->common->super_max)
        broken_at(w, "%u octets of text in one segment", seg->text_len);
    if (seg->wnd > UINT16_MAX)
        broken_at(w, "a window of %u", seg->wnd);
    if (!(seg->flags & SYN) && (seg->opts.has_mss || seg->opts.has_wscale))
        broken_at(w, "MSS or scale outside of a SYN (MUST-65)");
    if (!(seg->flags & (ACK | RST)) && t->state != STATE_SYN_SENT)
        broken_at(w, "no ACK, though synchronized (3.1)");
    if (seg->flags & RST && seg_len(seg) > 0)
        broken_at(w, "RST with text, SYN or FIN");
    seq_t edge = seq_add(t->snd.una, t->snd.wnd);
    if (new_text && tcb_synchronized(t) && seq_lt(edge, seg_end(seg)) && seg_len(seg) > 1)
        broken_at(w, "new text beyond the peer's window, and more than a probe");
}

/* ---- Steps ---- */

uint64_t ladder_now(void)
{
    return the.now_ns - the.start_ns;
}

bool ladder_take(struct where w, struct seg *seg)
{
    the.batch = false;
    if (the.has_answer) {
        the.has_answer = false;
        *seg = the.answer;
        return true;
    }
    seq_t sent = the.tcb.snd.nxt;
    memset(seg, 0x5a, sizeof *seg); /* output() fills in everything */
    if (!the.open || !tcp_output(&the.tcb, seg, the.now_ns))
        return false;
    check(w);
    check_sent(w, seg, seq_lt(sent, seg_end(seg)) && !(seg->flags & RST));
    return true;
}

void ladder_silence(struct where w)
{
    struct seg seg;
    char text[LINE_TEXT_MAX];
    if (ladder_take(w, &seg)) {
        struct line is = line_of(&seg, the.iss, the.irs);
        fail_at(w, "expected silence\n     got %s", line_text(&is, text));
    }
    if (!the.open)
        return;
    check(w);
    if (tcp_deadline(&the.tcb) <= the.now_ns)
        broken_at(w, "nothing to send, but the deadline is not in the future: the caller spins");
}

/* Every step that makes something happen begins here. */
static void step(struct where w)
{
    if (!the.batch)
        ladder_silence(w);
    the.batch = false;
}

void batch(void)
{
    the.batch = true;
}

void ladder_at(struct where w, uint64_t ns)
{
    step(w);
    uint64_t then = the.start_ns + ns, due;
    if (then < the.now_ns)
        broken_at(w, "time runs backwards");
    while (the.open && (due = tcp_deadline(&the.tcb)) < then) {
        the.now_ns = due;
        tcp_timeout(&the.tcb, the.now_ns);
        ladder_silence(w);
    }
    the.now_ns = then;
    if (the.open && tcp_deadline(&the.tcb) <= then)
        tcp_timeout(&the.tcb, then);
    if (the.open)
        check(w);
}

void ladder_expect(struct where w, struct line e)
{
    struct seg seg;
    char text[LINE_TEXT_MAX], text_is[LINE_TEXT_MAX];
    if (!ladder_take(w, &seg))
        fail_at(w, "expected %s\n     got silence", line_text(&e, text));
    struct line is = line_of(&seg, the.iss, the.irs);
    line_ts_relative(&is, the.clock, the.irs);
    if (!line_fits(&e, &is))
        fail_at(w, "expected %s\n     got %s", line_text(&e, text), line_text(&is, text_is));
    log_line(&the.log, ladder_now(), "-->", &is);
}

void ladder_ignore(struct where w)
{
    struct seg seg;
    while (ladder_take(w, &seg)) {
        struct line is = line_of(&seg, the.iss, the.irs);
        log_line(&the.log, ladder_now(), "-->", &is);
    }
    ladder_silence(w);
}

/* [at, at + len) of the peer's stream, in memory of exactly that size. What lies before its first
 * octet is at the other end of the 32 bits. */
static struct bytes peer_text(uint32_t at, uint32_t len)
{
    uint8_t *p = malloc(len);
    if (!p)
        abort();
    for (uint32_t i = 0; i < len; i++)
        p[i] = stream_octet(true, at + i);
    return (struct bytes){p, len};
}

static void free_text(struct bytes b)
{
    free((void *)(uintptr_t)b.ptr);
}

/* The text lies in two pieces, which are gone afterwards. */
static enum arrives arrive(struct seg *seg)
{
    uint32_t len = seg->text_len, cut = len / 3;
    uint32_t at = seg_text_start(seg).v - the.irs - 1;
    struct bytes first = peer_text(at, cut), second = peer_text(at + cut, len - cut);
    if (cut > 0)
        seg->text[seg->n_text++] = first;
    if (len > cut)
        seg->text[seg->n_text++] = second;
    enum arrives what = tcp_arrives(&the.tcb, seg, the.now_ns);
    free_text(first);
    free_text(second);
    return what;
}

void ladder_receive(struct where w, struct line l)
{
    step(w);
    if (l.wnd == 0)
        l.wnd = the.peer_wnd == 0 ? ZERO : (int)the.peer_wnd;
    if (the.stamped && l.ts == 0) {
        l.ts = 1;
        l.ts_val = the.peer_val;
    }
    log_line(&the.log, ladder_now(), "<--", &l);
    line_ts_absolute(&l, the.irs, the.clock);
    struct seg seg = line_seg(&l, the.irs, the.iss);
    if (!(l.flags & RST))
        the.peer_wnd = seg.wnd;
    if (arrive(&seg) == ARRIVES_ANSWER_RST)
        the.has_answer = tcp_reset_answer(&seg, &the.answer);
    check(w);
}

/* ---- User calls ---- */

void ladder_open(struct where w, bool passive)
{
    step(w);
    tcp_common_init(&the.common, &the.config, &the.mem.mem, &the.trace, the.path.super_max);
    struct busy *busy = mem_alloc(&the.mem.mem, sizeof *busy);
    no_memory_told(!busy);
    tcb_init(&the.tcb, &the.flow, the.path.mtu, &the.common, 1, busy);
    the.tcb.timestamps.offset = the.clock - (uint32_t)(the.start_ns / NS_PER_MS);
    the.open = true;
    if (busy && passive)
        tcp_open_passive(&the.tcb, seq(the.iss), the.now_ns);
    else if (busy)
        tcp_open_active(&the.tcb, seq(the.iss), the.now_ns);
    check(w);
}

int64_t ladder_send(struct where w, size_t n, bool urgent)
{
    step(w);
    uint8_t *data = malloc(n + 1);
    if (!data)
        abort();
    for (size_t i = 0; i < n; i++)
        data[i] = stream_octet(false, the.written + i);
    int64_t taken = (urgent ? tcp_urgent_send : tcp_send)(&the.tcb, data, n);
    free(data);
    log_text(&the.log, ladder_now(), "SEND %zu%s: %lld", n, urgent ? ", URGENT" : "",
             (long long)taken);
    no_memory_told(taken == ERR_NOMEM || (taken > 0 && taken < (int64_t)n &&
                                          the.tcb.busy->sndq.len < tcb_sndbuf(&the.tcb)));
    if (taken > 0)
        the.written += (uint64_t)taken;
    check(w);
    return taken;
}

void ladder_sends(struct where w, size_t n, bool urgent)
{
    int64_t taken = ladder_send(w, n, urgent);
    if (taken != (int64_t)n)
        fail_at(w, "SEND takes %lld of %zu", (long long)taken, n);
}

int64_t ladder_user_receive(struct where w, size_t n)
{
    step(w);
    uint8_t *data = malloc(n + 1);
    if (!data)
        abort();
    int64_t got = tcp_receive(&the.tcb, data, n, false, the.now_ns);
    bool right = true;
    for (int64_t i = 0; i < got; i++)
        right = right && data[i] == stream_octet(true, the.read++);
    free(data);
    log_text(&the.log, ladder_now(), "RECEIVE %zu: %lld", n, (long long)got);
    if (!right)
        broken_at(w, "the user receives other text than the peer has sent");
    check(w);
    return got;
}

void ladder_user_receives(struct where w, size_t n)
{
    int64_t got = ladder_user_receive(w, n);
    if (got != (int64_t)n)
        fail_at(w, "RECEIVE gives %lld of %zu", (long long)got, n);
}

void ladder_set(const struct tcp_settings *settings)
{
    no_memory_told(tcp_set(&the.tcb, settings) == ERR_NOMEM);
}

int ladder_close(struct where w)
{
    step(w);
    log_text(&the.log, ladder_now(), "CLOSE");
    int err = tcp_close(&the.tcb, the.now_ns);
    no_memory_told(err == ERR_NOMEM);
    check(w);
    return err;
}

void ladder_leave(struct where w)
{
    step(w);
    log_text(&the.log, ladder_now(), "the user leaves");
    tcp_leave(&the.tcb, the.now_ns);
    check(w);
}

void ladder_abort(struct where w)
{
    step(w);
    log_text(&the.log, ladder_now(), "ABORT");
    tcp_abort(&the.tcb, the.now_ns);
    check(w);
}

/* ---- What is to hold ---- */

void ladder_rest(struct where w)
{
    if (!tcb_rests(&the.tcb) || !tcb_unspent(&the.tcb, the.now_ns))
        fail_at(w, "expected a connection that has nothing to do");
    tcb_unbusy(&the.tcb);
    check(w);
    if (the.mem.mem.used > 0)
        fail_at(w, "a connection that has nothing to do holds %zu octets", the.mem.mem.used);
}

void ladder_state(struct where w, enum tcp_state s)
{
    if (the.tcb.state != s)
        fail_at(w, "expected state %s\n     got %s", state_name(s), state_name(the.tcb.state));
}

void ladder_closed(struct where w, int err)
{
    ladder_state(w, STATE_CLOSED);
    if (the.tcb.error != err)
        fail_at(w, "expected error %d\n     got %d", err, the.tcb.error);
}

void ladder_events(struct where w, unsigned set)
{
    if (the.tcb.events != set)
        fail_at(w, "expected events %#x\n     got %#x", set, the.tcb.events);
    the.tcb.events = 0;
}

uint32_t ours(void)
{
    return the.tcb.snd.nxt.v - the.iss;
}

uint32_t theirs(void)
{
    return the.tcb.rcv.nxt.v - the.irs;
}
