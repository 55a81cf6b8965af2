//! JSON as the API's description has it: where it says object, an array is refused. serde takes the fields of a struct from an
//! array, too, in their order, so that `[null, null]` would be a post's embed. Where it says integer, `2.0` is one.
//!
//! Entry point: [`Strict`], around a deserializer of JSON. Keys, and what stands inside the variants of an enum, are not
//! looked at: our requests have no structs there.

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Wraps whatever takes part in reading: a deserializer, a visitor, a seed, or what leads to the next value.
pub(super) struct Strict<T>(pub(super) T);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Strict(visitor))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(Strict(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(Strict(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_ignored_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

/// Hands a plain value on as it is.
macro_rules! as_it_is {
    ($($method:ident: $value:ty;)*) => {
        $(fn $method<E: Error>(self, value: $value) -> Result<V::Value, E> {
            self.0.$method(value)
        })*
    };
}

/// The whole number that this is, if it is one that needs no rounding.
fn whole(value: f64) -> Option<i64> {
    // Up to here every whole number has a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let is_whole = value.fract() == 0.0 && (-EXACT..=EXACT).contains(&value);
    #[expect(clippy::cast_possible_truncation, reason = "checked in the line above")]
    is_whole.then_some(value as i64)
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.expecting(f)
    }

    as_it_is! {
        visit_bool: bool; visit_i64: i64; visit_i128: i128; visit_u64: u64; visit_u128: u128;
        visit_str: &str; visit_borrowed_str: &'de str; visit_string: String;
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        match whole(value) {
            Some(whole) => self.0.visit_i64(whole),
            None => self.0.visit_f64(value),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Strict(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Strict(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Strict(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Strict(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(variant)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(deserializer))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Plain,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Inner {
        a: Option<String>,
        b: Option<i64>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Whole {
        list: Vec<Inner>,
        one: Option<Inner>,
        pair: (u8, bool),
        kind: Option<Kind>,
    }

    fn read(json: &str) -> Result<Whole, String> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        serde_path_to_error::deserialize(Strict(&mut deserializer)).map_err(|error| error.to_string())
    }

    #[test]
    fn objects_are_read_as_ever_and_arrays_in_their_place_are_refused_with_the_path() {
        let good = r#"{"list":[{"a":"x"},{"b":-1.0}],"one":{},"pair":[1,true],"kind":"plain"}"#;
        let whole = read(good).unwrap();
        assert_eq!((whole.list[0].a.as_deref(), whole.list[1].b), (Some("x"), Some(-1)));
        assert_eq!(
            (whole.one, whole.pair, whole.kind),
            (Some(Inner::default()), (1, true), Some(Kind::Plain))
        );
        for (json, path) in [
            (r#"{"list":[[null,null]],"one":null,"pair":[1,true]}"#, "list[0]"),
            (r#"{"list":[],"one":["x",1],"pair":[1,true]}"#, "one"),
            (r#"[[],null,[1,true],null]"#, "invalid type: sequence"),
            (r#"{"list":[{"a":1}],"one":null,"pair":[1,true]}"#, "list[0].a"),
            (r#"{"list":[{"b":1.5}],"one":null,"pair":[1,true]}"#, "list[0].b"),
            (r#"{"list":[{"b":1e300}],"one":null,"pair":[1,true]}"#, "list[0].b"),
            (r#"{"list":[{"c":1}],"one":null,"pair":[1,true]}"#, "list[0].c"),
            (r#"{"list":[],"one":null,"pair":[1,true],"kind":"other"}"#, "kind"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.starts_with(path), "{json}: {error}");
        }
    }
}
