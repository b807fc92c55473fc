; SPDX-License-Identifier: MIT
; The sieve, on lists and on a vector.
(define (sieve numbers)
  (if (null? numbers)
      '()
      (let ((prime (car numbers)))
        (cons prime
              (sieve (filter (lambda (n) (not (= 0 (remainder n prime)))) (cdr numbers)))))))

(define (primes-to n) (sieve (cddr (iota (+ n 1)))))

(define (count-primes n)
  (let ((is-prime (make-vector (+ n 1) #t)))
    (do ((i 2 (+ i 1)) (count 0 (if (vector-ref is-prime i) (+ count 1) count)))
        ((> i n) count)
      (if (vector-ref is-prime i)
          (do ((k (* i i) (+ k i))) ((> k n)) (vector-set! is-prime k #f))))))

(check "primes" (length (primes-to (size 5000 60))) (size 669 17))
(check "sieve" (count-primes (size 300000 200)) (size 25997 46))
