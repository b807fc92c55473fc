; SPDX-License-Identifier: MIT
; Lists that are cut and joined in place.
(define (split! list n)                 ; the part behind the first n
  (let* ((last (list-tail list (- n 1))) (rest (cdr last)))
    (set-cdr! last '())
    rest))

(define (join! a b)
  (if (null? a)
      b
      (let loop ((at a))
        (if (pair? (cdr at)) (loop (cdr at)) (begin (set-cdr! at b) a)))))

(define (turn! list)                    ; reversed, the same pairs
  (let loop ((list list) (done '()))
    (if (null? list)
        done
        (let ((next (cdr list)))
          (set-cdr! list done)
          (loop next list)))))

(define (shuffle list rounds)
  (if (= rounds 0)
      list
      (let* ((half (quotient (length list) 2)) (rest (split! list half)))
        (shuffle (join! (turn! rest) list) (- rounds 1)))))

; Pairs in a ring are garbage that no count finds.
(define (ring n)
  (let ((list (iota n)))
    (join! list list)
    (list-tail list (* 2 n))))

(define (rings n) (if (= n 0) (ring 5) (begin (ring 5) (rings (- n 1)))))

(check "destruct" (shuffle (iota 10) (size 20000 6)) (size '(0 1 2 3 4 5 6 7 8 9) '(4 3 2 1 0 9 8 7 6 5)))
(check "rings" (car (rings (size 20000 20))) 0)
