/* Reading --so_flags. See flags.h. */
#include "flags.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 64

/* False: what the value should have been is in why. */
typedef bool reader(const char *value, struct so_flags *out, char why[FLAGS_WHY_MAX]);

static bool wrong(char why[FLAGS_WHY_MAX], const char *wanted)
{
    snprintf(why, FLAGS_WHY_MAX, "%s", wanted);
    return false;
}

static bool number(const char *value, uint32_t min, uint32_t max, uint32_t *out,
                   char why[FLAGS_WHY_MAX])
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || errno || n < min || n > max) {
        snprintf(why, FLAGS_WHY_MAX, "a number from %u to %u", min, max);
        return false;
    }
    *out = (uint32_t)n;
    return true;
}

static bool read_ip(const char *value, struct so_flags *out, char why[FLAGS_WHY_MAX])
{
    char text[VALUE_MAX];
    snprintf(text, sizeof text, "%s", value);
    text[strcspn(text, "/")] = '\0';
    uint8_t octets[16];
    if (inet_pton(AF_INET, text, octets) == 1) {
        out->v4 = ip_addr_v4_bytes(octets);
        return out->has_v4 = true;
    }
    if (inet_pton(AF_INET6, text, octets) == 1) {
        out->v6 = ip_addr_v6_bytes(octets);
        return out->has_v6 = true;
    }
    return wrong(why, "an IPv4 or IPv6 address");
}

static bool read_mtu(const char *value, struct so_flags *out, char why[FLAGS_WHY_MAX])
{
    return number(value, 68, 65535, &out->mtu, why);
}

static bool read_quickack(const char *value, struct so_flags *out, char why[FLAGS_WHY_MAX])
{
    uint32_t n;
    if (!number(value, 0, 1, &n, why))
        return false;
    out->quickack = n == 1;
    return true;
}

static bool read_cc(const char *value, struct so_flags *out, char why[FLAGS_WHY_MAX])
{
    bool newreno = strcmp(value, "newreno") == 0;
    out->cc = newreno ? &cc_newreno : &cc_cubic;
    return newreno || strcmp(value, "cubic") == 0 || wrong(why, "cubic or newreno");
}

static bool read_rcvbuf(const char *value, struct so_flags *out, char why[FLAGS_WHY_MAX])
{
    return number(value, 1, UINT32_C(65535) << 14, &out->rcvbuf, why);
}

static bool read_wscale(const char *value, struct so_flags *out, char why[FLAGS_WHY_MAX])
{
    uint32_t n;
    if (!number(value, 0, 14, &n, why))
        return false;
    out->wscale = (uint8_t)n;
    return out->has_wscale = true;
}

static bool read_sack(const char *value, struct so_flags *out, char why[FLAGS_WHY_MAX])
{
    out->sack = strcmp(value, "on") == 0;
    out->has_sack = out->sack || strcmp(value, "off") == 0;
    return out->has_sack || wrong(why, "on or off");
}

static bool read_ecn(const char *value, struct so_flags *out, char why[FLAGS_WHY_MAX])
{
    uint32_t n;
    if (!number(value, 0, 2, &n, why))
        return false;
    out->ecn = (uint8_t)n;
    return out->has_ecn = true;
}

static const struct {
    const char *key;
    reader *read;
} keys[] = {
    {"ip", read_ip},     {"mtu", read_mtu},       {"quickack", read_quickack},
    {"cc", read_cc},     {"rcvbuf", read_rcvbuf}, {"wscale", read_wscale},
    {"sack", read_sack}, {"ecn", read_ecn},
};

#define N_KEYS (sizeof keys / sizeof keys[0])

static reader *reader_of(const char *key, size_t len)
{
    for (size_t i = 0; i < N_KEYS; i++) {
        if (strlen(keys[i].key) == len && memcmp(keys[i].key, key, len) == 0)
            return keys[i].read;
    }
    return NULL;
}

static void list_keys(char *to, size_t room)
{
    *to = '\0';
    for (size_t i = 0; i < N_KEYS; i++) {
        size_t len = strlen(to);
        snprintf(to + len, room - len, "%s%s", i ? ", " : "", keys[i].key);
    }
}

/* One key=value, of len octets. */
static bool read_one(const char *item, size_t len, struct so_flags *out, char why[FLAGS_WHY_MAX])
{
    const char *equals = memchr(item, '=', len);
    reader *read = equals ? reader_of(item, (size_t)(equals - item)) : NULL;
    char wanted[FLAGS_WHY_MAX];
    if (!read) {
        list_keys(wanted, sizeof wanted);
        snprintf(why, FLAGS_WHY_MAX, "\"%.*s\": not KEY=VALUE with a KEY of these: %.100s",
                 (int)len, item, wanted);
        return false;
    }
    char value[VALUE_MAX];
    snprintf(value, sizeof value, "%.*s", (int)(item + len - equals - 1), equals + 1);
    if (read(value, out, wanted))
        return true;
    snprintf(why, FLAGS_WHY_MAX, "\"%.*s\": the value has to be %.100s", (int)len, item, wanted);
    return false;
}

bool so_flags_read(const char *text, struct so_flags *out, char why[FLAGS_WHY_MAX])
{
    *out = (struct so_flags){.mtu = 1500, .cc = &cc_cubic};
    while (text && *text) {
        size_t len = strcspn(text, ",");
        if (!read_one(text, len, out, why))
            return false;
        text += len;
        text += *text == ',';
    }
    return true;
}
