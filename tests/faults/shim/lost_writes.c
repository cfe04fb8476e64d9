#include "lost_writes.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim.h"


struct change { /* one write or resize of one file */
  off_t offset;
  size_t size;          /* of `fresh` */
  size_t old_size;      /* of `old` */
  unsigned char *fresh; /* NULL: a resize to `offset` */
  unsigned char *old;   /* what lay at `offset`; may be shorter, at the end of the file */
  off_t length_before;
  struct change *next; /* older */
};

struct file {
  dev_t device;
  ino_t inode;
  int fd;
  size_t sector;          /* what is written whole */
  struct change *changes; /* newest first */
  struct file *next;
};

enum kind { created, renamed, unlinked };
struct entry { /* one change of a folder */
  enum kind kind;
  char path[PATH_MAX];
  char from[PATH_MAX];   /* renamed */
  char backup[PATH_MAX]; /* a second name of the file that was replaced or unlinked; "" when there was none */
  dev_t device;
  ino_t inode; /* created: of the file */
  struct entry *next;
};

static struct file *files;
static struct entry *entries; /* newest first */
static char scratch_folder[PATH_MAX];
static int backups;

void lost_begin(const char *scratch) { snprintf(scratch_folder, sizeof scratch_folder, "%s", scratch); }

static struct file *file_of(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return NULL;
  for (struct file *f = files; f != NULL; f = f->next)
    if (f->device == info.st_dev && f->inode == info.st_ino) return f;
  char name[64];
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  const int own = real.open(name, O_RDWR | O_CLOEXEC);
  if (own < 0) return NULL;
  struct file *f = calloc(1, sizeof *f);
  char path[PATH_MAX] = "";
  if (readlink(name, path, sizeof path - 1) < 0) path[0] = '\0';
  const size_t whole = whole_bytes(path);
  *f = (struct file){info.st_dev, info.st_ino, own, whole > 512 ? whole : 512, NULL, files};
  files = f;
  return f;
}

static void note(struct file *f, const void *bytes, size_t size, off_t offset, size_t covers) {
  struct stat info;
  if (fstat(f->fd, &info) != 0) return;
  struct change *c = calloc(1, sizeof *c);
  c->offset = offset;
  c->length_before = info.st_size;
  if (bytes != NULL) {
    c->size = size;
    c->fresh = malloc(size == 0 ? 1 : size);
    memcpy(c->fresh, bytes, size);
  }
  c->old = malloc(covers == 0 ? 1 : covers);
  const ssize_t had = pread(f->fd, c->old, covers, offset);
  c->old_size = had > 0 ? (size_t)had : 0;
  c->next = f->changes;
  f->changes = c;
}

void lost_note_write(int fd, const void *bytes, size_t size, off_t offset) {
  struct file *f = file_of(fd);
  if (f == NULL) return;
  if (offset < 0) {
    const int flags = fcntl(fd, F_GETFL);
    offset = lseek(fd, 0, SEEK_CUR);
    struct stat info;
    if (flags >= 0 && (flags & O_APPEND) != 0 && fstat(fd, &info) == 0) offset = info.st_size;
    if (offset < 0) return;
  }
  note(f, bytes, size, offset, size);
}

void lost_note_resize(int fd, off_t size) {
  struct file *f = file_of(fd);
  struct stat info;
  if (f == NULL || fstat(f->fd, &info) != 0) return;
  note(f, NULL, 0, size, info.st_size > size ? (size_t)(info.st_size - size) : 0);
}

static struct entry *push(enum kind kind, const char *path) {
  struct entry *e = calloc(1, sizeof *e);
  e->kind = kind;
  snprintf(e->path, sizeof e->path, "%s", path);
  e->next = entries;
  entries = e;
  return e;
}

static void keep(struct entry *e, const char *path) {
  snprintf(e->backup, sizeof e->backup, "%.3000s/%d.%d", scratch_folder, (int)getpid(), ++backups);
  if (real.link(path, e->backup) != 0) e->backup[0] = '\0';
}

void lost_note_created(const char *path) {
  struct stat info;
  if (stat(path, &info) != 0) return;
  struct entry *e = push(created, path);
  e->device = info.st_dev;
  e->inode = info.st_ino;
}

void lost_note_rename(const char *from, const char *to) {
  struct entry *e = push(renamed, to);
  snprintf(e->from, sizeof e->from, "%s", from);
  keep(e, to);
}

void lost_note_unlink(const char *path) { keep(push(unlinked, path), path); }

static void forget(struct entry *e) {
  if (e->backup[0] != '\0') real.unlink(e->backup);
  free(e);
}

static int lies_in(const char *path, const struct stat *folder) {
  char parent[PATH_MAX];
  snprintf(parent, sizeof parent, "%s", path);
  char *slash = strrchr(parent, '/');
  struct stat info;
  if (slash == NULL) return 0;
  *slash = '\0';
  return stat(parent, &info) == 0 && info.st_dev == folder->st_dev && info.st_ino == folder->st_ino;
}

void lost_note_sync(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) return;
  const int folder = S_ISDIR(info.st_mode);
  for (struct entry **at = &entries; *at != NULL;) {
    struct entry *e = *at;
    const int durable = folder ? lies_in(e->path, &info)
                               : e->kind == created && e->device == info.st_dev && e->inode == info.st_ino;
    if (!durable) {
      at = &e->next;
      continue;
    }
    *at = e->next;
    forget(e);
  }
  if (folder) return;
  struct file *f = file_of(fd);
  while (f != NULL && f->changes != NULL) {
    struct change *c = f->changes;
    f->changes = c->next;
    free(c->fresh);
    free(c->old);
    free(c);
  }
}

/* xorshift64*: any seed but 0 */
static uint64_t state;
static uint64_t draw(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545F4914F6CDD1DULL;
}

static void put(int fd, const unsigned char *bytes, size_t size, off_t offset) {
  while (size > 0) {
    const ssize_t n = real.pwrite(fd, bytes, size, offset);
    if (n <= 0) return;
    bytes += n;
    offset += n;
    size -= (size_t)n;
  }
}

static void again(struct file *f, struct change *oldest_last) {
  if (oldest_last == NULL) return;
  again(f, oldest_last->next);
  const uint64_t fate = draw() % 4; /* lost, lost, whole, torn */
  if (fate < 2) return;
  if (oldest_last->fresh == NULL) {
    real.ftruncate(f->fd, oldest_last->offset);
    return;
  }
  size_t size = oldest_last->size;
  const size_t sectors = size / f->sector;
  if (fate == 3 && sectors > 0) size = (size_t)(draw() % (sectors + 1)) * f->sector;
  put(f->fd, oldest_last->fresh, size, oldest_last->offset);
}

void lost_happen(uint64_t seed) {
  for (struct file *f = files; f != NULL; f = f->next) {
    for (struct change *c = f->changes; c != NULL; c = c->next) {
      put(f->fd, c->old, c->old_size, c->offset);
      real.ftruncate(f->fd, c->length_before);
    }
    state = seed;
    if (seed != 0) again(f, f->changes);
  }
  int count = 0;
  for (struct entry *e = entries; e != NULL; e = e->next) ++count;
  state = seed;
  int undone = seed == 0 ? count : (int)(draw() % (uint64_t)(count + 1));
  for (struct entry *e = entries; e != NULL && undone > 0; e = e->next, --undone) {
    if (e->kind == created) real.unlink(e->path);
    if (e->kind == renamed) real.rename(e->path, e->from);
    if (e->backup[0] != '\0') real.rename(e->backup, e->path);
  }
}

void lost_end(void) {
  while (entries != NULL) {
    struct entry *e = entries;
    entries = e->next;
    forget(e);
  }
}
