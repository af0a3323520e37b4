/* What whoever runs packetdrill may preload; see preload.c. */
#ifndef PRELOAD_H
#define PRELOAD_H

#include <sys/socket.h>

/* The object says where getsockopt(2) and close(2) of its descriptors, which are not the kernel's,
 * are to go. */
typedef void pd_register_fn(int (*getsockopt)(int fd, int level, int name, void *value,
                                              socklen_t *len),
                            int (*close)(int fd));

__attribute__((visibility("default"))) pd_register_fn pd_register;

#endif
