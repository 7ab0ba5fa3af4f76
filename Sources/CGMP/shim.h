// GMP spells its functions as macros over __gmpz_*; Swift sees only functions, so the few macros get one here.
#pragma once
#include <gmp.h>
