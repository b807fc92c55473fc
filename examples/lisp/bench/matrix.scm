; SPDX-License-Identifier: MIT
; Products of matrices of vectors, and floats.
(define (make-matrix n f)
  (let ((rows (make-vector n #f)))
    (do ((i 0 (+ i 1))) ((= i n) rows)
      (vector-set! rows i (make-vector n 0))
      (do ((k 0 (+ k 1))) ((= k n)) (vector-set! (vector-ref rows i) k (f i k))))))

(define (matrix-ref m i k) (vector-ref (vector-ref m i) k))

(define (multiply a b n)
  (make-matrix n (lambda (i k)
                   (do ((j 0 (+ j 1))
                        (sum 0 (+ sum (* (matrix-ref a i j) (matrix-ref b j k)))))
                       ((= j n) sum)))))

(define n (size 60 5))
(define fibonacci (make-matrix n (lambda (i k) (if (< (+ i k) 2) (if (= (* i k) 1) 0 1) 0))))
(define (power m p) (if (= p 1) m (multiply m (power m (- p 1)) n)))
(define hilbert (make-matrix n (lambda (i k) (/ 1.0 (+ i k 1)))))

(check "matrix" (matrix-ref (power fibonacci (size 4 4)) 0 0) 5)
(check "hilbert" (let ((h (multiply hilbert hilbert n))) (= (matrix-ref h 0 1) (matrix-ref h 1 0))) #t)
