# SPDX-License-Identifier: MIT
"""`ouro run --why`: the verdict when a program ends, which it cannot tell (SEMANTICS M7, C4)."""

import os
import signal
import subprocess
import textwrap

import pytest
from programs import PYTHON, environment, one_line, ouro, plain

GROWS = """
    import sys, time
    kept = []
    begun = time.monotonic()
    while time.monotonic() - begun < 2.8:
        for n in range(200): KEEP(["some text " * 10 + str(n)])
        time.sleep(0.01)
    print("done")
    sys.exit(3)
"""


@pytest.fixture
def why(tmp_path):
    """Runs a program with a verdict; its temporary folder is empty when it has ended."""
    def run(code, *options, way="-c", empty=True, **more):
        settings = {"TMPDIR": tmp_path, **more}
        arguments = [way, textwrap.dedent(code) if way == "-c" else code]
        done = ouro("run", "-q", "--why", *options, *arguments, **settings)
        assert not empty or list(tmp_path.iterdir()) == []
        return done

    return run


def verdicts(done):
    return [line for line in done.stderr.splitlines() if line.startswith("process ")]


# --- What it says ---------------------------------------------------------------------------------


def test_m7_a_program_that_grows_is_told_so(why):
    # GIVEN a script that appends to a global list all its life WHEN it ends THEN the first finding is
    # reachable growth, its holder is the list's name, and status and output are the script's
    done = why(GROWS.replace("KEEP", "kept.append"))
    assert (done.returncode, done.stdout) == (3, "done\n")
    assert "\n1. reachable growth (module global)" in done.stderr, done.stderr
    assert "__main__.kept" in done.stderr.split("\n1. ")[1].split("\n2. ")[0]
    assert len(verdicts(done)) == 1


def test_m7_a_program_that_does_not_grow_is_told_so(why):
    # GIVEN the same with a list of one entry THEN the first finding is that nothing grows
    done = why("spare = [['y' * 100] for _ in range(40_000)]\n"
               + textwrap.dedent(GROWS.replace("KEEP", "kept[:] = ")))
    assert (done.returncode, done.stdout) == (3, "done\n")
    assert "\n1. no growth" in done.stderr, done.stderr


def test_m7_what_only_locals_held_is_found(why):
    # GIVEN the same in a function that ends with the program WHEN most of it is gone by the end THEN
    # the snapshots before are judged, and a line says so
    grows = textwrap.dedent(GROWS.replace("KEEP", "kept.append")).replace("\n", "\n    ")
    done = why(f"def main():{grows}\nmain()")
    assert (done.returncode, done.stdout) == (3, "done\n")
    assert done.stderr.startswith("ouro: most objects went when the program ended;"), done.stderr
    assert "\n1. reachable growth" in done.stderr and "main" in done.stderr.split("\n1. ")[1]


def test_it_stands_below_the_screen(tmp_path):
    done = ouro("run", "--why", "-c", "print('out')", TMPDIR=tmp_path)
    screen, verdict = done.stderr.split("\n\nprocess ")
    assert screen.startswith("--- ouro: -c ---") and screen.splitlines()[-1].startswith("next: ")
    assert (done.returncode, done.stdout) == (0, "out\n")


def test_names_of_files_that_are_gone_are_not_told(why):
    # GIVEN no folder for snapshots THEN the next command is one that keeps them
    done = why("keep = [['z' * 50] for _ in range(50_000)]")
    assert "/proc/" not in done.stderr and ".snap" not in done.stderr, done.stderr
    assert done.stderr.splitlines()[-1].startswith("next:  ouro run --why --snapshot-dir . SCRIPT")


def test_snapshots_stay_in_the_folder_given(why, tmp_path):
    # GIVEN --snapshot-dir and a program that ran for 1 to 2 s THEN two snapshots are there, and the
    # last line names them in order
    (tmp_path / "kept").mkdir()
    done = why("import time; time.sleep(1.7)", "--snapshot-dir", tmp_path / "kept", empty=False)
    files = sorted((tmp_path / "kept").iterdir())
    assert [file.suffix for file in files] == [".snap"] * 2, done
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    assert f"ouro diff --holders {files[0]} {files[1]} " in done.stderr.splitlines()[-1]
    assert ouro("why", *files).returncode == 0


def test_keys_are_left_out_where_that_is_wished(why, tmp_path):
    for options, there in ([], True), (["--snapshot-redact"], False):
        folder = tmp_path / f"kept{there}"
        folder.mkdir()
        why("secrets = {'sesame ' + 'opens': [1]}", "--snapshot-dir", folder, *options, empty=False)
        file, = folder.iterdir()
        assert (b"sesame opens" in file.read_bytes()) is there


def test_values_are_kept_where_that_is_wished(why, tmp_path):
    # GIVEN a text that lives while snapshots of the program's life are taken THEN all of them have it
    # where values were asked for, and none else
    for options, there in ([], False), (["--snapshot-values"], True):
        folder = tmp_path / f"kept{there}"
        folder.mkdir()
        why("import time; text = 'sesame '; text += 'opens'; time.sleep(1.7)", "--snapshot-dir", folder,
            *options, empty=False)
        files = list(folder.iterdir())
        assert [b"sesame opens" in file.read_bytes() for file in files] == [there] * 2


@pytest.mark.parametrize("way, what", [("-c", "pass"), ("-m", "this")])
def test_every_way_to_name_a_program(why, way, what):
    done = why(what, way=way)
    assert done.returncode == 0 and len(verdicts(done)) == 1, done


def test_the_variable_does_it_too(tmp_path):
    done = ouro("run", "-q", "-c", "pass", OURO_WHY="1", TMPDIR=tmp_path)
    assert len(verdicts(done)) == 1
    assert ouro("run", "-q", "-c", "pass", OURO_WHY="0").stderr == ""
    assert "OURO_WHY='yes' is neither" in one_line(ouro("run", "-c", "pass", OURO_WHY="yes"), 2)


def test_install_obeys_the_variable(tmp_path):
    # GIVEN OURO_WHY and plain Python WHEN a program calls ouro.install() THEN it gets the verdict,
    # and an interpreter that it starts, which does the same, does not
    code = """if 1:
        import os, subprocess, sys, ouro
        ouro.install()
        print(os.getpid(), flush=True)
        if len(sys.argv) == 1:
            subprocess.run([sys.executable, "-c", sys.orig_argv[2], "child"], check=True)
    """
    done = plain("-c", code, OURO_WHY="1", TMPDIR=tmp_path)
    assert done.returncode == 0, done
    line, = verdicts(done)
    assert line.startswith(f"process {done.stdout.split()[0]},")
    assert list(tmp_path.iterdir()) == []


# --- What it leaves alone -------------------------------------------------------------------------


@pytest.mark.parametrize("name, code, status", [
    ("exception", "1 / 0", 1), ("message", "raise SystemExit('over')", 1),
    ("interrupt", "import os, signal; os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT),
    ("no atexit", "import atexit; atexit.register(lambda: 1 / 0)", 0),
])
def test_c4_the_end_stays_the_program_s(why, name, code, status):
    # GIVEN programs that end in their own way THEN status and what they say are plain Python's, and
    # the verdict follows
    done, stock = why(code), plain("-c", code)
    assert done.returncode == stock.returncode == status
    assert len(verdicts(done)) == 1
    said, _, _ = done.stderr.partition("process ")
    assert len(said.splitlines()) == len(stock.stderr.splitlines()), done.stderr


@pytest.mark.parametrize("code, status", [
    ("import os; os._exit(9)", 9),
    ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
])
def test_who_ends_at_once_is_told_nothing(why, code, status):
    # GIVEN a program that ends without the interpreter's end THEN it gets no verdict, and what it
    # left is removed by the next one
    done = why(code, empty=False)
    assert (done.returncode, done.stderr) == (status, "")
    assert len(verdicts(why("pass"))) == 1


def test_what_lives_is_not_removed(why, tmp_path):
    # GIVEN the folder of a process that lives, one of another namespace and one that is a link
    space = os.stat("/proc/self/ns/pid").st_ino
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    for name in (f"ouro-run-{space}-1-a", f"ouro-run-{space + 1}-{gone.pid}-b",
                 f"ouro-run-{space}-{gone.pid}-c"):
        (tmp_path / name).mkdir()
    (tmp_path / f"ouro-run-{space}-{gone.pid}-d").symlink_to(tmp_path / "elsewhere")
    why("pass", empty=False)
    left = {path.name.rpartition("-")[2] for path in tmp_path.iterdir()}
    assert left == {"a", "b", "d", "elsewhere"} and (tmp_path / "elsewhere" / "file").exists()


def test_children_get_no_verdict(why):
    # GIVEN a forked child that ends as the program does, and an interpreter started by it THEN one
    # verdict is printed, the program's
    done = why("""
        import os, subprocess, sys
        print(os.getpid(), flush=True)
        child = os.fork()
        if child == 0:
            subprocess.run([sys.executable, "-c", "pass"], check=True)
            sys.exit(5)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
    """)
    assert done.returncode == 0, done
    line, = verdicts(done)
    assert line.startswith(f"process {done.stdout.strip()},")


def test_the_program_does_not_hear_of_it(why):
    # GIVEN a program that counts its children's ends, waits for all of them and audits what is
    # started WHEN it ends THEN nothing of the verdict reaches it
    done = why("""
        import os, signal, sys
        signal.signal(signal.SIGCHLD, lambda *_: os.write(1, b"child"))
        os.register_at_fork(before=lambda: os.write(1, b"fork"))
        sys.addaudithook(lambda event, _: "spawn" in event and os.write(1, b"audit"))
    """)
    assert (done.returncode, done.stdout) == (0, "") and len(verdicts(done)) == 1


@pytest.mark.parametrize("code", [
    "import os; os.close(2)",
    "import os; os.dup2(os.open('mine', os.O_RDWR | os.O_CREAT), 2)",
])
def test_a_file_of_the_program_s_is_not_written_to(why, code, tmp_path):
    # GIVEN a program that closes standard error, or puts a file there THEN nothing is written to it
    done = why(f"import os; os.chdir({str(tmp_path)!r}); {code}", empty=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] in (
        [], [("mine", 0)])


def test_a_program_that_becomes_another_one(why, tmp_path):
    # GIVEN a program that replaces itself by an interpreter THEN that is judged, and nothing of the
    # first one is left
    done = why("""
        import os, sys
        print(os.getpid(), flush=True)
        if len(sys.orig_argv) == 3:
            os.execv(sys.executable, [*sys.orig_argv, "second"])
    """)
    assert done.stdout.split()[0] == done.stdout.split()[1]
    assert len(verdicts(done)) == 1


def test_ctrl_c_ends_the_verdict_only(tmp_path):
    # GIVEN a verdict that takes long WHEN Ctrl-C comes THEN it ends, silently, with the status that
    # the program has ended with
    command = tmp_path / "ouro"
    command.write_text("#!/bin/sh\necho begun\nexec sleep 60\n")
    command.chmod(0o755)
    done = subprocess.Popen(
        [PYTHON, "-c", "import ouro; ouro.install(); raise SystemExit(4)"], text=True,
        env=environment(OURO_WHY=1, OURO_COMMAND=command, TMPDIR=tmp_path),
        stderr=subprocess.PIPE, start_new_session=True)
    assert done.stderr.readline() == "begun\n"
    os.killpg(done.pid, signal.SIGINT)
    assert (done.communicate(timeout=30)[1], done.returncode) == ("", 4)
    assert list(tmp_path.iterdir()) == [command]


# --- Where it cannot be given ---------------------------------------------------------------------


def no_verdict(done, status=3):
    """The one line that says why there is none."""
    line, = done.stderr.splitlines()
    assert done.returncode == status and line.startswith("ouro: no verdict"), done
    return line


def test_no_place_for_snapshots(why, tmp_path):
    done = why("raise SystemExit(3)", TMPDIR=tmp_path / "none")
    assert "No such file" in no_verdict(done)


def test_a_full_disk(why):
    # GIVEN a limit on files that every snapshot exceeds THEN one line says so, nothing is left
    done = why("""
        import resource, sys
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        sys.exit(3)
    """)
    assert "File too large" in no_verdict(done)


def test_no_command(tmp_path):
    # GIVEN a command that is gone and none elsewhere THEN one line says so
    code = """if 1:
        import os, sys
        sys.executable = ""
        os.environ |= {"OURO_RUN": "quiet=1,channel=0,why=1", "OURO_RUN_PID": str(os.getpid())}
        import ouro._boot
        sys.exit(3)
    """
    done = plain("-c", code, TMPDIR=tmp_path, PATH="/nowhere", OURO_COMMAND=tmp_path / "none")
    assert "no command" in no_verdict(done)
    assert list(tmp_path.iterdir()) == []


def test_no_process_to_judge_in(why):
    # GIVEN a program that may have no more processes THEN one line says so, or the verdict is there
    # where a superuser may have them all the same
    done = why("""
        import resource, sys
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        sys.exit(3)
    """)
    assert done.returncode == 3
    assert len(verdicts(done)) == 1 or no_verdict(done)
