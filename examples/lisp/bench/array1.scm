; SPDX-License-Identifier: MIT
; Makes, fills and reads vectors.
(define (make-counted n)
  (let ((v (make-vector n 0)))
    (do ((i 0 (+ i 1))) ((= i n) v) (vector-set! v i i))))

(define (copy-down v)
  (let* ((n (vector-length v)) (to (make-vector n #f)))
    (do ((i (- n 1) (- i 1))) ((< i 0) to) (vector-set! to i (vector-ref v i)))))

(define (go rounds n)
  (if (> rounds 1)
      (begin (copy-down (make-counted n)) (go (- rounds 1) n))
      (vector-length (copy-down (make-counted n)))))

(check "array1" (go (size 10 3) (size 50000 20)) (size 50000 20))
