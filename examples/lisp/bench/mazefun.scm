; SPDX-License-Identifier: MIT
; A maze by a walk over a grid with pseudo-random turns, and the shortest way through it, without
; assignment: grids are lists of lists.
(define (next seed) (remainder (+ (* seed 16807) 11) 2147483647))

(define (update list i f)
  (if (= i 0)
      (cons (f (car list)) (cdr list))
      (cons (car list) (update (cdr list) (- i 1) f))))
(define (grid-ref grid x y) (list-ref (list-ref grid y) x))
(define (grid-set grid x y value)
  (update grid y (lambda (row) (update row x (lambda (old) value)))))
(define (make-grid n value) (map (lambda (y) (map (lambda (x) value) (iota n))) (iota n)))

(define directions '((1 . 0) (0 . 1) (-1 . 0) (0 . -1)))
(define (inside? n x y) (and (>= x 0) (< x n) (>= y 0) (< y n)))

; Carves rooms at even places, depth first; result: (grid . seed).
(define (carve grid n x y seed)
  (let loop ((turn 0) (seed seed) (grid (grid-set grid x y 'free)))
    (if (= turn 4)
        (cons grid seed)
        (let* ((d (list-ref directions (remainder (+ turn (quotient seed 7)) 4)))
               (x2 (+ x (* 2 (car d)))) (y2 (+ y (* 2 (cdr d)))))
          (if (and (inside? n x2 y2) (eq? 'wall (grid-ref grid x2 y2)))
              (let ((carved (carve (grid-set grid (+ x (car d)) (+ y (cdr d)) 'free)
                                   n x2 y2 (next seed))))
                (loop (+ turn 1) (cdr carved) (car carved)))
              (loop (+ turn 1) seed grid))))))

; Steps from the first to the last room, breadth first.
(define (steps grid n)
  (let loop ((edge '((0 . 0))) (grid (grid-set grid 0 0 'seen)) (count 0))
    (cond ((null? edge) #f)
          ((member (cons (- n 1) (- n 1)) edge) count)
          (else
           (let spread ((edge edge) (grid grid) (found '()))
             (if (null? edge)
                 (loop found grid (+ count 1))
                 (let try ((all directions) (grid grid) (found found))
                   (if (null? all)
                       (spread (cdr edge) grid found)
                       (let ((x (+ (caar edge) (caar all))) (y (+ (cdar edge) (cdar all))))
                         (if (and (inside? n x y) (eq? 'free (grid-ref grid x y)))
                             (try (cdr all) (grid-set grid x y 'seen) (cons (cons x y) found))
                             (try (cdr all) grid found)))))))))))

(define n (size 31 5))
(check "mazefun" (steps (car (carve (make-grid n 'wall) n 0 0 17)) n) (size 176 8))
