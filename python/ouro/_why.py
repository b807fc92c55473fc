# SPDX-License-Identifier: MIT
"""The verdict of `ouro run --why`, printed when the program ends.

Snapshots are taken over its whole life, the last one at its end, in a private folder or, where
OURO_SNAPSHOT_DIR is set, there, to stay. Nothing here may change how the program ends: a verdict
that cannot be given is one line on standard error.
"""

import atexit
import os
import sys

from ouro import _options, _ouro, _snapshot, _stderr

_FIRST_MS = 1000
_COMMAND = "ouro"
_FOLDER = "ouro-run-"


class Life:
    """The snapshots of this process's life. To be made as early as there is a heap."""

    def __init__(self):
        self.pid = os.getpid()
        self.stderr = _stderr.identity()
        self.command = _command()
        self.files = []
        self.trouble = None
        # While a script runs its frame holds its globals, at the end the module does so alone: held
        # here they have one place in all snapshots, and what they hold can be compared.
        self.main = vars(sys.modules["__main__"]) if "__main__" in sys.modules else None
        settings = _options.occasions()
        self.tells = _snapshot.tells(settings.get("redact", False), settings.get("values", False))
        self.keep = "directory" in settings
        self.folder = os.path.abspath(settings["directory"]) if self.keep else _new_folder()
        self.prefix = os.fsencode(os.path.join(self.folder, f"why-{self.pid}"))
        try:
            _ouro._snapshot_life(self.prefix, self.tells, _FIRST_MS)
        except BaseException:
            self._clean()
            raise

    def finish_at_exit(self):
        """Take the last one when the program ends, before what has been registered until now."""
        atexit.register(self._finish)

    def _finish(self):
        if os.getpid() != self.pid:
            return
        try:
            self.files = [*_ouro._snapshot_life_end()]
            self._take()
        except BaseException as error:  # also KeyboardInterrupt: the program has ended
            self.trouble = error

    def _tell(self, apart):
        if os.getpid() != self.pid:
            return
        descriptors = []
        try:
            descriptors = self._open()
            if _stderr.identity() == self.stderr:
                self._judge(descriptors, apart)
        except BaseException:
            pass
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    # A number may be taken where files of another process with our id are kept.
    def _take(self):
        number = int(self.files[-1].split(b".")[-2]) if self.files else 0
        while True:
            number += 1
            path = b"%s.%d.snap" % (self.prefix, number)
            try:
                file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                break
            except FileExistsError:
                pass
        try:
            _ouro._snapshot(file, self.tells, True)
            self.files.append(path)
        except BaseException:
            os.unlink(path)
            raise
        finally:
            os.close(file)

    # From here on the files live as long as the descriptors, whatever happens to this process.
    def _open(self):
        if self.keep:
            return []
        descriptors = []
        try:
            for path in self.files:
                descriptors.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        finally:
            self._clean()
        return descriptors

    def _clean(self):
        if not self.keep:
            _remove(self.folder)

    def _judge(self, descriptors, apart):
        _stderr.flush(sys.__stderr__)
        if self.trouble is not None:
            _say(f"no verdict: {_words(self.trouble)}")
            return
        if self.command is None:
            _say("no verdict: there is no command `ouro` beside this interpreter or on PATH")
            return
        if apart:
            os.write(2, b"\n")
        paths = [b"/proc/self/fd/%d" % descriptor for descriptor in descriptors] or self.files
        if _is_collapsed(paths):
            _say("most objects went when the program ended; the verdict is about the time before")
            paths = paths[:-1]
        try:
            status = _ouro._run_aside((self.command, b"why", *paths), tuple(descriptors))
        except OSError as error:
            _say(f"no verdict: {_words(error)}")
            return
        if status < 0 and status != -2:  # 2: Ctrl-C
            _say(f"no verdict: `ouro why` was ended by signal {-status}")


def begin(apart=False):
    """A Life whose verdict is given when the program ends, after what is registered from now on;
    or None, where one line says why there will be none. apart: an empty line comes before it."""
    try:
        life = Life()
    except Exception as error:
        _say(f"no verdict at the end: {_words(error)}")
        return None
    atexit.register(life._tell, apart)
    return life


def _is_collapsed(paths):
    """Whether the last one lacks most of what the one before has, as where all was held by main()'s
    locals. The growth of that is in the two before; without two, a comparison needs the last."""
    if len(paths) < 3:
        return False
    before, last = (os.stat(path).st_size for path in paths[-2:])
    return last < before / 2


# --- The command ----------------------------------------------------------------------------------


def _command():
    """What started this program, else what lies beside the interpreter, else the first on PATH."""
    given = os.environ.get("OURO_COMMAND")
    folders = [os.path.dirname(sys.executable or ""), *os.get_exec_path()]
    for path in (given, *(os.path.join(folder, _COMMAND) for folder in folders if folder)):
        if path and os.path.isfile(path) and os.access(path, os.X_OK):
            return os.fsencode(os.path.abspath(path))
    return None


# --- The folder -----------------------------------------------------------------------------------


def _new_folder():
    """A private one, named after the process, so that what a killed one has left can be told."""
    place = os.environ.get("TMPDIR", "")
    place = place if os.path.isabs(place) else "/tmp"
    prefix = f"{_FOLDER}{os.stat('/proc/self/ns/pid').st_ino}-"
    _sweep(place, prefix)
    path = os.path.join(place, f"{prefix}{os.getpid()}-{os.urandom(6).hex()}")
    os.mkdir(path, 0o700)
    return path


def _sweep(place, prefix):
    """Remove what is left of processes that got killed: ours, of these process numbers, gone."""
    try:
        names = [name for name in os.listdir(place) if name.startswith(prefix)]
    except OSError:
        return
    for name in names:
        pid = name[len(prefix) :].partition("-")[0]
        gone = pid == str(os.getpid()) or not os.path.exists(f"/proc/{pid}")
        if pid.isdecimal() and gone:
            _remove(os.path.join(place, name))


def _remove(folder):
    """What cannot be removed stays; never through a link, never what lies deeper."""
    try:
        status = os.lstat(folder)
        if status.st_uid != os.geteuid() or status.st_mode & 0o170000 != 0o040000:
            return
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)
    except OSError:
        pass


# --- Telling --------------------------------------------------------------------------------------


def _words(error):
    """What went wrong, in the system's words where it has some."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text or type(error).__name__


def _say(text):
    try:
        os.write(2, f"ouro: {text}\n".encode(errors="backslashreplace"))
    except OSError:
        pass
