; SPDX-License-Identifier: MIT
; For `lisp -m 100`: a program that eats all memory, catches the error, and goes on.
(define (eat kept) (eat (cons (make-vector 10 kept) kept)))
(define (message-of thunk) (guard (e ((error-object? e) (error-object-message e))) (thunk)))
(check "the heap's limit" (message-of (lambda () (eat '()))) "out of memory")
(check "once more" (message-of (lambda () (eat '()))) "out of memory")
(check "and then" (length (iota 100000)) 100000)
