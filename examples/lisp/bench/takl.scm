; SPDX-License-Identifier: MIT
; tak with lists for numbers: n is a list of n items.
(define (count n) (if (= n 0) '() (cons n (count (- n 1)))))
(define (shorter? a b) (and (pair? b) (or (null? a) (shorter? (cdr a) (cdr b)))))
(define (takl x y z)
  (if (not (shorter? y x))
      z
      (takl (takl (cdr x) y z) (takl (cdr y) z x) (takl (cdr z) x y))))

(check "takl" (length (takl (count (size 18 6)) (count (size 12 4)) (count (size 6 2)))) (size 7 3))
