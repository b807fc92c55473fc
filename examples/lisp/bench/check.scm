; SPDX-License-Identifier: MIT
; Loaded second: prints a result and compares it.
(define (check name got wanted)
  (display name)
  (display ": ")
  (write got)
  (newline)
  (if (not (equal? got wanted)) (error "wrong result, wanted" wanted)))

; n results of thunk, of which all but the last are dropped.
(define (repeat n thunk)
  (let ((result (thunk)))
    (if (> n 1) (repeat (- n 1) thunk) result)))
