/* See check_ts.h. */
#include "check_ts.h"

#include "fail.h"

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static void is_now(struct ts_watch *me, uint32_t val)
{
    me->least = me->most = val;
    me->n_maybe = 0;
    me->overflow = false;
}

static bool may_be(const struct ts_watch *me, uint32_t ecr)
{
    bool found = ecr == me->least;
    for (uint32_t i = 0; i < me->n_maybe; i++)
        found = found || me->maybe[i] == ecr;
    if (me->overflow)
        return !before(ecr, me->least) && !before(me->most, ecr);
    return found && !before(ecr, me->least);
}

static void check_there(const struct ts_watch *me, const struct ts_watch *peer,
                        const struct seg *seg, bool passive)
{
    bool has = seg->opts.has_ts, syn = seg->flags & TCP_SYN;
    if (syn && !me->sent && (!(seg->flags & TCP_ACK) || passive)) {
        SIM_CHECK(!passive || !has || peer->offered, "timestamps",
                  "in a SYN-ACK, not in the SYN (RFC 7323 3.2)");
        return; /* it is said here */
    }
    bool due = syn && !(seg->flags & TCP_ACK) ? me->offered : ts_agreed(me, peer);
    SIM_CHECK(has == due, "timestamps", "flags %02x %s, %s", seg->flags, has ? "with" : "without",
              due ? "though it is agreed" : "though it is not agreed");
}

/* Whether there is one, as there has to be, and that TSval goes on. */
static bool goes_on(struct ts_watch *me, const struct ts_watch *peer, const struct seg *seg,
                    bool passive)
{
    check_there(me, peer, seg, passive);
    if (seg->flags & TCP_SYN && !me->sent)
        me->offered = seg->opts.has_ts;
    if (!me->offered)
        me->sent |= (seg->flags & TCP_SYN) != 0;
    if (!seg->opts.has_ts)
        return false;
    SIM_CHECK(!me->sent || !before(seg->opts.ts_val, me->val), "timestamps",
              "TSval %u after %u (RFC 7323 5.4)", seg->opts.ts_val, me->val);
    me->sent = true;
    me->val = seg->opts.ts_val;
    return true;
}

void ts_sent_cookie(struct ts_watch *me, const struct ts_watch *peer, const struct seg *seg)
{
    me->forgetful = true;
    if (goes_on(me, peer, seg, true))
        SIM_CHECK(!before(peer->val, seg->opts.ts_ecr), "timestamps",
                  "TSecr %u in a SYN cookie, which no SYN has had yet", seg->opts.ts_ecr);
}

void ts_sent(struct ts_watch *me, const struct ts_watch *peer, const struct seg *seg, bool passive)
{
    me->forgetful = false;
    if (!goes_on(me, peer, seg, passive))
        return;
    if (!(seg->flags & TCP_ACK)) {
        SIM_CHECK(seg->opts.ts_ecr == 0, "timestamps", "TSecr %u without ACK (RFC 7323 3.2)",
                  seg->opts.ts_ecr);
        return;
    }
    SIM_CHECK(may_be(me, seg->opts.ts_ecr), "timestamps",
              "TSecr %u, TS.Recent is from %u to %u (RFC 7323 4.3)", seg->opts.ts_ecr, me->least,
              me->most);
    is_now(me, seg->opts.ts_ecr);
}

void ts_sent_reset(const struct ts_watch *me, const struct ts_watch *peer, const struct seg *seg)
{
    SIM_CHECK(seg->opts.has_ts == ts_agreed(me, peer), "timestamps", "a RST %s (RFC 7323 3.2)",
              seg->opts.has_ts ? "with" : "without");
}

void ts_sent_answer(const struct seg *seg)
{
    SIM_CHECK(!seg->opts.has_ts, "timestamps", "in a RST for no connection: Linux drops it");
}

static void add(struct ts_watch *me, uint32_t val)
{
    if (before(me->most, val))
        me->most = val;
    if (me->n_maybe == TS_VALS)
        me->overflow = true;
    else
        me->maybe[me->n_maybe++] = val;
}

enum ts_age ts_arrived(struct ts_watch *me, const struct ts_watch *peer, const struct seg *seg,
                       enum ts_record record)
{
    uint32_t val = seg->opts.ts_val;
    if (!seg->opts.has_ts)
        return TS_GOOD;
    if (!me->heard && seg->flags & TCP_SYN) {
        me->heard = true;
        is_now(me, val);
        return TS_GOOD;
    }
    if (!me->heard || (me->sent && !ts_agreed(me, peer)))
        return TS_GOOD;
    /* The listener may have refused the one before, or has answered it by a cookie. */
    if (seg->flags & TCP_SYN && (!me->sent || me->forgetful)) {
        add(me, me->least);
        add(me, val);
        me->least = before(val, me->least) ? val : me->least;
        return TS_GOOD;
    }
    if (before(val, me->least))
        return TS_OUTDATED;
    bool unsure = before(val, me->most);
    if (record == TS_RECORDED && !unsure)
        is_now(me, val);
    else if (record != TS_NOT_RECORDED)
        add(me, val);
    return unsure ? TS_UNSURE : TS_GOOD;
}

bool ts_reopens(const struct ts_watch *client, const struct ts_watch *was,
                const struct ts_watch *peer)
{
    return client->offered && (!ts_agreed(was, peer) || before(was->least, client->val));
}
