/* Writing to a descriptor of the program's that may be anything: a file, a terminal, a pipe. Called
 * by link_pcap.c and by api/, for the packet record and the trace. */
#ifndef WRITE_WHOLE_H
#define WRITE_WHOLE_H

#include <sys/uio.h>

/* Writes all of the n pieces, which it changes, waiting for whoever reads them. No SIGPIPE and no
 * SIGXFSZ, which would end the program for want of a reader, or where files may not get longer. 0,
 * or a negative errno; *part, unless NULL, is then how many octets have been written. */
int write_whole(int fd, struct iovec *iov, int n, size_t *part);

#endif
