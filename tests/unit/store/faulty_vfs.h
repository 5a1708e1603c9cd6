/* faulty_vfs.h: a SQLite VFS over the default one whose writes and syncs fail when a test says so. In a header because
   a unit test is one program from one file. */
#ifndef TESTS_STORE_FAULTY_VFS_H
#define TESTS_STORE_FAULTY_VFS_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* The writer's thread reads it while the test's sets it. */
static struct faults {
    atomic_int writes_left; /* writes that still go well; negative: all do */
    atomic_int syncs_left;
    atomic_int result;     /* what a failing write returns */
    atomic_bool torn;      /* a failing write writes its first half */
    atomic_bool once;      /* only one call fails */
    atomic_bool main_only; /* only the database itself fails, not the WAL */
} faults;

struct faulty_file {
    sqlite3_file base;
    bool is_main;
    sqlite3_file real[]; /* as many bytes as the real VFS asks for */
};

static sqlite3_vfs faulty_vfs, *real_vfs;
static sqlite3_io_methods faulty_methods;

static inline void faults_clear(void)
{
    faults.writes_left = -1;
    faults.syncs_left = -1;
    faults.result = SQLITE_FULL;
    faults.torn = faults.once = faults.main_only = false;
}

static inline struct faulty_file *faulty(sqlite3_file *file)
{
    return (struct faulty_file *)file;
}

static inline sqlite3_file *real_of(sqlite3_file *file)
{
    return faulty(file)->real;
}

static inline bool strikes(struct faulty_file *file, atomic_int *left)
{
    if (*left < 0 || (faults.main_only && !file->is_main)) return false;
    if (*left > 0) {
        --*left;
        return false;
    }
    if (faults.once) *left = -1;
    return true;
}

static int faulty_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}
static int faulty_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), bytes, size, at);
}
static int faulty_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    if (!strikes(faulty(file), &faults.writes_left)) return real_of(file)->pMethods->xWrite(real_of(file), bytes, size, at);
    if (faults.torn) real_of(file)->pMethods->xWrite(real_of(file), bytes, size / 2, at);
    return faults.result;
}
static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}
static int faulty_sync(sqlite3_file *file, int flags)
{
    if (strikes(faulty(file), &faults.syncs_left)) return SQLITE_IOERR_FSYNC;
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}
static int faulty_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}
static int faulty_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}
static int faulty_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}
static int faulty_check_lock(sqlite3_file *file, int *held)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}
static int faulty_control(sqlite3_file *file, int what, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
}
static int faulty_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}
static int faulty_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}
static int faulty_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **memory)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), region, size, extend, memory);
}
static int faulty_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}
static void faulty_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}
static int faulty_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    (void)vfs;
    faulty(file)->is_main = flags & SQLITE_OPEN_MAIN_DB;
    int result = real_vfs->xOpen(real_vfs, name, real_of(file), flags, ret_flags);
    file->pMethods = real_of(file)->pMethods ? &faulty_methods : NULL;
    return result;
}

/* Makes it the default VFS, without faults. */
static inline void faulty_vfs_install(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    faulty_vfs = *real_vfs;
    faulty_vfs.zName = "faulty";
    faulty_vfs.szOsFile = (int)sizeof(struct faulty_file) + real_vfs->szOsFile;
    faulty_vfs.xOpen = faulty_open;
    faulty_methods = (sqlite3_io_methods){2, faulty_close, faulty_read, faulty_write, faulty_truncate, faulty_sync, faulty_size,
        faulty_lock, faulty_unlock, faulty_check_lock, faulty_control, faulty_sector, faulty_traits, faulty_shm_map, faulty_shm_lock,
        faulty_shm_barrier, faulty_shm_unmap, .xFetch = NULL, .xUnfetch = NULL}; /* no mapped reads: each goes through us */
    faults_clear();
    sqlite3_vfs_register(&faulty_vfs, 1);
}

#endif
