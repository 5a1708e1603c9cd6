"""machine.py: a machine whose power goes, or whose disk fails, once: a lab (support/lab.py) on a disk (disk.py), whose server is started again when it has
died. After a loss of power nothing lives that came from it, and what was not synced is lost."""
import errno
import http.client
import os
import pathlib
import signal
import subprocess
import threading
import time

from disk import Disk
from lab import BUILD, Lab, kill, parent_of, processes

TORN = ("the log was cut", "is not a log segment")
AWAY = (OSError, http.client.HTTPException, RuntimeError)


class Machine:
    """power: with the server everything dies, and what was not synced is lost; else the server alone dies, and the page cache stays."""

    def __init__(self, chance, power=True):
        self.lab = Lab()
        self.lab.server.options = ("--allow-no-sandbox",)
        self.disk = Disk(self.lab.server.folder, self.lab.folder / "log", BUILD / "power/disk.so")
        self.power, self.chance = power, chance
        self.died, self.up = threading.Event(), threading.Event()
        self.status = None  # the server's, when it died
        self.lost = (0, 0)
        self.fault = None  # why it does not come up again
        self.faulty = False  # errors are to be expected where nothing dies, too
        self.ending = False
        self.watcher = threading.Thread(target=self.watch, daemon=True)

    def start(self, **wanted):
        """wanted: fields of the disk's control."""
        self.faulty = "fail_at" in wanted
        self.lab.server.environment = self.disk.environment(freeze=int(self.power), **wanted)
        self.lab.server.build = self.programs()
        self.up.set()
        self.watcher.start()  # it may be stopped as it starts, too
        try:
            self.lab.start()
        except RuntimeError:
            pass

    def programs(self):
        """The server, and behind scripts that load the disk what it starts: it looks for them where it stands itself. A static program can have nothing loaded,
        so that the supervisor and keeper are built once more, dynamically, from the same sources. Steps have it but where the server is killed alone: one that is
        fails."""
        folder = self.lab.folder / "bin"
        folder.mkdir()
        for name in ("crescendo-server", "crescendo-hook"):
            subprocess.run(["cp", BUILD / name, folder], check=True)  # by itself: a child of another thread would inherit a file that is being written
        for name, program in (("crescendo-shim", BUILD / "power/crescendo-shim"), ("crescendo-step", BUILD / "crescendo-step")):
            script = folder / name
            loads = "".join(f"export {key}='{value}'\n" for key, value in self.disk.variables().items())
            if name == "crescendo-step" and not (self.faulty or self.power):
                loads = ""
            script.write_text(f'#!/bin/sh\n{loads}exec {program} "$@"\n')
            script.chmod(0o755)
        return folder

    def watch(self):
        server = self.lab.server
        while not server.process or (server.process.poll() is None and not (self.power and self.disk.get("stopped"))):
            if self.ending:
                return
            time.sleep(0.002)
        process = server.process
        self.up.clear()
        self.died.set()
        try:
            if self.power:
                process.kill()
            self.status = process.wait()
            self.disk.set("stop_at", 0)
            self.disk.set("fail_at", 0)
            if self.power:
                self.power_off()
                self.lost = self.disk.cut(self.chance)
            server.environment = server.process = None
            server.start()
        except Exception as fault:  # noqa: BLE001 whoever waits for it says so
            self.fault = f"not started again: {type(fault).__name__}: {fault}"
        self.up.set()

    def pull_the_plug(self):
        """Now, and returns when it is up again."""
        if not self.died.is_set():
            kill(self.lab.server.process.pid)
            self.died.wait()
        self.up.wait()

    def power_off(self):
        while roots := set(self.lab.shims(spares=True) + self.lab.guardians() + self.lab.deputies() + self.lab.keepers()):
            for pid in roots:
                kill(pid, signal.SIGSTOP)  # so that none of them sees another one die
            for pid in processes():
                above = pid
                while above > 1 and above not in roots:
                    above = parent_of(above)
                if above in roots and pid not in roots:
                    kill(pid)
            for pid in roots:
                kill(pid)

    def end(self, keep):
        """A point that is reached only now, as the server ends, stops it for nobody."""
        self.disk.set("stop_at", 0)
        self.ending = True
        self.watcher.join()
        if self.power and not self.died.is_set() and self.disk.get("stopped"):
            kill(self.lab.server.process.pid)
        self.lab.server.stop()
        self.power_off()
        self.lab.end(keep)

    def again(self, ask, tries=3):
        """Asks, and once more when the server died meanwhile (so often, where the disk fails and nothing dies of it)."""
        while True:
            was_dead = self.died.is_set()
            self.up.wait()
            if self.fault:
                raise RuntimeError(self.fault)
            try:
                return ask()
            except AWAY as fault:
                tries -= 1
                if was_dead or not (self.died.wait(1) or (self.faulty and tries)):
                    raise
                if isinstance(fault, RuntimeError) and not self.died.is_set() and not self.names_the_disk(str(fault)):
                    raise RuntimeError(f"does not say that the disk failed: {fault}") from fault
                self.mend()

    # --- a disk that fails: who is told of it mends it ---

    def mend(self):
        self.disk.set("fail_at", 0)

    def disk_failed(self):
        return self.faulty and bool(self.disk.stopped_at())

    def names_the_disk(self, text):
        return self.disk_failed() and any(os.strerror(code) in text for code in (errno.EIO, errno.ENOSPC))

    # --- what must be true of the disk afterwards ---

    def log(self):
        return pathlib.Path(f"{self.lab.server.folder}.log").read_text(errors="replace")

    def check_journals(self):
        wrong = []
        for journal in pathlib.Path(self.lab.server.folder).rglob("journal.db"):
            done = subprocess.run([str(BUILD / "crescendo"), "fsck", "--data", str(journal.parent)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
            findings = [line for line in done.stdout.splitlines()[:-1] if not line.startswith(" ")]
            torn = self.power and all(any(word in line for word in TORN) for line in findings)  # what steps print is not synced
            if done.returncode and not (findings and torn):
                wrong.append(f"crescendo fsck of {journal.parent}: {done.returncode}: {done.stdout[-800:]}")
        return wrong

    def check_failure(self):
        """A journal that cannot be written, or may not be on the disk, ends the server, which says where and what to do."""
        at = self.disk.stopped_at()
        if not self.faulty or "journal.db" not in at:
            return []
        if not self.died.is_set():
            return [f"{at} failed, and the server lives"]
        wrong = [] if self.status > 0 else [f"{at} failed, and the server ended with {self.status}"]
        wrong += [f"{at} failed, and the log lacks '{word}': {self.log()[-600:]}"
                  for word in ("journal.db", "start the server again") if word not in self.log()]
        return wrong
