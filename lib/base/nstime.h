/*
 * Time in the engine: nanoseconds of a monotonic clock, as a uint64_t argument. Nothing below
 * runtime/ reads a clock.
 */
#ifndef NSTIME_H
#define NSTIME_H

#include <stdint.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

/* A deadline that never comes; also what deadline functions answer when nothing is pending. */
#define TIME_NEVER UINT64_MAX

static inline uint64_t time_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t time_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* In whole microseconds; UINT32_MAX, which is more than an hour: or more. */
static inline uint32_t time_us(uint64_t ns)
{
    return ns / NS_PER_US < UINT32_MAX ? (uint32_t)(ns / NS_PER_US) : UINT32_MAX;
}

#endif
