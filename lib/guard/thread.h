/* Starting a thread of the library's own. Called by keeper.c and by runtime/. */
#ifndef THREAD_H
#define THREAD_H

#include <pthread.h>

/* pthread_create with all signals blocked: they are for the program's own threads. Negative errno.
 */
int thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

#endif
