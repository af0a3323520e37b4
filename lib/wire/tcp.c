/*
 * The TCP header (RFC 9293 3.1) and its options (3.2; RFC 7323 2). Bytes and structs only: what a
 * value means for a connection, and which are too small to be true, is the upper floors' business.
 */
#include "tcp.h"

#include "check.h"

#define OPT_END    0
#define OPT_NOP    1
#define OPT_MSS    2
#define OPT_WSCALE 3

#define OPT_MSS_LEN    4
#define OPT_WSCALE_LEN 3

/* A known option of another length than its own is skipped like an unknown one. MSS and window
 * scale count in a SYN only (MUST-65; RFC 7323 2.2: elsewhere it must be ignored). */
static void take_option(struct seg *seg, uint8_t kind, struct reader body)
{
    if (!(seg->flags & TCP_SYN))
        return;
    if (kind == OPT_MSS && body.len == OPT_MSS_LEN - 2) {
        seg->opts.has_mss = true;
        seg->opts.mss = get_u16(&body);
    } else if (kind == OPT_WSCALE && body.len == OPT_WSCALE_LEN - 2) {
        seg->opts.has_wscale = true;
        seg->opts.wscale = get_u8(&body);
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
    size_t len = TCP_HDR_LEN;
    if (seg->flags & TCP_SYN) {
        len += seg->opts.has_mss ? OPT_MSS_LEN : 0;
        len += seg->opts.has_wscale ? 1 + OPT_WSCALE_LEN : 0;
    }
    return len;
}

/* In Linux's order, MSS first: some middleboxes drop a SYN that begins otherwise. */
static void emit_options(struct writer *w, const struct tcp_opts *opts)
{
    if (opts->has_mss) {
        put_u8(w, OPT_MSS);
        put_u8(w, OPT_MSS_LEN);
        put_u16(w, opts->mss);
    }
    if (opts->has_wscale) {
        put_u8(w, OPT_NOP);
        put_u8(w, OPT_WSCALE);
        put_u8(w, OPT_WSCALE_LEN);
        put_u8(w, opts->wscale);
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
