; SPDX-License-Identifier: MIT
; Rewrites terms by lemmas, then asks whether the result is a tautology of if's: a small cousin of
; the theorem prover among the Gabriel programs.
(define lemmas '())
(define (lemmas-of op) (let ((known (assq op lemmas))) (if known (cdr known) '())))
(define (add-lemma! lemma)              ; (equal left right)
  (let* ((op (car (cadr lemma))) (known (assq op lemmas)))
    (if known
        (set-cdr! known (cons lemma (cdr known)))
        (set! lemmas (cons (list op lemma) lemmas)))))

(for-each
 add-lemma!
 '((equal (and p q) (if p (if q (t) (f)) (f)))
   (equal (or p q) (if p (t) (if q (t) (f))))
   (equal (not p) (if p (f) (t)))
   (equal (implies p q) (if p (if q (t) (f)) (t)))
   (equal (iff p q) (and (implies p q) (implies q p)))
   (equal (if (if a b c) d e) (if a (if b d e) (if c d e)))
   (equal (plus (plus a b) c) (plus a (plus b c)))
   (equal (times a (plus b c)) (plus (times a b) (times a c)))
   (equal (append (append a b) c) (append a (append b c)))
   (equal (reverse (append a b)) (append (reverse b) (reverse a)))
   (equal (member a (append b c)) (or (member a b) (member a c)))
   (equal (zerop (plus a b)) (and (zerop a) (zerop b)))))

(define (substitute bindings term)
  (cond ((pair? term) (cons (car term) (map (lambda (t) (substitute bindings t)) (cdr term))))
        ((assq term bindings) => cdr)
        (else term)))

; Bindings that make the pattern the term, or #f.
(define (unify pattern term bindings)
  (cond ((not bindings) #f)
        ((symbol? pattern)
         (let ((bound (assq pattern bindings)))
           (if bound
               (and (equal? (cdr bound) term) bindings)
               (cons (cons pattern term) bindings))))
        ((and (pair? term) (eq? (car pattern) (car term)))
         (unify-all (cdr pattern) (cdr term) bindings))
        (else #f)))
(define (unify-all patterns terms bindings)
  (if (null? patterns)
      bindings
      (unify-all (cdr patterns) (cdr terms) (unify (car patterns) (car terms) bindings))))

(define (rewrite term)
  (if (pair? term)
      (let ((inner (cons (car term) (map rewrite (cdr term)))))
        (let loop ((rest (lemmas-of (car inner))))
          (if (null? rest)
              inner
              (let ((bindings (unify (cadr (car rest)) inner '((t . t)))))
                (if bindings
                    (rewrite (substitute bindings (caddr (car rest))))
                    (loop (cdr rest)))))))
      term))

(define (tautology? term true false)
  (cond ((or (equal? term '(t)) (member term true)) #t)
        ((or (equal? term '(f)) (member term false)) #f)
        ((and (pair? term) (eq? (car term) 'if))
         (let ((test (cadr term)))
           (cond ((or (equal? test '(t)) (member test true)) (tautology? (caddr term) true false))
                 ((or (equal? test '(f)) (member test false))
                  (tautology? (cadddr term) true false))
                 (else (and (tautology? (caddr term) (cons test true) false)
                            (tautology? (cadddr term) true (cons test false)))))))
        (else #f)))

(define (prove term) (tautology? (rewrite term) '() '()))

(define theorem
  '(implies (and (implies (x) (y)) (and (implies (y) (z)) (and (implies (z) (u)) (implies (u) (w)))))
            (implies (x) (w))))
(define small-theorem '(implies (and (implies (x) (y)) (x)) (y)))
(define with-terms
  '(iff (member (a) (append (append (b) (c)) (d)))
        (or (member (a) (b)) (or (member (a) (c)) (member (a) (d))))))

(check "boyer" (repeat (size 20 1) (lambda () (prove (size theorem small-theorem)))) #t)
(check "boyer, not true" (prove '(implies (x) (and (x) (y)))) #f)
(check "boyer, terms" (prove (size with-terms small-theorem)) #t)
