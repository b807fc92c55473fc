# SPDX-License-Identifier: MIT
"""Every request registers something to be done at exit; the list of these is in C.

class: unseen | growth
name: cleanup | Upload
bytes: 3.0 MiB ± 20 %
"""

import atexit

from corpus import CLEAN, SIZE, moments


class Upload:
    def __init__(self, number):
        self.parts = [f"part {number} {n}" for n in range(8)]

    def cleanup(self):
        self.parts.clear()


for turn in moments():
    for number in range(2000 * SIZE):
        upload = Upload(turn * 2000 * SIZE + number)
        atexit.register(upload.cleanup)
        if CLEAN:
            atexit.unregister(upload.cleanup)  # the cure; or a with statement
