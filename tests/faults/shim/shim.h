/* A library for LD_PRELOAD that lets a program die, or its disk fail, at a chosen call.
 *
 * Every call that changes a file below a folder, makes it durable, or sends to a chosen port is counted from
 * 1: write, pwrite, writev, pwritev, fsync, fdatasync, ftruncate, fallocate, rename, link, unlink, remove,
 * send, sendto, sendmsg. Counted calls happen one at a time, so that a count means something with several
 * threads. All is said by environment variables; without them nothing is done.
 *
 *   EDDY_FAULT_FOLDER    only files below this absolute path are counted
 *   EDDY_FAULT_PORT      TCP port: what is sent to it is counted too
 *   EDDY_FAULT_AT        the number of the call at which it happens
 *   EDDY_FAULT_ACTION    before   SIGKILL instead of the call
 *                        after    SIGKILL after it
 *                        half     SIGKILL after half of its bytes (calls without bytes: as before)
 *                        lost     as before, and what was not yet made durable is undone: power loss
 * (lost_writes.h) torn     the same, but part of it, chosen by EDDY_FAULT_SEED, has reached the disk full no
 * space left for EDDY_FAULT_COUNT calls that would take some (0: for ever) error    EDDY_FAULT_COUNT calls
 * fail with EIO (0: for ever) signal   EDDY_FAULT_SIGNAL is sent to the process, then the call is done
 *   EDDY_FAULT_SCRATCH   lost, torn: a folder on the same file system for what was unlinked
 *   EDDY_FAULT_CLOCK     seconds: with every reading the wall clock jumps to and fro by up to so much
 *   EDDY_FAULT_HASTE     the monotonic clock runs so many times as fast, and sleeps are so many times
 * shorter: a back-off of a minute is over in seconds EDDY_FAULT_REPORT    file: "<number of the last counted
 * call> <its name> <file>", at the fault and at the end
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* So many bytes of a file reach the disk together or not at all. DuckDB relies on it for the blocks of its
 * own file (not for its log): a kill cannot cut a page, and disks of today write four kilobytes whole. Nobody
 * else does. */
size_t whole_bytes(const char* path);

/* The calls below the shim's own, for lost_writes.c. */
struct real_calls {
  ssize_t (*write)(int, const void*, size_t);
  ssize_t (*pwrite)(int, const void*, size_t, off_t);
  int (*ftruncate)(int, off_t);
  int (*rename)(const char*, const char*);
  int (*link)(const char*, const char*);
  int (*unlink)(const char*);
  int (*open)(const char*, int, ...);
};
extern struct real_calls real;
