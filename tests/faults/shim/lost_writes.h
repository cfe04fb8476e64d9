/* What a power cut takes away: everything that was written, renamed or unlinked since it was last made
 * durable.
 *
 * Data of a file is durable after fsync or fdatasync of it; its entry in the folder after fsync of the file
 * (as the journaling file systems of Linux do it) or of the folder; a rename or unlink after fsync of the
 * folder. Until then the old state is kept here. Not thread-safe: the shim calls it under its own lock.
 *
 * A file is opened once more to read what is about to be overwritten, and never closed again: closing any
 * descriptor of a file would drop the POSIX locks that the program holds on it.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

void lost_begin(const char* scratch);
/* Before the call. `offset` -1: at the descriptor's own place (or the end, with O_APPEND). */
void lost_note_write(int fd, const void* bytes, size_t size, off_t offset);
void lost_note_resize(int fd, off_t size);
void lost_note_created(const char* path); /* after it was */
void lost_note_rename(const char* from, const char* to);
void lost_note_unlink(const char* path);
void lost_note_sync(int fd); /* after it: of a file or a folder */
/* Undoes what is not durable. With a seed other than 0 a part of it has happened all the same: some writes,
 * whole or up to a sector, and the oldest of the changes of folders. */
void lost_happen(uint64_t seed);
void lost_end(void); /* the program ended in order */
