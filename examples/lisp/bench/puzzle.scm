; SPDX-License-Identifier: MIT
; Fills a box of 3 x 3 x 3 (or 3 x 2 x 2) with pieces of few shapes; counts the ways and what was tried.
(define x-size 3)
(define y-size (size 3 2))
(define z-size (size 3 2))
(define (index x y z) (+ x (* x-size (+ y (* y-size z)))))
(define cells (* x-size y-size z-size))

; A piece of a x b x c is the list of the cells it covers, counted from its corner.
(define (piece a b c)
  (let ((found '()))
    (do ((x 0 (+ x 1))) ((= x a))
      (do ((y 0 (+ y 1))) ((= y b))
        (do ((z 0 (+ z 1))) ((= z c))
          (set! found (cons (vector x y z) found)))))
    found))

(define shapes
  (list (map (lambda (s) (apply piece s)) '((2 2 1) (2 1 2) (1 2 2)))
        (map (lambda (s) (apply piece s)) '((3 1 1) (1 3 1) (1 1 3)))
        (list (piece 1 1 1))))
(define left (list->vector (size '(5 2 1) '(2 1 1))))
(define box (make-vector cells #f))
(define tried 0)

(define (cell-of part x y z)
  (let ((px (+ x (vector-ref part 0))) (py (+ y (vector-ref part 1))) (pz (+ z (vector-ref part 2))))
    (and (< px x-size) (< py y-size) (< pz z-size) (index px py pz))))

(define (fits? parts x y z)
  (or (null? parts)
      (let ((at (cell-of (car parts) x y z)))
        (and at (not (vector-ref box at)) (fits? (cdr parts) x y z)))))

(define (fill! parts x y z value)
  (for-each (lambda (part) (vector-set! box (cell-of part x y z) value)) parts))

(define (first-free i)
  (cond ((= i cells) #f) ((vector-ref box i) (first-free (+ i 1))) (else i)))

; In how many ways the rest can be filled if the piece is put here.
(define (try-piece kind parts x y z)
  (if (and (> (vector-ref left kind) 0) (fits? parts x y z))
      (begin
        (set! tried (+ tried 1))
        (fill! parts x y z #t)
        (vector-set! left kind (- (vector-ref left kind) 1))
        (let ((ways (solve)))
          (vector-set! left kind (+ (vector-ref left kind) 1))
          (fill! parts x y z #f)
          ways))
      0))

(define (sum f list) (fold-left (lambda (total item) (+ total (f item))) 0 list))

(define (solve)
  (let ((at (first-free 0)))
    (if (not at)
        1
        (let* ((x (remainder at x-size))
               (y (remainder (quotient at x-size) y-size))
               (z (quotient at (* x-size y-size))))
          (let loop ((kind 0) (all shapes) (ways 0))
            (if (null? all)
                ways
                (loop (+ kind 1) (cdr all)
                      (+ ways (sum (lambda (parts) (try-piece kind parts x y z)) (car all))))))))))

(check "puzzle" (let ((ways (solve))) (list ways tried)) (size '(216 2875) '(0 31)))
