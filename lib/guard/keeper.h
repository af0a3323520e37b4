/*
 * A thread that has a descriptor table of its own (unshare(2), CLONE_FILES): what is opened in it
 * is not among the program's descriptors, and a child made by fork() does not get it. So it is gone
 * the moment the process ends, whatever children live on; and nobody can close it by accident.
 *
 * Called by guard.c only, one call at a time.
 */
#ifndef KEEPER_H
#define KEEPER_H

struct keeper;

/* Starts the thread, in the network namespace and with the rights of the calling one. It sleeps
 * until there is something to do. Negative errno. */
int keeper_create(struct keeper **out);

/* Has the thread run work(arg), waits, and returns the result. Descriptors that work opens mean
 * something to further work only. Two switches of threads. */
int keeper_do(struct keeper *k, int (*work)(void *arg), void *arg);

/* Ends the thread. All it has opened must have been closed by a last keeper_do: the kernel wakes
 * whoever joins a thread before it closes the thread's descriptors. */
void keeper_destroy(struct keeper *k);

#endif
