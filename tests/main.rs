//! The one integration-test binary: whole-system tests and the executable rules.
