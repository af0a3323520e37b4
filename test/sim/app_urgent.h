/*
 * Urgent data between applications (RFC 9293 3.8.5): now and then a SEND of those whose plan has it
 * is urgent, and whoever reads has to come to a mark there and nowhere else.
 */
#ifndef APP_URGENT_H
#define APP_URGENT_H

#include "world.h"

/* stack_send, or stack_send_urgent, of the stream's next octets. */
int64_t urgent_send(struct end *e, const uint8_t *buf, size_t len);

/* To be called before every read. */
void urgent_look(struct end *e);

/* The end of the stream: no mark was missed. */
void urgent_check_eof(struct end *e);

#endif
