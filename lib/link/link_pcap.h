/*
 * A link that records what passes: wraps any other link and writes every packet that it sends and
 * receives to a descriptor, as pcapng (draft-ietf-opsawg-pcapng), which tcpdump and Wireshark read.
 *
 * A section header and one interface (LINKTYPE_RAW: packets begin at the IP header; nanoseconds);
 * then a block for each packet, with its direction, written before send() or recv() returns: the
 * record is whole at every moment but for the block that is being written. Packets are recorded as
 * they cross the border to the engine, super-segments in one piece; a checksum that is left to the
 * device is filled in. What the wrapped link drops after it took it is in the record.
 */
#ifndef LINK_PCAP_H
#define LINK_PCAP_H

#include "link.h"
#include "trace.h"

/*
 * inner: the wrapped link, taken over on success. fd stays the caller's. When it can't be
 * written any more (a full disk, a reader that is gone) the recording ends with the last whole
 * block, where fd is a file, and the link goes on; send() then tells the trace once, from the
 * thread that calls it. A negative errno: also when the beginning of the record can't be written.
 *
 * Thread rules as in link.h. While send() waits for whoever reads fd, so does recv().
 */
int link_pcap_create(struct link **out, struct link *inner, int fd, const struct trace *trace);

#endif
