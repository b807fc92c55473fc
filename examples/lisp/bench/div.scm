; SPDX-License-Identifier: MIT
; Half of a list, by a loop and by recursion.
(define (half-by-loop list)
  (do ((list list (cddr list)) (done '() (cons (car list) done)))
      ((null? list) done)))

(define (half-by-recursion list)
  (if (null? list) '() (cons (car list) (half-by-recursion (cddr list)))))

(define numbers (iota (size 200 20)))
(check "diviter" (length (repeat (size 2000 4) (lambda () (half-by-loop numbers)))) (size 100 10))
(check "divrec" (apply + (repeat (size 2000 4) (lambda () (half-by-recursion numbers))))
       (size 9900 90))
