; SPDX-License-Identifier: MIT
; In how many ways n queens stand on a board without threatening each other.
(define (safe? row distance placed)
  (or (null? placed)
      (and (not (= (car placed) (+ row distance)))
           (not (= (car placed) (- row distance)))
           (safe? row (+ distance 1) (cdr placed)))))

(define (place untried tried placed)
  (cond ((pair? untried)
         (+ (if (safe? (car untried) 1 placed)
                (place (append (cdr untried) tried) '() (cons (car untried) placed))
                0)
            (place (cdr untried) (cons (car untried) tried) placed)))
        ((null? tried) 1)
        (else 0)))

(define (queens n) (place (iota n) '() '()))

(check "nqueens" (queens (size 8 4)) (size 92 2))
