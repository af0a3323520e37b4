/*
 * The octets of a stream as a function of (stream, offset): whoever holds some of them can tell
 * whether they are the right ones, without a copy of what was sent.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The octets [offset, offset + len) of the stream. */
void payload_fill(uint64_t stream, uint64_t offset, void *buf, size_t len);

/* Index of the first octet that is not the stream's at this offset; len when all are. */
size_t payload_verify(uint64_t stream, uint64_t offset, const void *buf, size_t len);

#endif
