; SPDX-License-Identifier: MIT
; Loaded first: small sizes, to be run with a collection at every allocation.
(define (size full small) small)
