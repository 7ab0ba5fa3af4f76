/*
 * One or two attempts of a round (spec/03-phases.md) under a malicious server with NC colluding sites.
 *
 * Honest sites are 0 .. H-1, colluders H .. N-1. A set of sites is a bit set. The server is the only process: it shows each
 * honest site what it likes, as often and in whatever order it likes, or nothing more, which is what a crash looks like from
 * outside. It has no honest site's signature but those that were given. Colluders sign everything and give all their shares.
 *
 * Left out, because a server gains nothing by them that this model does not grant it already: phases 0 to 2b (any U2 of
 * at least T sites may be shown to anybody), and the bytes. Cryptography is ideal.
 *
 * Compile with -DMUTANT_<name> for a site that lacks one rule; each must be found (tools/model). README.md names the properties P1 to P7.
 */

#ifndef N
#define N 5
#endif
#ifndef NC
#define NC 1
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 1
#endif

#define H (N - NC)
#define ALL ((1 << N) - 1)
#define HONEST ((1 << H) - 1)
#define COLLUDERS (ALL ^ HONEST)

#define MAJORITY ((N + NC) / 2 + 1)
#define TWO_THIRDS (2 * N / 3 + 1)
#ifdef MUTANT_LOW_THRESHOLD
/* Two sets of this many signers need not share an honest site. */
#define T ((N + NC) / 2)
#else
#define T (MAJORITY > TWO_THIRDS -> MAJORITY : TWO_THIRDS)
#endif

#define HAS(set, i) (((set) >> (i)) & 1)
#define WITH(set, i) ((set) | (1 << (i)))
#define WITHIN(set, other) (((set) & (other)) == (set))
#define SIZE(set) (((set) & 1) + HAS(set, 1) + HAS(set, 2) + HAS(set, 3) + HAS(set, 4) + HAS(set, 5) + HAS(set, 6))

/* Where an honest site is in its attempt: what it awaits. */
#define U2_DUE 0
#define U3_DUE 1
#define SIGNATURES_DUE 2
#define OVER 3

byte phase[H];
byte attempt[H];
/* The site's process was started anew since its input of the first attempt: it has those integers no more. */
bool restarted[H];

/* What the site's disk holds, by attempt and site. */
#define AT(a, i) ((a) * H + (i))
bool recorded_input[ATTEMPTS * H];
byte recorded_u3[ATTEMPTS * H];
bool recorded_reveal[ATTEMPTS * H];

/* What has left honest sites, and so what the server knows. */
byte input_u2[ATTEMPTS * H];      /* U2 for which the input is masked; 0: none left */
byte payloads[ATTEMPTS * H];      /* different payloads under the same masks */
bool other_integers[ATTEMPTS * H];
byte signed_u3[ATTEMPTS * H];     /* U3 signed; the hash has U2 too, which is input_u2 */
byte other_u3[ATTEMPTS * H];      /* a second one: mutants only */
byte revealed_self[ATTEMPTS * H]; /* sites whose self-mask's share this one revealed */
byte revealed_key[ATTEMPTS * H];  /* sites whose mask key's share this one revealed */

/* Working variables of the one process, zero between events. */
hidden byte i, j, v, s, a, signatures, members, shares_self, shares_key;
hidden byte opened_first, opened_second;

/* The rules that mutants lack. */
#ifdef MUTANT_U2_NOT_COMPARED
#define SAME_U2 true
#else
#define SAME_U2 (input_u2[AT(a, j)] == input_u2[AT(a, i)])
#endif
#if defined(MUTANT_SIGNERS_OUTSIDE) || defined(MUTANT_OUTSIDE_SURVIVORS)
#define OWN_SURVIVOR true
#else
#define OWN_SURVIVOR HAS(s, i)
#endif
#ifdef MUTANT_SIGNERS_OUTSIDE
/* Both rules are gone: each makes up for the other, but that a site outside U3 may then reveal. */
#define COUNTED_MEMBER true
#define COLLUDING_SIGNERS NC
#else
#define COUNTED_MEMBER HAS(s, j)
#define COLLUDING_SIGNERS SIZE(s & COLLUDERS)
#endif
#if defined(MUTANT_NO_QUORUM)
#define QUORUM true
#elif defined(MUTANT_SMALL_SURVIVORS)
/* "All survivors have signed", however few. */
#define QUORUM (signatures + COLLUDING_SIGNERS == SIZE(s))
#else
#define QUORUM (signatures + COLLUDING_SIGNERS >= T)
#endif
#ifdef MUTANT_SMALL_SURVIVORS
#define LARGE_ENOUGH true
#else
#define LARGE_ENOUGH (SIZE(s) >= T)
#endif
#if ATTEMPTS == 1 || defined(MUTANT_RETRY_OVER_OTHERS)
#define UNBOUND true
#else
#define UNBOUND (a == 0 || !recorded_reveal[AT(0, i)] || s == recorded_u3[AT(0, i)])
#endif

/* signatures = honest ones of attempt a over (input_u2 of i, s). */
inline count_signatures() {
  signatures = 0;
  for (j : 0 .. H - 1) {
    if
    :: COUNTED_MEMBER && (signed_u3[AT(a, j)] == s || other_u3[AT(a, j)] == s) && SAME_U2 -> signatures++
    :: else
    fi
  }
}

/* members = honest members of s that signed it, in attempt a: what T signatures of members are at least. */
inline count_members() {
  members = 0;
  for (j : 0 .. H - 1) {
    if
    :: HAS(s, j) && (signed_u3[AT(a, j)] == s || other_u3[AT(a, j)] == s) -> members++
    :: else
    fi
  }
}

/* Phase 3. The record is on disk before the input leaves. */
inline show_mask_set() {
  if
  :: HAS(s, i) && SIZE(s) >= T ->
#ifndef MUTANT_RECORD_AFTER_INPUT
     recorded_input[AT(a, i)] = true;
#endif
     input_u2[AT(a, i)] = s;
     payloads[AT(a, i)]++;
     assert(recorded_input[AT(a, i)]);            /* P4: recorded (later: charged) before it leaves */
     phase[i] = U3_DUE
  :: else
  fi
}

/* True if every honest member of s has an input that site i accepts beside its own. */
inline check_inputs() {
  v = 1;
  for (j : 0 .. H - 1) {
    if
    :: HAS(s, j) && (input_u2[AT(a, j)] == 0 || !SAME_U2) -> v = 0
    :: else
    fi
  }
}

/* Phase 4. */
inline show_survivors() {
  check_inputs();
  if
  :: v && WITHIN(s, input_u2[AT(a, i)]) && OWN_SURVIVOR && LARGE_ENOUGH && UNBOUND ->
     recorded_u3[AT(a, i)] = s;
     if
     :: signed_u3[AT(a, i)] == 0 -> signed_u3[AT(a, i)] = s
     :: signed_u3[AT(a, i)] != 0 && signed_u3[AT(a, i)] != s -> other_u3[AT(a, i)] = s
     :: else
     fi;
     assert(other_u3[AT(a, i)] == 0);             /* P3: no second U3 is signed for one ctx */
     phase[i] = SIGNATURES_DUE
  :: else
  fi;
  v = 0
}

/* Phase 5. */
inline show_signatures() {
  s = recorded_u3[AT(a, i)];
  count_signatures();
  if
  :: QUORUM ->
     recorded_reveal[AT(a, i)] = true;
     revealed_self[AT(a, i)] = revealed_self[AT(a, i)] | s;
#ifdef MUTANT_BOTH_SHARES
     revealed_key[AT(a, i)] = revealed_key[AT(a, i)] | input_u2[AT(a, i)];
#else
     revealed_key[AT(a, i)] = revealed_key[AT(a, i)] | (input_u2[AT(a, i)] & (ALL ^ s));
#endif
     count_members();
     assert(members >= T - NC);                   /* P2: no reveal without T signatures by its members on one U3 */
     assert(HAS(s, i));                           /* P2: nor by a site outside it */
     assert((revealed_self[AT(a, i)] & revealed_key[AT(a, i)]) == 0);  /* P1: never both shares of one site */
     assert(SIZE(s & HONEST) >= T - NC);          /* P2: so enough honest inputs are in the sum */
     for (j : 0 .. H - 1) {
       assert(!HAS(s, j) || input_u2[AT(a, j)] == input_u2[AT(a, i)])  /* P5: equal U2 where masks must cancel */
     }
#ifdef MUTANT_ANSWERS_AGAIN
     phase[i] = U3_DUE
#else
     phase[i] = OVER
#endif
  :: else
  fi;
  s = 0;
  members = 0;
  signatures = 0
}

/* What the server can do with all that it has. */
inline check_secrecy() {
  for (a : 0 .. ATTEMPTS - 1) {
    for (v : 0 .. H - 1) {
      shares_self = NC;
      shares_key = NC;
      for (j : 0 .. H - 1) {
        shares_self = shares_self + HAS(revealed_self[AT(a, j)], v);
        shares_key = shares_key + HAS(revealed_key[AT(a, j)], v)
      }
      /* P1: no input lies open. */
#ifdef MUTANT_NO_SELF_MASK
      assert(!(shares_key >= T && input_u2[AT(a, v)] != 0));
#else
      assert(!(shares_self >= T && shares_key >= T && input_u2[AT(a, v)] != 0));
#endif
      /* P7: nothing else leaves under masks that were used. */
      assert(payloads[AT(a, v)] <= 1);
      shares_self = 0;
      shares_key = 0
    }
  }
  a = 0;
  v = 0;
  j = 0
}

/* The set of attempt a whose sum the server can open: T - NC honest sites revealed for it. */
inline find_opened(set) {
  set = 0;
  for (i : 0 .. H - 1) {
    shares_self = NC;
    for (j : 0 .. H - 1) {
      if
      :: recorded_reveal[AT(a, i)] && recorded_reveal[AT(a, j)] && recorded_u3[AT(a, i)] == recorded_u3[AT(a, j)] && SAME_U2 ->
         shares_self++
      :: else
      fi
    }
    if
    :: recorded_reveal[AT(a, i)] && shares_self >= T -> set = recorded_u3[AT(a, i)]
    :: else
    fi
  }
  shares_self = 0;
  i = 0;
  j = 0
}

#ifdef REACH_SUM
/* Violated on purpose: shows that the model gets to a sum at all. */
inline check_reach() {
  a = ATTEMPTS - 1;
  find_opened(opened_first);
  assert(opened_first == 0);
  a = 0
}
#endif

#if ATTEMPTS == 2
/* P6: two sums of one round over the same weights tell nothing that one of them does not. */
inline check_attempts() {
  a = 0;
  find_opened(opened_first);
  a = 1;
  find_opened(opened_second);
  if
  :: opened_first != 0 && opened_second != 0 ->
     assert((opened_first & HONEST) == (opened_second & HONEST));
     for (v : 0 .. H - 1) { assert(!HAS(opened_second, v) || !other_integers[AT(1, v)]) }
  :: else
  fi;
  opened_first = 0;
  opened_second = 0;
  a = 0;
  v = 0
}

/* A plan of the second attempt ends the first one at this site. */
inline next_attempt() {
  if
  :: restarted[i] = true
  :: skip
  fi;
  attempt[i] = 1;
  phase[i] = U2_DUE;
  if
  :: restarted[i] && recorded_input[AT(0, i)] ->
#ifdef MUTANT_RETRAINS
     other_integers[AT(1, i)] = true
#else
     phase[i] = OVER   /* it cannot give the same integers, so it gives none */
#endif
  :: else
  fi
}
#endif

active proctype server() {
  do
  :: atomic {
       select(i : 0 .. H - 1);
       a = attempt[i];
       if
       :: phase[i] == U2_DUE ->
#if ATTEMPTS == 2
          s = ALL;   /* differing U2 are the first form's matter */
#else
          select(s : 0 .. ALL);
#endif
          show_mask_set()
#ifdef MUTANT_REENCODES
       :: phase[i] == U3_DUE -> payloads[AT(a, i)] = 2
#endif
#ifdef MUTANT_SECOND_SURVIVORS
       :: phase[i] == SIGNATURES_DUE -> select(s : 0 .. ALL); show_survivors()
#endif
       :: phase[i] == U3_DUE -> select(s : 0 .. ALL); show_survivors()
       :: phase[i] == SIGNATURES_DUE -> show_signatures()
#ifdef MUTANT_TAKES_UP_AGAIN
       /* ctx was not on disk: after a crash the site accepts it anew. */
       :: phase[i] != U2_DUE -> phase[i] = U2_DUE
#endif
#ifdef MUTANT_FORGETS_SIGNATURE
       /* The secrets were on disk and the signed U3 was not: after a crash the site goes on behind its input. */
       :: phase[i] == SIGNATURES_DUE -> phase[i] = U3_DUE
#endif
#if ATTEMPTS == 2
       :: attempt[i] == 0 -> next_attempt()
#endif
       :: else
       fi;
       s = 0;
       check_secrecy();
#ifdef REACH_SUM
       check_reach();
#endif
#if ATTEMPTS == 2
       check_attempts();
#endif
       i = 0;
       j = 0
     }
  od
}
