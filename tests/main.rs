//! The one integration-test binary: whole-system tests and the executable rules.
//!
//! Read [`layout`] for the rules that the house keeps, [`access`], [`authority`], [`forged`], [`sign_in`], [`passwords`] and [`login`] for who gets in and
//! who may call, [`ingest`], [`feed`], [`reads`], [`gaps`], [`profiles`], [`witnesses`], [`reread`] and
//! [`reread_hard`] for the API through its public interface, [`message_to_fill`] for the straight path, [`discord`] for
//! listening to Discord, [`restart`] for what `kill -9` may not break,
//! [`slow`], [`limits`], [`rights`] and [`tls`] for hostile
//! clients; [`canary`] for what must not be seen of any of it.

mod access;
mod authority;
mod canary;
mod discord;
mod feed;
mod forged;
mod gaps;
mod ingest;
mod layout;
mod limits;
mod login;
mod message_to_fill;
mod openapi;
mod outage;
mod passwords;
mod profiles;
mod reads;
mod reread;
mod reread_hard;
mod restart;
mod rights;
mod sign_in;
mod slow;
mod tls;
mod witnesses;
