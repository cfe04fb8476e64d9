#define _GNU_SOURCE
#include "shim.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "lost_writes.h"

struct real_calls real;

enum action { none, before, after, half, lost, torn, full, error, send_signal };

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char folder[PATH_MAX];
static size_t folder_length;
static int port;
static unsigned long at, count, failures_left;
static int failures_bounded, signal_number;
static enum action action;
static uint64_t seed;
static char report[PATH_MAX];
static long clock_seconds, haste = 1;
static char last_name[32], last_file[PATH_MAX];

static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off_t);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_fallocate)(int, int, off_t, off_t);
static int (*real_remove)(const char *);
static ssize_t (*real_send)(int, const void *, size_t, int);
static ssize_t (*real_sendto)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
static ssize_t (*real_sendmsg)(int, const struct msghdr *, int);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_gettimeofday)(struct timeval *, void *);
static int (*real_nanosleep)(const struct timespec *, struct timespec *);
static int (*real_clock_nanosleep)(clockid_t, int, const struct timespec *, struct timespec *);
static int (*real_cond_clockwait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);

static enum action parse_action(const char *name) {
  static const char *const names[] = {"", "before", "after", "half", "lost", "torn", "full", "error", "signal"};
  for (size_t i = 1; i < sizeof names / sizeof *names; ++i)
    if (strcmp(name, names[i]) == 0) return (enum action)i;
  return none;
}

static unsigned long number(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? 0 : strtoul(text, NULL, 10);
}
static const char *text(const char *name) {
  const char *value = getenv(name);
  return value == NULL ? "" : value;
}

static void start(void) {
  static int started;
  if (started) return;
  started = 1;
#define FIND(member, name) *(void **)(&(member)) = dlsym(RTLD_NEXT, name)
  FIND(real.write, "write");
  FIND(real.pwrite, "pwrite");
  FIND(real.ftruncate, "ftruncate");
  FIND(real.rename, "rename");
  FIND(real.link, "link");
  FIND(real.unlink, "unlink");
  FIND(real.open, "open");
  FIND(real_writev, "writev");
  FIND(real_pwritev, "pwritev");
  FIND(real_fsync, "fsync");
  FIND(real_fdatasync, "fdatasync");
  FIND(real_fallocate, "fallocate");
  FIND(real_remove, "remove");
  FIND(real_send, "send");
  FIND(real_sendto, "sendto");
  FIND(real_sendmsg, "sendmsg");
  FIND(real_clock_gettime, "clock_gettime");
  FIND(real_gettimeofday, "gettimeofday");
  FIND(real_nanosleep, "nanosleep");
  FIND(real_clock_nanosleep, "clock_nanosleep");
  FIND(real_cond_clockwait, "pthread_cond_clockwait");
#undef FIND
  snprintf(folder, sizeof folder, "%s", text("EDDY_FAULT_FOLDER"));
  folder_length = strlen(folder);
  snprintf(report, sizeof report, "%s", text("EDDY_FAULT_REPORT"));
  port = (int)number("EDDY_FAULT_PORT");
  at = number("EDDY_FAULT_AT");
  failures_left = number("EDDY_FAULT_COUNT");
  failures_bounded = failures_left > 0;
  signal_number = (int)number("EDDY_FAULT_SIGNAL");
  seed = number("EDDY_FAULT_SEED");
  clock_seconds = (long)number("EDDY_FAULT_CLOCK");
  if (number("EDDY_FAULT_HASTE") > 1) haste = (long)number("EDDY_FAULT_HASTE");
  action = parse_action(text("EDDY_FAULT_ACTION"));
  if (action == lost || action == torn) lost_begin(text("EDDY_FAULT_SCRATCH"));
}

__attribute__((constructor)) static void at_start(void) {
  pthread_mutex_lock(&lock);
  start();
  pthread_mutex_unlock(&lock);
}

static void write_report(void) {
  if (report[0] == '\0') return;
  char line[PATH_MAX + 64];
  const int length = snprintf(line, sizeof line, "%lu %s %s\n", count, last_name, last_file);
  const int fd = real.open(report, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd >= 0 && real.write(fd, line, (size_t)length) > 0) close(fd);
}

__attribute__((destructor)) static void at_end(void) {
  pthread_mutex_lock(&lock);
  write_report();
  lost_end();
  pthread_mutex_unlock(&lock);
}

static void die(void) {
  write_report();
  if (action == lost) lost_happen(0);
  if (action == torn) lost_happen(seed == 0 ? 1 : seed);
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static int is_ours(const char *path) {
  char whole[PATH_MAX];
  if (folder_length == 0) return 0;
  if (path[0] != '/') {
    char here[PATH_MAX / 2];
    if (getcwd(here, sizeof here) == NULL) return 0;
    snprintf(whole, sizeof whole, "%s/%.2000s", here, path);
    path = whole;
  }
  return strncmp(path, folder, folder_length) == 0;
}

static int is_our_file(int fd, char *path) {
  char name[64];
  if (folder_length == 0) return 0;
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(name, path, PATH_MAX - 1);
  if (length <= 0) return 0;
  path[length] = '\0';
  return is_ours(path);
}

static int is_our_socket(int fd) {
  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  if (port == 0 || getpeername(fd, (struct sockaddr *)&peer, &length) != 0) return 0;
  const struct sockaddr_in *four = (const struct sockaddr_in *)&peer;
  const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&peer;
  return ntohs(peer.ss_family == AF_INET6 ? six->sin6_port : four->sin_port) == port;
}

/* One counted call; from here to leave() the lock is held. Returns what is to happen with it. */
static enum action enter(const char *name, const char *file) {
  snprintf(last_name, sizeof last_name, "%s", name);
  snprintf(last_file, sizeof last_file, "%s", file);
  ++count;
  if (at == 0 || count < at || action == none) return none;
  if (action == full || action == error) {
    if (failures_bounded && failures_left == 0) return none;
    if (failures_bounded) --failures_left;
    return action;
  }
  if (count != at) return none;
  if (action == before || action == lost || action == torn) die();
  if (action == send_signal) {
    write_report();
    kill(getpid(), signal_number);
    return none;
  }
  return action; /* after, half */
}

size_t whole_bytes(const char *path) {
  const size_t length = strlen(path);
  return length > 7 && strcmp(path + length - 7, ".duckdb") == 0 ? 262144 : 1;
}

static int journaling(void) { return action == lost || action == torn; }

static size_t size_of(const struct iovec *parts, int n) {
  size_t size = 0;
  for (int i = 0; i < n; ++i) size += parts[i].iov_len;
  return size;
}
static char *joined(const struct iovec *parts, int n) {
  char *bytes = malloc(size_of(parts, n) + 1), *to = bytes;
  for (int i = 0; i < n; to += parts[i++].iov_len) memcpy(to, parts[i].iov_base, parts[i].iov_len);
  return bytes;
}

/* `how` 0: at the descriptor's place, 1: at `offset`, 2: send with `flags` */
static ssize_t do_write(int how, int fd, const void *bytes, size_t size, off_t offset, int flags) {
  if (how == 1) return real.pwrite(fd, bytes, size, offset);
  return how == 2 ? real_send(fd, bytes, size, flags) : real.write(fd, bytes, size);
}

static ssize_t put(const char *name, int how, int fd, const void *bytes, size_t size, off_t offset, int flags) {
  char path[PATH_MAX] = "socket";
  pthread_mutex_lock(&lock);
  start();
  const int socket = is_our_socket(fd);
  if (!socket && !is_our_file(fd, path)) {
    pthread_mutex_unlock(&lock);
    return do_write(how, fd, bytes, size, offset, flags);
  }
  const enum action now = enter(name, path);
  ssize_t result = -1;
  int failure = 0;
  if (now == half) {
    do_write(how, fd, bytes, size / 2 / whole_bytes(path) * whole_bytes(path), offset, flags);
    die();
  } else if ((now == full && !socket) || now == error) {
    failure = now == full ? ENOSPC : socket ? ECONNRESET : EIO;
  } else {
    if (journaling() && !socket) lost_note_write(fd, bytes, size, how == 1 ? offset : -1);
    result = do_write(how, fd, bytes, size, offset, flags);
    failure = errno;
  }
  if (now == after) die();
  pthread_mutex_unlock(&lock);
  errno = failure;
  return result;
}

ssize_t write(int fd, const void *bytes, size_t size) { return put("write", 0, fd, bytes, size, 0, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
  return put("pwrite", 1, fd, bytes, size, offset, 0);
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
  return put("pwrite", 1, fd, bytes, size, offset, 0);
}
ssize_t send(int fd, const void *bytes, size_t size, int flags) {
  return put("send", 2, fd, bytes, size, 0, flags);
}
ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to, socklen_t length) {
  pthread_mutex_lock(&lock);
  start();
  pthread_mutex_unlock(&lock);
  if (to != NULL) return real_sendto(fd, bytes, size, flags, to, length);
  return put("sendto", 2, fd, bytes, size, 0, flags);
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  pthread_mutex_lock(&lock);
  start();
  const int ours = is_our_socket(fd) && message->msg_controllen == 0;
  pthread_mutex_unlock(&lock);
  if (!ours) return real_sendmsg(fd, message, flags);
  char *bytes = joined(message->msg_iov, (int)message->msg_iovlen);
  const ssize_t sent =
      put("sendmsg", 2, fd, bytes, size_of(message->msg_iov, (int)message->msg_iovlen), 0, flags);
  free(bytes);
  return sent;
}

static ssize_t put_parts(const char *name, int how, int fd, const struct iovec *parts, int n, off_t offset) {
  char *bytes = joined(parts, n);
  const ssize_t written = put(name, how, fd, bytes, size_of(parts, n), offset, 0);
  free(bytes);
  return written;
}
ssize_t writev(int fd, const struct iovec *parts, int n) { return put_parts("writev", 0, fd, parts, n, 0); }
ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t offset) {
  return put_parts("pwritev", 1, fd, parts, n, offset);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int n, off64_t offset) {
  return put_parts("pwritev", 1, fd, parts, n, offset);
}

/* Calls on a descriptor that carry no bytes. */
enum on_descriptor { sync_all, sync_data, truncate_to, allocate };
static int on_fd(const char *name, enum on_descriptor what, int fd, int mode, off_t offset, off_t size) {
  char path[PATH_MAX];
  pthread_mutex_lock(&lock);
  start();
  const int ours = is_our_file(fd, path);
  const enum action now = ours ? enter(name, path) : none;
  int result = -1, failure = 0;
  if (now == half) die();
  if (now == error || (now == full && what == allocate)) {
    failure = now == full ? ENOSPC : EIO;
  } else {
    if (ours && journaling() && (what == truncate_to || what == allocate))
      lost_note_resize(fd, what == truncate_to ? size : offset + size);
    result = what == sync_all      ? real_fsync(fd)
             : what == sync_data   ? real_fdatasync(fd)
             : what == truncate_to ? real.ftruncate(fd, size)
                                   : real_fallocate(fd, mode, offset, size);
    failure = errno;
    if (ours && journaling() && (what == sync_all || what == sync_data) && result == 0) lost_note_sync(fd);
  }
  if (now == after) die();
  pthread_mutex_unlock(&lock);
  errno = failure;
  return result;
}
int fsync(int fd) { return on_fd("fsync", sync_all, fd, 0, 0, 0); }
int fdatasync(int fd) { return on_fd("fdatasync", sync_data, fd, 0, 0, 0); }
int ftruncate(int fd, off_t size) { return on_fd("ftruncate", truncate_to, fd, 0, 0, size); }
int ftruncate64(int fd, off64_t size) { return on_fd("ftruncate", truncate_to, fd, 0, 0, size); }
int fallocate(int fd, int mode, off_t offset, off_t size) {
  return on_fd("fallocate", allocate, fd, mode, offset, size);
}
int fallocate64(int fd, int mode, off64_t offset, off64_t size) {
  return on_fd("fallocate", allocate, fd, mode, offset, size);
}

/* Calls on names. */
enum on_name { rename_to, link_to, unlink_it, remove_it };
static int on_path(const char *name, enum on_name what, const char *path, const char *to) {
  pthread_mutex_lock(&lock);
  start();
  const int ours = is_ours(to != NULL ? to : path);
  const enum action now = ours ? enter(name, to != NULL ? to : path) : none;
  int result = -1, failure = 0;
  if (now == half) die();
  if (now == error || (now == full && what == link_to)) {
    failure = now == full ? ENOSPC : EIO;
  } else {
    struct stat info;
    const int exists = stat(path, &info) == 0 && S_ISREG(info.st_mode);
    if (ours && journaling() && exists) {
      if (what == rename_to) lost_note_rename(path, to);
      if (what == unlink_it || what == remove_it) lost_note_unlink(path);
    }
    result = what == rename_to   ? real.rename(path, to)
             : what == link_to   ? real.link(path, to)
             : what == unlink_it ? real.unlink(path)
                                 : real_remove(path);
    failure = errno;
  }
  if (now == after) die();
  pthread_mutex_unlock(&lock);
  errno = failure;
  return result;
}
int rename(const char *from, const char *to) { return on_path("rename", rename_to, from, to); }
int link(const char *from, const char *to) { return on_path("link", link_to, from, to); }
int unlink(const char *path) { return on_path("unlink", unlink_it, path, NULL); }
int remove(const char *path) { return on_path("remove", remove_it, path, NULL); }

/* Opening is not counted: a file that was just made is as good as none. Only a power cut needs to know of it. */
static int open_file(const char *path, int flags, mode_t mode) {
  pthread_mutex_lock(&lock);
  start();
  struct stat info;
  const int watch = journaling() && is_ours(path) && (flags & (O_CREAT | O_TRUNC)) != 0;
  const int fresh = watch && stat(path, &info) != 0;
  if (watch && !fresh && (flags & O_TRUNC) != 0 && info.st_size > 0) {
    const int fd = real.open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0) lost_note_resize(fd, 0); /* fd stays open: see lost_writes.h */
  }
  const int fd = real.open(path, flags, mode);
  const int failure = errno;
  if (fd >= 0 && fresh) lost_note_created(path);
  pthread_mutex_unlock(&lock);
  errno = failure;
  return fd;
}
static mode_t mode_of(int flags, va_list list) {
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(list, mode_t) : 0;
}
int open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = mode_of(flags, list);
  va_end(list);
  return open_file(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = mode_of(flags, list);
  va_end(list);
  return open_file(path, flags, mode);
}

/* The wall clock alone: what is waited for goes by the monotonic one. */
static long jump(void) {
  static unsigned long readings;
  if (clock_seconds == 0) return 0;
  const uint64_t x = (++readings) * 0x9E3779B97F4A7C15ULL ^ seed * 0xBF58476D1CE4E5B9ULL;
  return (long)((x >> 20) % (2 * (uint64_t)clock_seconds + 1)) - clock_seconds;
}

static const long second = 1000000000L;
static int64_t nanoseconds(const struct timespec *t) { return t->tv_sec * second + t->tv_nsec; }
static struct timespec to_timespec(int64_t n) { return (struct timespec){n / second, n % second}; }
/* From the fast clock to the true one. Both began at zero, so that processes agree on the time. */
static struct timespec slowed(const struct timespec *t) { return to_timespec(nanoseconds(t) / haste); }

int clock_gettime(clockid_t id, struct timespec *out) {
  pthread_mutex_lock(&lock);
  start();
  const int result = real_clock_gettime(id, out);
  if (result == 0 && id == CLOCK_REALTIME) out->tv_sec += jump();
  if (result == 0 && id == CLOCK_MONOTONIC && haste > 1) *out = to_timespec(nanoseconds(out) * haste);
  pthread_mutex_unlock(&lock);
  return result;
}
int nanosleep(const struct timespec *duration, struct timespec *rest) {
  const struct timespec shorter = to_timespec(nanoseconds(duration) / haste);
  return real_nanosleep(&shorter, rest);
}
int clock_nanosleep(clockid_t id, int flags, const struct timespec *time, struct timespec *rest) {
  const int absolute = (flags & TIMER_ABSTIME) != 0;
  const struct timespec shorter = !absolute               ? to_timespec(nanoseconds(time) / haste)
                                  : id == CLOCK_MONOTONIC ? slowed(time)
                                                          : *time;
  return real_clock_nanosleep(id, flags, &shorter, rest);
}
int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t id,
                           const struct timespec *until) {
  const struct timespec sooner = id == CLOCK_MONOTONIC ? slowed(until) : *until;
  return real_cond_clockwait(condition, mutex, id, &sooner);
}
int gettimeofday(struct timeval *out, void *zone) {
  pthread_mutex_lock(&lock);
  start();
  const int result = real_gettimeofday(out, zone);
  if (result == 0) out->tv_sec += jump();
  pthread_mutex_unlock(&lock);
  return result;
}
