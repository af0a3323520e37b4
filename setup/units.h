/* units.h - quantities as tc(8) writes them, and back: 20ms, 100mbit, 32kb, 1000p, 0.5%. */
#ifndef NETNS_UNITS_H
#define NETNS_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* The unit of a probability: one in a million. */
#define UNITS_WHOLE 1000000

/* The largest that is understood. */
#define UNITS_TIME_MAX UINT64_C(3600000000000) /* ns: an hour */
#define UNITS_RATE_MAX UINT64_C(100000000000)  /* bit/s */
#define UNITS_SIZE_MAX UINT64_C(1000000000)    /* octets, packets */

/* A plain decimal number, sign and exponent excluded, and what follows it: *end. */
bool units_number(const char *text, double *value, const char **end);

/* Of UNITS_WHOLE: "20%", "0.1" (of a hundred). 0 or 0.0001% to 100%. */
bool units_share(const char *text, uint32_t *share);

/* Nanoseconds: "20ms"; s, ms, us, ns. tc takes a bare number for microseconds; here only 0 has no
 * unit. */
bool units_time(const char *text, uint64_t *ns);

/* Bits per second: "100mbit"; bit, kbit, mbit, gbit, of 1000 each. Not 0. */
bool units_rate(const char *text, uint64_t *bit_s);

/* Octets: "1500", "32kb"; b, k or kb, m or mb, of 1024 each. */
bool units_size(const char *text, uint64_t *octets);

/* Packets: "1000p". */
bool units_packets(const char *text, uint64_t *packets);

/* The same quantity as text that is read as exactly that. */
#define UNITS_TEXT_MAX 24
struct units_text {
    char text[UNITS_TEXT_MAX];
};
struct units_text units_share_text(uint32_t share);
struct units_text units_time_text(uint64_t ns);
struct units_text units_rate_text(uint64_t bit_s);
struct units_text units_size_text(uint64_t octets);

#endif
