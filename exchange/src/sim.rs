//! The paper exchange.
