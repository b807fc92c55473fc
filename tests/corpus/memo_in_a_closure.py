# SPDX-License-Identifier: MIT
"""A decorator of one's own remembers every answer, in a dictionary that only its closure knows.

class: growth
holder: closure | cache
name: answers
bytes: 3.2 MiB ± 20 %
"""

from corpus import CLEAN, SIZE, moments


def remember(function):
    answers = {}

    def asked(argument):
        if argument not in answers:
            if CLEAN and len(answers) > 100:
                answers.clear()  # the cure: a bound, any
            answers[argument] = function(argument)
        return answers[argument]

    return asked


@remember
def words(number):
    return [f"word {number} {n}" for n in range(6)]


for turn in moments():
    for number in range(3000 * SIZE):
        words(turn * 3000 * SIZE + number)
