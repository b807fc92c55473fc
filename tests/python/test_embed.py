# SPDX-License-Identifier: MIT
"""A C program that starts and ends the interpreter several times."""

import json
import shutil
import subprocess

import pytest
from interpreter import PYTHON, environment

PROGRAM = r"""
#include <Python.h>

int main(int argc, char **argv) {
  for (int turn = 0; turn < 3 && argc == 3; turn++) {
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    PyConfig_SetBytesString(&config, &config.program_name, argv[1]);
    PyStatus status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) return 3;
    if (PyRun_SimpleString(argv[2]) < 0 || Py_FinalizeEx() < 0) return 4;
  }
  return 0;
}
"""

WORK = """
import ouro
from ouro import _ouro
kept = [str(i) for i in range(50_000)]
print(ouro.installed(), ouro.memory()["memo.heap.live_blocks"] > 50_000, _ouro._check(), flush=True)
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    code = "import sysconfig, json; print(json.dumps(sysconfig.get_config_vars()))"
    known = json.loads(subprocess.check_output([PYTHON, "-c", code], text=True))
    folder, libraries = tmp_path_factory.mktemp("embed"), known["LIBDIR"]
    if not shutil.which("cc"):
        pytest.skip("no C compiler")
    (folder / "program.c").write_text(PROGRAM)
    command = ["cc", "program.c", "-o", "program", f"-I{known['INCLUDEPY']}", f"-L{libraries}",
               f"-Wl,-rpath,{libraries}", f"-lpython{known['LDVERSION']}", *known["LIBS"].split()]
    built = subprocess.run([*command, "-lm", "-ldl"], cwd=folder, text=True, capture_output=True)
    if built.returncode:
        pytest.skip(f"no Python to embed: {built.stderr[-200:]}")
    return folder / "program"


@pytest.mark.parametrize("malloc", ["default", "debug"])
def test_the_interpreter_starts_again(program, malloc):
    # GIVEN a program that embeds Python WHEN it ends and starts the interpreter three times
    # THEN each of them is on Ouro, on one heap
    done = subprocess.run([program, PYTHON, WORK], text=True, capture_output=True,
                          env=environment("channel=0", PYTHONMALLOC=malloc))
    assert (done.returncode, done.stdout, done.stderr) == (0, "True True None\n" * 3, "")
