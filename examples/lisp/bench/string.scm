; SPDX-License-Identifier: MIT
; Strings that grow by halves of themselves.
(define (grow s limit)
  (let ((n (string-length s)))
    (if (> n limit)
        n
        (grow (string-append (substring s 0 (quotient n 2)) "123" s
                             (substring s (quotient n 2) n) "xyz")
              limit))))

(define (turn s) (list->string (reverse (string->list s))))
(define (palindrome? s) (string=? s (turn s)))

(check "string" (repeat (size 20 1) (lambda () (grow "abcdef" (size 100000 200)))) (size 196602 378))
(check "turned" (turn "Grüße, 日本") "本日 ,eßürG")
(check "palindrome" (palindrome? (string-append "abc" (turn "abc"))) #t)
