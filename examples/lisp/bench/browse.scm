; SPDX-License-Identifier: MIT
; Searches patterns in a data base of symbols: ?x matches one item, * any number of them.
(define (matches? pattern data)
  (cond ((null? pattern) (null? data))
        ((eq? (car pattern) '*)
         (or (matches? (cdr pattern) data)
             (and (pair? data) (matches? pattern (cdr data)))))
        ((null? data) #f)
        ((and (pair? (car pattern)) (pair? (car data)))
         (and (matches? (car pattern) (car data)) (matches? (cdr pattern) (cdr data))))
        ((or (eq? (car pattern) '?) (eq? (car pattern) (car data)))
         (matches? (cdr pattern) (cdr data)))
        (else #f)))

(define (make-unit n)
  (let ((name (string->symbol (string-append "unit" (number->string n)))))
    (list name
          (list 'a 'b (if (even? n) 'c 'd) (list name 'x 'y))
          (list 'a (if (= 0 (remainder n 3)) 'b 'c) '(d e f) 'g))))

(define units (map make-unit (iota (size 100 9))))
(define patterns '((* b ? (? x *)) (a * (? e ?) g) (* c *) (a b (? f *) *)))

(define (investigate)
  (fold-left
   (lambda (found pattern)
     (+ found
        (fold-left (lambda (n unit)
                     (+ n (if (matches? pattern (cadr unit)) 1 0)
                        (if (matches? pattern (caddr unit)) 1 0)))
                   0 units)))
   0 patterns))

(check "browse" (repeat (size 100 2) investigate) (size 316 29))
(check "symbols" (eq? (car (list-ref units 7)) 'unit7) #t)
