; SPDX-License-Identifier: MIT
; Points of the Mandelbrot set: floats only.
(define (inside? cr ci)
  (let loop ((zr 0.0) (zi 0.0) (count 0))
    (cond ((= count 64) #t)
          ((> (+ (* zr zr) (* zi zi)) 4.0) #f)
          (else (loop (+ (- (* zr zr) (* zi zi)) cr) (+ (* 2.0 (* zr zi)) ci) (+ count 1))))))

(define (count-inside n)
  (let rows ((y 0) (found 0))
    (if (= y n)
        found
        (rows (+ y 1)
              (let row ((x 0) (found found))
                (if (= x n)
                    found
                    (row (+ x 1)
                         (if (inside? (- (* 3.0 (/ x n)) 2.0) (- (* 2.0 (/ y n)) 1.0))
                             (+ found 1)
                             found))))))))

(check "mbrot" (count-inside (size 80 4)) (size 1709 8))
