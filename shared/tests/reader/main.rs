//! The tests of the reader, through its public interface only: one binary, in which each file asks one question.
//!
//! `corpus` (how well?), `soak` (is chatter left alone?), `mutations` (does a changed call stay what it is?), `properties` and
//! `fuzz` (what holds for every text?), `tables`, `languages`, `habits` (single cases). Data: `../corpus/`, `../reading/`.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod grader;
#[cfg(test)]
mod habits;
#[cfg(test)]
mod languages;
#[cfg(test)]
mod material;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod posts;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod tables;
