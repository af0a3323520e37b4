/*
 * Checkers of connections that have the same four-tuple one after the other: sequence numbers go on
 * where they were (RFC 9293 3.4.1, RFC 6528), TIME-WAIT gives way to a new SYN only beyond what was
 * used (3.6.1, MAY-2), or with a newer timestamp (RFC 6191), and a four-tuple is refused only while
 * it is in use.
 */
#ifndef CHECK_REUSE_H
#define CHECK_REUSE_H

#include "world.h"

/* e has sent SYN. */
void reuse_syn_sent(struct end *e);

/* A listener makes a connection for e, perhaps out of one in TIME-WAIT. */
void reuse_half_open(struct end *e);

/* connect() says that the four-tuple, or every port, is in use, for e. error: ERR_IN_USE,
 * ERR_NO_PORT. */
void reuse_refused(struct end *e, int error);

/* Whether f, of an earlier connection, would be taken for the present one's: its sequence numbers
 * lie where that one's are or will be. After a crash, or when more than 250 000 octets went in a
 * second, nothing but time protects from this (RFC 9293 3.4.3), and the world keeps such a packet
 * back. */
bool reuse_confuses(const struct frame *f);

#endif
