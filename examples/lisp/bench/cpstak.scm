; SPDX-License-Identifier: MIT
; tak in continuation-passing style: a closure for each step, and no call returns.
(define (cpstak x y z)
  (define (tak x y z k)
    (if (not (< y x))
        (k z)
        (tak (- x 1) y z
             (lambda (a)
               (tak (- y 1) z x
                    (lambda (b)
                      (tak (- z 1) x y (lambda (c) (tak a b c k)))))))))
  (tak x y z (lambda (result) result)))

(check "cpstak" (cpstak (size 18 5) (size 12 3) (size 6 1)) (size 7 2))
