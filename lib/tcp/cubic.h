/*
 * The curve of CUBIC (RFC 9438 4.2) in whole numbers: windows in octets, times in milliseconds. For
 * cc_cubic.c. Nothing here overflows, whatever the arguments.
 */
#ifndef CUBIC_H
#define CUBIC_H

#include <stdint.h>

/* The largest r with r^3 <= x. */
uint32_t cube_root(uint64_t x);

/* K (figure 2), rounded down: how long the window takes up to W_max when it begins `below` octets
 * under it. mss: SMSS, 1 to 65535. */
uint32_t cubic_k_ms(uint32_t below, uint32_t mss);

/* W_cubic(t) (figure 1), less than an octet from it, towards W_max; not less than 0. Where it is
 * beyond any window that can be, any such number. k_ms: what cubic_k_ms() can give. */
uint64_t cubic_window(uint32_t w_max, uint32_t k_ms, uint64_t t_ms, uint32_t mss);

#endif
