; SPDX-License-Identifier: MIT
; Symbolic derivatives: short-lived lists.
(define (deriv e)
  (if (not (pair? e))
      (if (eq? e 'x) 1 0)
      (let ((op (car e)) (args (cdr e)))
        (case op
          ((+ -) (cons op (map deriv args)))
          ((*) (list '* e (cons '+ (map (lambda (a) (list '/ (deriv a) a)) args))))
          ((/) (list '- (list '/ (deriv (car args)) (cadr args))
                     (list '/ (car args)
                           (list '* (cadr args) (cadr args) (deriv (cadr args))))))
          (else (error "no derivation for" op))))))

(check "deriv" (repeat (size 20000 3) (lambda () (deriv '(+ (* 3 x x) (* a x x) (* b x) 5))))
       '(+ (* (* 3 x x) (+ (/ 0 3) (/ 1 x) (/ 1 x)))
           (* (* a x x) (+ (/ 0 a) (/ 1 x) (/ 1 x)))
           (* (* b x) (+ (/ 0 b) (/ 1 x)))
           0))
