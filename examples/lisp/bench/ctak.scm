; SPDX-License-Identifier: MIT
; tak in which every result travels through an escape.
(define (ctak x y z) (call/ec (lambda (k) (ctak-to k x y z))))
(define (ctak-to k x y z)
  (define (inner a b c) (call/ec (lambda (k) (ctak-to k a b c))))
  (if (not (< y x))
      (k z)
      (ctak-to k (inner (- x 1) y z) (inner (- y 1) z x) (inner (- z 1) x y))))

(check "ctak" (ctak (size 16 5) (size 11 3) (size 6 1)) (size 11 2))
