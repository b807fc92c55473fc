; SPDX-License-Identifier: MIT
; Doubly linked rings of records, and closures that refer to each other: garbage for the collector.
(define-record-type link (make-link value) link? (value link-value) (next next set-next!)
  (previous previous set-previous!))

(define (make-ring n)
  (let ((first (make-link 0)))
    (let loop ((i 1) (last first))
      (if (< i n)
          (let ((link (make-link i)))
            (set-next! last link)
            (set-previous! link last)
            (loop (+ i 1) link))
          (begin
            (set-next! last first)
            (set-previous! first last)
            first)))))

(define (sum ring)
  (let loop ((at (next ring)) (sum (link-value ring)))
    (if (eq? at ring) sum (loop (next at) (+ sum (link-value at))))))

(define (parity n)
  (define (even n) (if (= n 0) 'even (odd (- n 1))))
  (define (odd n) (if (= n 0) 'odd (even (- n 1))))
  (even n))

(define (rounds n total)
  (if (= n 0) total (rounds (- n 1) (+ total (sum (make-ring 10)) (if (eq? (parity 7) 'odd) 1 0)))))

(check "cycles" (rounds (size 20000 10) 0) (size 920000 460))
