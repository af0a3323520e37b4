/* units.c - reads and writes quantities. Pure. */
#include "units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t of;
};

/* Each table from the smallest to the largest; of two names for one the last is written. */
static const struct unit times[] = {
    {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {0}};
static const struct unit rates[] = {
    {"bit", 1}, {"kbit", 1000}, {"mbit", 1000000}, {"gbit", 1000000000}, {0}};
static const struct unit sizes[] = {{"", 1},        {"b", 1},        {"k", 1024}, {"kb", 1024},
                                    {"m", 1048576}, {"mb", 1048576}, {0}};
static const struct unit packets[] = {{"p", 1}, {0}};
static const struct unit shares[] = {{"", UNITS_WHOLE / 100}, {"%", UNITS_WHOLE / 100}, {0}};

bool units_number(const char *text, double *value, const char **end)
{
    size_t len = strspn(text, "0123456789.");
    char digits[32];
    char *stop;
    if (len == 0 || len >= sizeof(digits))
        return false;
    memcpy(digits, text, len);
    digits[len] = '\0';
    *value = strtod(digits, &stop);
    *end = text + len;
    return stop == digits + len;
}

/* A number and one of the units; at most `most`, and 0 only where 0 is said. */
static bool parse(const char *text, const struct unit *units, uint64_t most, uint64_t *out)
{
    double value;
    const char *end;
    if (!units_number(text, &value, &end))
        return false;
    for (const struct unit *u = units; u->name; u++) {
        if (strcmp(end, u->name) != 0)
            continue;
        double scaled = value * (double)u->of + 0.5;
        *out = scaled < 1e18 ? (uint64_t)scaled : UINT64_MAX;
        return *out <= most && (*out > 0) == (value > 0);
    }
    return false;
}

bool units_share(const char *text, uint32_t *share)
{
    uint64_t value;
    if (!parse(text, shares, UNITS_WHOLE, &value))
        return false;
    *share = (uint32_t)value;
    return true;
}

bool units_time(const char *text, uint64_t *ns)
{
    return parse(strcmp(text, "0") == 0 ? "0s" : text, times, UNITS_TIME_MAX, ns);
}

bool units_rate(const char *text, uint64_t *bit_s)
{
    return parse(text, rates, UNITS_RATE_MAX, bit_s) && *bit_s > 0;
}

bool units_size(const char *text, uint64_t *octets)
{
    return parse(text, sizes, UNITS_SIZE_MAX, octets);
}

bool units_packets(const char *text, uint64_t *out)
{
    return parse(text, packets, UNITS_SIZE_MAX, out);
}

/* In the largest unit in which three decimals say it all. */
static struct units_text write_in(const struct unit *units, uint64_t value)
{
    struct units_text t;
    const struct unit *best = units;
    for (const struct unit *u = units; u->name; u++)
        if (value >= u->of && value % u->of * 1000 % u->of == 0)
            best = u;
    snprintf(t.text, sizeof(t.text), "%.15g%s", (double)value / (double)best->of, best->name);
    return t;
}

struct units_text units_share_text(uint32_t share)
{
    struct units_text t;
    snprintf(t.text, sizeof(t.text), "%.6g%%", share / (UNITS_WHOLE / 100.0));
    return t;
}

struct units_text units_time_text(uint64_t ns)
{
    return write_in(times, ns);
}

struct units_text units_rate_text(uint64_t bit_s)
{
    return write_in(rates, bit_s);
}

struct units_text units_size_text(uint64_t octets)
{
    return write_in(sizes, octets);
}
