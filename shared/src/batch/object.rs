//! A value that must be a JSON object. Entry point: [`Object`].
//!
//! Why: a derived struct also accepts a list of its values in order, and a list is no post.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

/// What was read from an object, and from nothing else.
pub(super) struct Object<T>(pub(super) T);

struct OnlyAMap<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OnlyAMap(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyAMap<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}
