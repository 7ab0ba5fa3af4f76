// GMP spells its functions as macros over __gmpz_*; Swift sees only functions, so the few macros get one here.
#pragma once
#include <gmp.h>

static inline int cgmp_sign(mpz_srcptr x) { return mpz_sgn(x); }
static inline int cgmp_is_odd(mpz_srcptr x) { return mpz_odd_p(x); }
static inline int cgmp_rational_sign(mpq_srcptr x) { return mpq_sgn(x); }
static inline mpz_srcptr cgmp_numerator(mpq_srcptr x) { return mpq_numref(x); }
static inline mpz_srcptr cgmp_denominator(mpq_srcptr x) { return mpq_denref(x); }
static inline void cgmp_set_rational(mpq_ptr r, mpz_srcptr n, mpz_srcptr d) {
  mpz_set(mpq_numref(r), n);
  mpz_set(mpq_denref(r), d);
}
