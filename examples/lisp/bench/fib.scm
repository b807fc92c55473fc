; SPDX-License-Identifier: MIT
(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))
(define (float-fib x) (if (< x 2.0) x (+ (float-fib (- x 1.0)) (float-fib (- x 2.0)))))

(check "fib" (fib (size 27 10)) (size 196418 55))
(check "fib of floats" (float-fib (size 22.0 8.0)) (size 17711.0 21.0))
