; SPDX-License-Identifier: MIT
; Calls and comparisons of small integers.
(define (tak x y z)
  (if (not (< y x))
      z
      (tak (tak (- x 1) y z) (tak (- y 1) z x) (tak (- z 1) x y))))

(check "tak" (tak (size 24 7) (size 16 4) (size 8 2)) (size 9 4))
