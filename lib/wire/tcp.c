/*
 * The TCP header (RFC 9293 3.1) and its options (3.2; RFC 7323 2). Bytes and structs only: what a
 * value means for a connection, and which are too small to be true, is the upper floors' business.
 */
#include "tcp.h"

#include "check.h"

#define OPT_END            0
#define OPT_NOP            1
#define OPT_MSS            2
#define OPT_WSCALE         3
#define OPT_SACK_PERMITTED 4
#define OPT_SACK           5
#define OPT_TS             8

#define OPT_MSS_LEN            4
#define OPT_WSCALE_LEN         3
#define OPT_SACK_PERMITTED_LEN 2
#define OPT_TS_LEN             10
#define SACK_BLOCK_LEN         8

static void take_syn_option(struct tcp_opts *opts, uint8_t kind, struct reader body)
{
    if (kind == OPT_MSS && body.len == OPT_MSS_LEN - 2) {
        opts->has_mss = true;
        opts->mss = get_u16(&body);
    } else if (kind == OPT_WSCALE && body.len == OPT_WSCALE_LEN - 2) {
        opts->has_wscale = true;
        opts->wscale = get_u8(&body);
    } else if (kind == OPT_SACK_PERMITTED && body.len == OPT_SACK_PERMITTED_LEN - 2) {
        opts->has_sack_permitted = true;
    }
}

static void take_sack(struct tcp_opts *opts, struct reader body)
{
    opts->n_sack = 0;
    while (body.len > 0 && opts->n_sack < SACK_BLOCKS_MAX) {
        struct sack_block *b = &opts->sack[opts->n_sack++];
        b->left = seq(get_u32(&body));
        b->right = seq(get_u32(&body));
    }
}

/* A known option of another length than its own is skipped like an unknown one. MSS, window scale
 * and SACK-permitted count in a SYN only (MUST-65; RFC 7323 2.2: elsewhere it must be ignored; RFC
 * 2018 2: it must not be sent elsewhere). A SYN has nothing to SACK. */
static void take_option(struct seg *seg, uint8_t kind, struct reader body)
{
    struct tcp_opts *opts = &seg->opts;
    if (kind == OPT_TS && body.len == OPT_TS_LEN - 2) {
        opts->has_ts = true;
        opts->ts_val = get_u32(&body);
        opts->ts_ecr = get_u32(&body);
    } else if (seg->flags & TCP_SYN) {
        take_syn_option(opts, kind, body);
    } else if (kind == OPT_SACK && body.len > 0 && body.len % SACK_BLOCK_LEN == 0) {
        take_sack(opts, body);
    }
}

/* Every turn takes at least one octet, so the loop ends whatever the lengths say. */
static enum tcp_error parse_options(struct reader opts, struct seg *seg)
{
    while (opts.len > 0) {
        uint8_t kind = get_u8(&opts);
        if (kind == OPT_END)
            return TCP_OK;
        if (kind == OPT_NOP)
            continue;
        uint8_t len = get_u8(&opts);
        if (opts.bad || len < 2)
            return TCP_OPTIONS;
        const uint8_t *body = get_bytes(&opts, len - 2u);
        if (!body)
            return TCP_OPTIONS;
        take_option(seg, kind, reader(body, len - 2u));
    }
    return TCP_OK;
}

enum tcp_error tcp_parse(struct reader *r, uint32_t len, uint16_t *src_port, uint16_t *dst_port,
                         struct seg *seg)
{
    const uint8_t *start = get_bytes(r, TCP_HDR_LEN);
    if (!start || len < TCP_HDR_LEN) {
        *seg = (struct seg){0};
        return TCP_SHORT;
    }
    seg->opts = (struct tcp_opts){0};
    seg->text_len = 0;
    seg->n_text = 0; /* the references are not worth clearing */
    seg->gso_size = 0;
    struct reader field = reader(start, TCP_HDR_LEN);
    *src_port = get_u16(&field);
    *dst_port = get_u16(&field);
    seg->seq = seq(get_u32(&field));
    seg->ack = seq(get_u32(&field));
    size_t hdr_len = (size_t)(get_u8(&field) >> 4) * 4; /* the low bits are reserved */
    seg->flags = get_u8(&field);
    seg->wnd = get_u16(&field);
    (void)get_u16(&field); /* the checksum */
    seg->up = get_u16(&field);
    if (hdr_len < TCP_HDR_LEN || hdr_len > len)
        return TCP_DATA_OFFSET;
    const uint8_t *opts = get_bytes(r, hdr_len - TCP_HDR_LEN);
    if (!opts)
        return TCP_SHORT;
    seg->text_len = (uint32_t)(len - hdr_len);
    return parse_options(reader(opts, hdr_len - TCP_HDR_LEN), seg);
}

size_t tcp_hdr_len(const struct seg *seg)
{
    const struct tcp_opts *opts = &seg->opts;
    size_t len = TCP_HDR_LEN + (opts->has_ts ? TCP_TS_LEN : 0);
    if (seg->flags & TCP_SYN) {
        len += opts->has_mss ? OPT_MSS_LEN : 0;
        len += opts->has_sack_permitted && !opts->has_ts ? 2 + OPT_SACK_PERMITTED_LEN : 0;
        len += opts->has_wscale ? 1 + OPT_WSCALE_LEN : 0;
    } else {
        len += tcp_sack_len(opts->n_sack);
    }
    return len;
}

static void put_ts(struct writer *w, const struct tcp_opts *opts)
{
    put_u8(w, OPT_TS);
    put_u8(w, OPT_TS_LEN);
    put_u32(w, opts->ts_val);
    put_u32(w, opts->ts_ecr);
}

static void put_nops(struct writer *w)
{
    put_u8(w, OPT_NOP);
    put_u8(w, OPT_NOP);
}

static void put_sack_permitted(struct writer *w)
{
    put_u8(w, OPT_SACK_PERMITTED);
    put_u8(w, OPT_SACK_PERMITTED_LEN);
}

/* In Linux's order, MSS first: some middleboxes drop a SYN that begins otherwise. SACK-permitted
 * takes the place of the NOPs before the timestamps. */
static void emit_syn_options(struct writer *w, const struct tcp_opts *opts)
{
    if (opts->has_mss) {
        put_u8(w, OPT_MSS);
        put_u8(w, OPT_MSS_LEN);
        put_u16(w, opts->mss);
    }
    if (opts->has_sack_permitted && !opts->has_ts)
        put_nops(w);
    if (opts->has_sack_permitted)
        put_sack_permitted(w);
    else if (opts->has_ts)
        put_nops(w);
    if (opts->has_ts)
        put_ts(w, opts);
    if (opts->has_wscale) {
        put_u8(w, OPT_NOP);
        put_u8(w, OPT_WSCALE);
        put_u8(w, OPT_WSCALE_LEN);
        put_u8(w, opts->wscale);
    }
}

static void emit_options(struct writer *w, const struct tcp_opts *opts)
{
    if (opts->has_ts) {
        put_nops(w);
        put_ts(w, opts);
    }
    if (opts->n_sack > 0) {
        put_nops(w);
        put_u8(w, OPT_SACK);
        put_u8(w, (uint8_t)(2 + SACK_BLOCK_LEN * opts->n_sack));
    }
    for (unsigned i = 0; i < opts->n_sack; i++) {
        put_u32(w, opts->sack[i].left.v);
        put_u32(w, opts->sack[i].right.v);
    }
}

void tcp_emit(struct writer *w, const struct seg *seg, uint16_t src_port, uint16_t dst_port)
{
    (void)CHECK(seg->wnd <= UINT16_MAX);
    uint8_t *start = put_room(w, TCP_HDR_LEN);
    if (!start)
        return;
    struct writer field = writer(start, TCP_HDR_LEN);
    put_u16(&field, src_port);
    put_u16(&field, dst_port);
    put_u32(&field, seg->seq.v);
    put_u32(&field, seg->ack.v);
    put_u8(&field, (uint8_t)(tcp_hdr_len(seg) / 4 << 4));
    put_u8(&field, seg->flags);
    put_u16(&field, (uint16_t)seg->wnd);
    put_u16(&field, 0);
    put_u16(&field, seg->up);
    if (seg->flags & TCP_SYN)
        emit_syn_options(w, &seg->opts);
    else
        emit_options(w, &seg->opts);
}

const char *tcp_flags_text(uint8_t flags, char buf[TCP_FLAGS_TEXT_MAX])
{
    static const char names[8][4] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
    char *out = buf;
    for (unsigned i = 0; i < 8; i++) {
        if (!(flags >> i & 1))
            continue;
        if (out > buf)
            *out++ = '|';
        memcpy(out, names[i], 3);
        out += 3;
    }
    if (out == buf) {
        memcpy(out, "none", 4);
        out += 4;
    }
    *out = '\0';
    return buf;
}
