/* An application that lends some of its text to the engine, and takes it back later: at its next
 * write or when it closes. What was lent is something else from then on. */
#ifndef APP_LEND_H
#define APP_LEND_H

#include "world.h"

/* Whether it lends these, the stream's next octets: not for the world's dice to say, so that a
 * seed's world stays the same. None is lent at the time. */
bool lend_wanted(const uint8_t *buf, size_t len);

/* stack_lend() of them. */
int64_t lend_send(struct end *e, const uint8_t *buf, size_t len);

/* With stack_keep(), where it has a socket. */
void lend_end(struct end *e);

#endif
