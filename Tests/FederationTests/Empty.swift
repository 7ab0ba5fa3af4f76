// The tests of configuration, roster, identities and job plan.
