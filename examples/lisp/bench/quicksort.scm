; SPDX-License-Identifier: MIT
; A vector of pseudo-random numbers, sorted in place.
(define seed 42)
(define (random!)
  (set! seed (remainder (+ (* seed 1103515) 12345) 2147483648))
  seed)

(define (sort! v from to)
  (if (< from to)
      (let ((pivot (vector-ref v (quotient (+ from to) 2))))
        (let loop ((i from) (j to))
          (cond ((< (vector-ref v i) pivot) (loop (+ i 1) j))
                ((> (vector-ref v j) pivot) (loop i (- j 1)))
                ((<= i j)
                 (let ((x (vector-ref v i)))
                   (vector-set! v i (vector-ref v j))
                   (vector-set! v j x)
                   (loop (+ i 1) (- j 1))))
                (else (sort! v from j) (sort! v i to)))))))

(define (sorted? v i)
  (or (= i (vector-length v))
      (and (<= (vector-ref v (- i 1)) (vector-ref v i)) (sorted? v (+ i 1)))))

(define v (make-vector (size 50000 40) 0))
(do ((i 0 (+ i 1))) ((= i (vector-length v))) (vector-set! v i (random!)))
(define (total) (apply + (vector->list v)))
(define before (total))
(sort! v 0 (- (vector-length v) 1))
(check "quicksort" (and (sorted? v 1) (= before (total))) #t)

; The same numbers as a list, merged.
(check "list-sort" (equal? (list-sort < (reverse (vector->list v))) (vector->list v)) #t)
