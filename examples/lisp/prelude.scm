; SPDX-License-Identifier: MIT
; The part of the language that is written in itself. Loaded before every program.

; A macro is a procedure from form to form.

(%define list (lambda items items))
(%set-syntax! 'define
  (lambda (form)
    (if (pair? (cadr form))
        (list '%define (car (cadr form)) (cons 'lambda (cons (cdr (cadr form)) (cddr form))))
        (cons '%define (cdr form)))))
(%set-syntax! 'define-syntax
  (lambda (form) (list '%set-syntax! (list 'quote (cadr form)) (caddr form))))

(define (memv x list)
  (if (pair? list) (if (eqv? x (car list)) list (memv x (cdr list))) #f))
(define memq memv)
(define (%prepend reversed list)
  (if (null? reversed) list (%prepend (cdr reversed) (cons (car reversed) list))))
(define (append . lists)
  (if (null? lists)
      '()
  (if (null? (cdr lists))
      (car lists)
      (%prepend (reverse (car lists)) (apply append (cdr lists))))))

(define (%map1 f list) (%map-onto '() f list))
(define (%map-onto done f list)
  (if (pair? list) (%map-onto (cons (f (car list)) done) f (cdr list)) (reverse done)))

(define-syntax %let
  (lambda (form)
    (cons (cons 'lambda (cons (%map1 car (cadr form)) (cddr form))) (%map1 cadr (cadr form)))))

; syntax-rules makes one of patterns and templates. It must be written in what there is so far.
;
; A match is a list of bindings: (name . form), and for a pattern before ... the pair
; ((pattern ...) . matches), with a match for each item. The variables that a template binds get new
; names in each expansion, so they cannot catch what the user wrote.

(define (%repeats? pattern)
  (if (pair? pattern) (if (pair? (cdr pattern)) (eq? (cadr pattern) '...) #f) #f))
(define (%pairs list n) (if (pair? list) (%pairs (cdr list) (+ n 1)) n))

(define (%match literals pattern form found)
  (if (symbol? pattern)
      (if (memq pattern literals)
          (if (eq? pattern form) found #f)
          (cons (cons pattern form) found))
  (if (not (pair? pattern))
      (if (eqv? pattern form) found #f)
  (if (%repeats? pattern)
      (%match-items literals pattern form
                    (- (%pairs form 0) (%pairs (cddr pattern) 0)) '() found)
  (if (pair? form)
      (%let ((first (%match literals (car pattern) (car form) found)))
        (if first (%match literals (cdr pattern) (cdr form) first) #f))
      #f)))))

(define (%match-items literals pattern form count items found)
  (if (< count 0)
      #f
  (if (= count 0)
      (%match literals (cddr pattern) form (cons (cons pattern (reverse items)) found))
      (%let ((item (%match literals (car pattern) (car form) '())))
        (if item
            (%match-items literals pattern (cdr form) (- count 1) (cons item items) found)
            #f)))))

; Whether the template names a variable of the pattern.
(define (%uses? template pattern)
  (if (pair? template)
      (if (%uses? (car template) pattern) #t (%uses? (cdr template) pattern))
  (if (pair? pattern)
      (if (%uses? template (car pattern)) #t (%uses? template (cdr pattern)))
      (if (eq? template pattern) (if (symbol? pattern) (not (eq? pattern '...)) #f) #f))))

(define (%any-null? lists)
  (if (pair? lists) (if (pair? (car lists)) (%any-null? (cdr lists)) #t) #f))

(define (%fill template found)
  (if (symbol? template)
      (%let ((bound (assq template found))) (if bound (cdr bound) template))
  (if (not (pair? template))
      template
  (if (%repeats? template)
      (append (%fill-items (car template) (%sources (car template) found) found)
              (%fill (cddr template) found))
      (cons (%fill (car template) found) (%fill (cdr template) found))))))

(define (%sources template found)
  (if (null? found)
      '()
      (%let ((rest (%sources template (cdr found))))
        (if (if (pair? (caar found)) (%uses? template (car (caar found))) #f)
            (cons (cdar found) rest)
            rest))))

(define (%fill-items template sources found)
  (if (null? sources)
      (error "syntax-rules: nothing to repeat:" template)
  (if (%any-null? sources)
      '()
      (cons (%fill template (append (apply append (%map1 car sources)) found))
            (%fill-items template (%map1 cdr sources) found)))))

; The names that the template binds, in front of `names`.
(define (%bound template names)
  (if (not (pair? template))
      names
      (%bound (car template)
        (%bound (cdr template)
          (if (memq (car template) '(lambda %let let let* letrec letrec* do))
              (if (pair? (cdr template)) (%binders (cdr template) names) names)
              names)))))

; As (name ...), ((name value) ...) or (name ((name value) ...)).
(define (%binders form names)
  (if (symbol? (car form))
      (cons (car form) (if (pair? (cdr form)) (%binders (cdr form) names) names))
  (if (pair? (car form))
      (append (%map1 (lambda (b) (if (pair? b) (car b) b)) (car form)) names)
      names)))

(define %renamed 0)
(define (%rename name)
  (set! %renamed (+ %renamed 1))
  (cons name (string->symbol (string-append (symbol->string name) " " (number->string %renamed)))))

(define (%expand literals rules form)
  (if (null? rules)
      (error "bad syntax:" form)
      (%let ((found (%match literals (cdr (caar rules)) (cdr form) '())))
        (if found
            (%fill (cadr (car rules)) (append found (%map1 %rename (cddr (car rules)))))
            (%expand literals (cdr rules) form)))))

; A rule with the names that are to be renamed, which are symbols but ... and those of the pattern.
(define (%prepare rule)
  (%let ((pattern (car rule)))
    (define (own names)
      (if (null? names)
          '()
      (if (if (symbol? (car names)) (if (eq? (car names) '...) #t (%uses? (car names) pattern)) #t)
          (own (cdr names))
          (cons (car names) (own (cdr names))))))
    (cons pattern (cons (cadr rule) (own (%bound (cadr rule) '()))))))

(define (%syntax-rules literals rules)
  (%let ((rules (%map1 %prepare rules)))
    (lambda (form) (%expand literals rules form))))
(define-syntax syntax-rules
  (lambda (form)
    (list '%syntax-rules (list 'quote (cadr form)) (list 'quote (cddr form)))))

; --- Derived forms ---------------------------------------------------------------------------------

(define-syntax or
  (syntax-rules () ((_) #f) ((_ a) a) ((_ a b ...) (%let ((found a)) (if found found (or b ...))))))

(define-syntax and
  (syntax-rules () ((_) #t) ((_ a) a) ((_ a b ...) (if a (and b ...) #f))))

(define-syntax when (syntax-rules () ((_ test body ...) (if test (begin body ...)))))
(define-syntax unless (syntax-rules () ((_ test body ...) (if test (begin) (begin body ...)))))

(define-syntax let
  (syntax-rules ()
    ((_ ((name value) ...) body ...) (%let ((name value) ...) body ...))
    ((_ loop ((name value) ...) body ...)
     ((%let () (define loop (lambda (name ...) body ...)) loop) value ...))))

(define-syntax let*
  (syntax-rules ()
    ((_ () body ...) (%let () body ...))
    ((_ (first rest ...) body ...) (%let (first) (let* (rest ...) body ...)))))

(define-syntax letrec
  (syntax-rules ()
    ((_ ((name value) ...) body ...) (%let () (define name value) ... (%let () body ...)))))

(define-syntax letrec*
  (syntax-rules () ((_ bindings body ...) (letrec bindings body ...))))

(define-syntax cond
  (syntax-rules (else =>)
    ((_) (begin))
    ((_ (else body ...)) (begin body ...))
    ((_ (test => receiver) clause ...)
     (%let ((found test)) (if found (receiver found) (cond clause ...))))
    ((_ (test) clause ...) (or test (cond clause ...)))
    ((_ (test body ...) clause ...) (if test (begin body ...) (cond clause ...)))))

(define-syntax case
  (syntax-rules ()
    ((_ key clause ...) (%let ((it key)) (%case it clause ...)))))

(define-syntax %case
  (syntax-rules (else)
    ((_ it) (begin))
    ((_ it (else body ...)) (begin body ...))
    ((_ it ((datum ...) body ...) clause ...)
     (if (memv it '(datum ...)) (begin body ...) (%case it clause ...)))))

(define-syntax do
  (syntax-rules ()
    ((_ ((name value step ...) ...) (test result ...) body ...)
     (let loop ((name value) ...)
       (if test (begin result ...) (begin body ... (loop (%step name step ...) ...)))))))

(define-syntax %step (syntax-rules () ((_ name) name) ((_ name step) step)))

(define-syntax quasiquote
  (syntax-rules (unquote unquote-splicing)
    ((_ (unquote form)) form)
    ((_ ((unquote-splicing form) . rest)) (append form (quasiquote rest)))
    ((_ (first . rest)) (cons (quasiquote first) (quasiquote rest)))
    ((_ datum) 'datum)))

(define-syntax define-record-type
  (syntax-rules ()
    ((_ name (maker field ...) predicate (slot accessor ...) ...)
     (begin
       (define name (%record-type 'name '(slot ...)))
       (define (maker field ...)
         (let ((made (%record name)))
           (%record-access made name (%position 'field '(slot ...)) field) ...
           made))
       (define (predicate x) (%record? x name))
       (%define-field name (%position 'slot '(slot ...)) accessor ...) ...))))

(define (%position item list)
  (cond ((null? list) (error "no such field:" item))
        ((eq? item (car list)) 0)
        (else (+ 1 (%position item (cdr list))))))

(define-syntax %define-field
  (syntax-rules ()
    ((_ name position) (begin))
    ((_ name position getter)
     (define getter (let ((i position)) (lambda (x) (%record-access x name i)))))
    ((_ name position getter setter)
     (begin
       (%define-field name position getter)
       (define setter
         (let ((i position)) (lambda (x value) (%record-access x name i value))))))))

; --- Control ---------------------------------------------------------------------------------------

(define %winds '())                     ; what to do on the way out of dynamic-winds, innermost first
(define %handlers '())

(define (%unwind winds)
  (if (not (eq? %winds winds))
      (let ((after (car %winds)))
        (set! %winds (cdr %winds))
        (after)
        (%unwind winds))))

; The escape returns from this call; so it must not be a tail call.
(define (call/ec receiver)
  (define k (%escape))
  (define winds %winds)
  (define handlers %handlers)
  (define result
    (receiver (lambda (result)
                (if (%live? k) (begin (%unwind winds) (set! %handlers handlers)))
                (k result))))
  result)
(define call-with-escape-continuation call/ec)

(define (dynamic-wind before thunk after)
  (before)
  (set! %winds (cons after %winds))
  (let ((result (thunk)))
    (set! %winds (cdr %winds))
    (after)
    result))

(define (with-exception-handler handler thunk)
  (let ((handlers %handlers))
    (set! %handlers (cons handler handlers))
    (let ((result (thunk)))
      (set! %handlers handlers)
      result)))

; A handler runs with the handlers outside of it.
(define (raise-continuable condition)
  (let ((handlers %handlers))
    (if (null? handlers) (%die condition))
    (set! %handlers (cdr handlers))
    (let ((result ((car handlers) condition)))
      (set! %handlers handlers)
      result)))

(define (raise condition)
  (raise-continuable condition)
  (%die condition))

(define (%die condition)
  (set! %handlers '())
  (set! %winds '())
  (%fatal condition))


(define-syntax guard
  (syntax-rules ()
    ((_ (name clause ...) body ...)
     ((call/ec
       (lambda (k)
         (with-exception-handler
          (lambda (name) (k (lambda () (%guard name clause ...))))
          (lambda () (let ((result (begin body ...))) (lambda () result))))))))))

(define-syntax %guard
  (syntax-rules (else)
    ((_ name clause ... (else body ...)) (cond clause ... (else body ...)))
    ((_ name clause ...) (cond clause ... (else (raise-continuable name))))))

; --- Lists, vectors, strings -----------------------------------------------------------------------

(define (equal? a b)
  (cond ((pair? a) (and (pair? b) (equal? (car a) (car b)) (equal? (cdr a) (cdr b))))
        ((string? a) (and (string? b) (string=? a b)))
        ((vector? a) (and (vector? b) (equal? (vector->list a) (vector->list b))))
        (else (eqv? a b))))

(define (member x list)
  (cond ((not (pair? list)) #f) ((equal? x (car list)) list) (else (member x (cdr list)))))
(define (assoc key list)
  (cond ((not (pair? list)) #f)
        ((equal? key (caar list)) (car list))
        (else (assoc key (cdr list)))))

(define (map f list . more)
  (if (null? more)
      (%map1 f list)
      (let loop ((lists (cons list more)) (done '()))
        (if (%any-null? lists)
            (reverse done)
            (loop (%map1 cdr lists) (cons (apply f (%map1 car lists)) done))))))

(define (for-each f list . more)
  (if (null? more)
      (let loop ((list list)) (if (pair? list) (begin (f (car list)) (loop (cdr list)))))
      (apply map f list more)))

(define (filter keep? list)
  (let loop ((list list) (done '()))
    (cond ((null? list) (reverse done))
          ((keep? (car list)) (loop (cdr list) (cons (car list) done)))
          (else (loop (cdr list) done)))))

(define (fold-left f start list)
  (if (null? list) start (fold-left f (f start (car list)) (cdr list))))
(define (fold-right f start list) (fold-left (lambda (a b) (f b a)) start (reverse list)))

(define (iota count)
  (do ((i (- count 1) (- i 1)) (list '() (cons i list))) ((< i 0) list)))

(define (list-copy list) (append list '()))

(define (list-sort before? list)
  (define (merge a b done)
    (cond ((null? a) (append (reverse done) b))
          ((null? b) (append (reverse done) a))
          ((before? (car b) (car a)) (merge a (cdr b) (cons (car b) done)))
          (else (merge (cdr a) b (cons (car a) done)))))
  (define (sort list n)
    (if (< n 2)
        (if (= n 0) '() (cons (car list) '()))
        (let ((half (quotient n 2)))
          (merge (sort list half) (sort (list-tail list half) (- n half)) '()))))
  (sort list (length list)))

(define (vector->list vector)
  (do ((i (- (vector-length vector) 1) (- i 1)) (list '() (cons (vector-ref vector i) list)))
      ((< i 0) list)))
(define (vector . items) (list->vector items))
(define (vector-fill! vector item)
  (do ((i 0 (+ i 1))) ((= i (vector-length vector))) (vector-set! vector i item)))
(define (vector-map f vector) (list->vector (map f (vector->list vector))))
(define (vector-for-each f vector) (for-each f (vector->list vector)))

(define (string->list string)
  (do ((i (- (string-length string) 1) (- i 1))
       (list '() (cons (string-ref string i) list)))
      ((< i 0) list)))
(define (string . chars) (list->string chars))
(define (make-string count char) (list->string (%map1 (lambda (i) char) (iota count))))
(define (string-copy string) string)
(define (string=? a b) (= (%string-order a b) 0))
(define (string<? a b) (< (%string-order a b) 0))
(define (char=? a b) (eqv? a b))
(define (char<? a b) (string<? (string a) (string b)))

(define (list-tail list n) (if (= n 0) list (list-tail (cdr list) (- n 1))))
(define (list-ref list n) (car (list-tail list n)))

; --- Output, and what the library says of itself -----------------------------------------------------

(define %shown 0)                       ; values of what is being printed: it may go in circles
(define (%print x show-text)
  (set! %shown 0)
  (%show x show-text))
(define (display x) (%print x %put))
(define (write x) (%print x %write-text))
(define (newline) (%put "\n"))

(define (%show x show-text)
  (set! %shown (+ %shown 1))
  (cond ((> %shown 100000) (%put "..."))
        ((string? x) (show-text x))
        ((symbol? x) (%put (symbol->string x)))
        ((number? x) (%put (number->string x)))
        ((char? x) (if (eq? show-text %put) (%put (string x)) (%write-char x)))
        ((eq? x #t) (%put "#t"))
        ((eq? x #f) (%put "#f"))
        ((null? x) (%put "()"))
        ((pair? x)
         (%put "(")
         (%show (car x) show-text)
         (%show-rest (cdr x) show-text))
        ((vector? x) (%put "#") (%show (vector->list x) show-text))
        (else (%put (%describe x)))))

(define (%show-rest x show-text)
  (cond ((null? x) (%put ")"))
        ((> %shown 100000) (%put " ...)"))
        ((pair? x)
         (%put " ")
         (%show (car x) show-text)
         (%show-rest (cdr x) show-text))
        (else
         (%put " . ")
         (%show x show-text)
         (%put ")"))))

(define (%write-char char)
  (%put (cond ((eqv? char #\space) "#\\space")
              ((eqv? char #\newline) "#\\newline")
              (else (string-append "#\\" (string char))))))

(define (%write-text text)
  (%put "\"")
  (for-each (lambda (char)
              (%put (case char
                      ((#\") "\\\"")
                      ((#\\) "\\\\")
                      ((#\newline) "\\n")
                      (else (string char)))))
            (string->list text))
  (%put "\""))

(%on-error raise write)

(define (step microseconds)
  (map cons '(finished examined found longest-ns) (%gc-step microseconds)))
(define (gc-stats)
  (map cons
       '(collections-0 collections-1 collections-2 slices longest-ns tracked live-bytes resident-bytes)
       (%gc-stats)))

; --- Numbers ---------------------------------------------------------------------------------------

(define (zero? n) (= n 0))
(define (positive? n) (> n 0))
(define (negative? n) (< n 0))
(define (even? n) (= (remainder n 2) 0))
(define (odd? n) (not (= (remainder n 2) 0)))
(define (abs n) (if (< n 0) (- n) n))
(define (min first . rest) (fold-left (lambda (a b) (if (< b a) b a)) first rest))
(define (max first . rest) (fold-left (lambda (a b) (if (> b a) b a)) first rest))
(define (gcd a b) (if (= b 0) (abs a) (gcd b (remainder a b))))
(define (procedure? x) (or (%closure? x) (%builtin? x)))
(define (modulo a b)
  (let ((rest (remainder a b)))
    (if (or (= rest 0) (eq? (< rest 0) (< b 0))) rest (+ rest b))))
(define (square n) (* n n))
(define (number? n) (or (exact? n) (inexact? n)))
(define (integer? n) (if (exact? n) #t (and (inexact? n) (= n (floor n)))))
(define (expt base n)
  (cond ((not (exact? n)) (exp (* n (log base))))
        ((< n 0) (/ 1 (expt base (- n))))
        ((= n 0) 1)
        ((even? n) (expt (* base base) (quotient n 2)))
        (else (* base (expt base (- n 1))))))
(define exact->inexact inexact)
(define inexact->exact exact)
