; SPDX-License-Identifier: MIT
; Ackermann's function: deep recursion that is not in tail position.
(define (ack m n)
  (cond ((= m 0) (+ n 1))
        ((= n 0) (ack (- m 1) 1))
        (else (ack (- m 1) (ack m (- n 1))))))

(check "ack" (ack (size 3 2) (size 7 3)) (size 1021 9))
