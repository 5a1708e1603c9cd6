"""disk.py: the test's side of the disk (disk.h): what it is to do, and a loss of power: what the log says was not synced is lost, or torn, seeded."""
import mmap
import os
import pathlib
import shutil
import struct

SECTOR = 512
RECORD = struct.Struct("<4I5Q")  # struct record
WRITE, SYNC, MADE, MOVED, GONE = range(1, 6)
CALLS = ("sync", "write", "rename")
FIELDS = ("points", "stop_at", "stop_after", "freeze", "stopped", "deaf", "synchronous_off", "fail_call", "fail_at", "fail_last", "fail_errno", *CALLS)  # struct control
NAME_AT, NAME_BYTES = 4 * len(FIELDS), 256


class Disk:
    """Of one data folder; the log is begun anew with each start of a program on it."""

    def __init__(self, folder, log, library):
        self.folder, self.log, self.library = str(folder), pathlib.Path(log), str(library)
        self.control = None

    def environment(self, **wanted):
        """What a program is to be started with; wanted: fields of the control."""
        shutil.rmtree(self.log, ignore_errors=True)
        self.log.mkdir()
        path = self.log / "control"
        path.write_bytes(bytes(NAME_AT + NAME_BYTES))
        with open(path, "r+b") as file:
            self.control = mmap.mmap(file.fileno(), 0)
        for name, value in wanted.items():
            self.set(name, value)
        return dict(os.environ, **self.variables())

    def variables(self):
        return {"LD_PRELOAD": self.library, "POWER_FOLDER": self.folder, "POWER_LOG": str(self.log)}

    def set(self, name, value):
        struct.pack_into("<i", self.control, 4 * FIELDS.index(name), value)

    def get(self, name):
        return struct.unpack_from("<I", self.control, 4 * FIELDS.index(name))[0]

    def stopped_at(self):
        return self.control[NAME_AT:].split(b"\0")[0].decode(errors="replace")

    # --- the loss of power; every process that wrote here is dead ---

    def records(self):
        data, at = (self.log / "log").read_bytes() if (self.log / "log").exists() else b"", 0
        while at + RECORD.size <= len(data):
            kind, path, other, size, *numbers = RECORD.unpack_from(data, at)
            begin = at + RECORD.size
            end = begin + path + other + size
            yield at, kind, os.fsdecode(data[begin:begin + path]), os.fsdecode(data[begin + path:begin + path + other]), data[end - size:end], *numbers
            at = end

    def cut(self, chance):
        """Loses what was not synced, all of it or at random. Returns how many writes and how many names were in question."""
        writes, names, synced = {}, [], {}
        for at, kind, path, other, old, inode, offset, old_size, *parents in self.records():
            if kind == WRITE:
                writes.setdefault(inode, []).append((at, offset, old, old_size))
            elif kind == SYNC and not inode:
                writes = {each: [write for write in some if write[0] >= offset] for each, some in writes.items()}
                names = [name for name in names if name[0] >= offset]
            elif kind == SYNC:
                writes[inode] = [write for write in writes.get(inode, []) if write[0] >= offset]
                synced[inode] = offset
                names = [name for name in names if not all(synced.get(parent, -1) > name[0] for parent in name[-1])]
            else:
                if kind == MADE:
                    writes.pop(inode, None)  # the number of a file that is gone
                names.append((at, kind, path, other, inode, old_size, [parent for parent in parents if parent]))
        all_lost = chance.random() < 0.3
        self.undo_writes({inode: some for inode, some in writes.items() if some}, chance, all_lost)
        kept = 0 if all_lost else chance.randint(0, len(names))
        for name in reversed(names[kept:]):
            self.undo_name(*name[1:-1])
        for path in pathlib.Path(self.folder).rglob("*-shm"):
            path.unlink()
        for path in pathlib.Path(self.folder).glob("**/runs/*/boot"):
            path.write_text(f"{'of the boot before this one':36}")
        return sum(map(len, writes.values())), len(names)

    def undo_writes(self, writes, chance, all_lost):
        for top in (self.folder, self.log):
            for folder, _, files in os.walk(top):
                for name in files:
                    path = os.path.join(folder, name)
                    some = writes.pop(os.lstat(path).st_ino, None)
                    if some:
                        with open(path, "r+b") as file:
                            now = file.read()
                            lost = torn(now, some, chance, all_lost)
                            file.seek(0)
                            file.write(lost)
                            file.truncate()

    def undo_name(self, kind, path, other, inode, kept):
        is_it = os.path.lexists(other or path) and os.lstat(other or path).st_ino == inode
        try:
            if kind == MADE and is_it:
                if os.path.isdir(path) and not os.path.islink(path):
                    shutil.rmtree(path)
                else:
                    os.unlink(path)
            elif kind == MOVED and is_it:
                os.rename(other, path)
                if kept:
                    os.rename(self.log / f"kept-{kept}", other)
            elif kind == GONE and kept:
                os.rename(self.log / f"kept-{kept}", path)
            elif kind == GONE:
                os.mkdir(path)
        except (FileExistsError, FileNotFoundError, NotADirectoryError):
            pass  # what it stood in is lost as well, or somebody who writes past this disk was there


def torn(now, writes, chance, all_lost):
    """What a file may hold after the loss: of each sector, and of its size, any version since the last sync; all_lost: the first one."""
    sectors, sizes = {}, [old_size for _, _, _, old_size in writes] + [len(now)]
    for number, (_, offset, old, old_size) in enumerate(writes):
        after = sizes[number + 1]
        first, last = min(offset, old_size), max(offset + len(old), after if after > old_size else 0)
        for sector in range(first // SECTOR, (max(first, last) + SECTOR - 1) // SECTOR):
            sectors.setdefault(sector, []).append(number)
    wanted = {}  # the version of a sector is what it held before this write
    for sector, numbers in sectors.items():
        version = 0 if all_lost else chance.randint(0, len(numbers))
        wanted.setdefault(numbers[version] if version < len(numbers) else len(writes), []).append(sector)
    image, found = bytearray(now), {}
    for number in range(len(writes), -1, -1):
        if number < len(writes):
            _, offset, old, old_size = writes[number]
            image[offset:offset + len(old)] = old
            del image[old_size:]
            image.extend(bytes(old_size - len(image)))
        for sector in wanted.get(number, []):
            found[sector] = bytes(image[sector * SECTOR:(sector + 1) * SECTOR]).ljust(SECTOR, b"\0")
    size = sizes[0] if all_lost else chance.choice(sizes)
    result = bytearray(now[:size].ljust(size, b"\0"))
    for sector, bytes_ in found.items():
        result[sector * SECTOR:(sector + 1) * SECTOR] = bytes_
    del result[size:]
    return bytes(result)
