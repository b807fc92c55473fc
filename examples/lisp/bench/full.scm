; SPDX-License-Identifier: MIT
; Loaded first: the sizes that are measured.
(define (size full small) full)
