//! Reading JSON objects: one visitor for every generated type, and of each type only what is its own.
//! What `derive(Deserialize)` writes for the same was more than half of this crate, expanded.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{self, IgnoredAny, MapAccess};

/// What is read of an object before it is known to be whole.
pub(crate) trait Object: Sized {
    /// The type's name, for errors.
    const NAME: &'static str;
    /// The fields that were read so far.
    type Fields: Default;

    /// Reads a field's value; false if there is no field of this name.
    fn read<'de, A: MapAccess<'de>>(fields: &mut Self::Fields, name: &str, map: &mut A) -> Result<bool, A::Error>;

    /// The object, unless a field that it requires is missing.
    fn finish<E: de::Error>(fields: Self::Fields) -> Result<Self, E>;
}

/// Reads an object. Fields that it does not have are passed over; of a field that comes twice, the last counts.
pub(crate) fn read<'de, T: Object, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Object> de::Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "struct {}", T::NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut fields = T::Fields::default();
        while let Some(name) = map.next_key_seed(FieldName)? {
            if !T::read(&mut fields, &name, &mut map)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        T::finish(fields)
    }
}

/// Reads the name of a field, borrowed from the body where it has no escapes.
pub(crate) struct FieldName;

impl<'de> de::DeserializeSeed<'de> for FieldName {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<'de> de::Visitor<'de> for FieldName {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }

    fn visit_string<E: de::Error>(self, name: String) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name))
    }
}

/// Reads a type by the names of its fields. `nullable` marks a field that tells null from absence.
/// A type that requires fields is read into a type of its own first, so it says the types of all; it has no default, and
/// is made by `new` where it is not written down in full.
macro_rules! object {
    ($name:ident { $($($nullable:ident)? $wire:literal => $field:ident,)* }) => {
        impl $crate::object::Object for $name {
            const NAME: &'static str = stringify!($name);
            type Fields = Self;

            $crate::object::object!(@read $($($nullable)? $wire => $field,)*);

            fn finish<E: serde::de::Error>(fields: Self) -> Result<Self, E> {
                Ok(fields)
            }
        }
        $crate::object::object!(@deserialize $name);
    };
    ($name:ident {
        requires { $($required_wire:literal => $required:ident: $required_type:ty,)+ }
        $($($nullable:ident)? $wire:literal => $field:ident: $type:ty,)*
    }) => {
        impl $name {
            /// With what is required and nothing else; the rest is set on it, or in front of it:
            /// a literal that ends in `..Self::new(..)` need not name the fields that come in later.
            #[allow(clippy::too_many_arguments, reason = "as many as the document requires")]
            pub fn new($($required: $required_type),+) -> Self {
                Self { $($required,)+ $($field: None,)* }
            }
        }

        const _: () = {
            #[derive(Default)]
            pub(crate) struct Fields {
                $($required: Option<$required_type>,)+
                $($field: $type,)*
            }

            impl $crate::object::Object for $name {
                const NAME: &'static str = stringify!($name);
                type Fields = Fields;

                $crate::object::object!(
                    @read $(nullable $required_wire => $required,)+ $($($nullable)? $wire => $field,)*
                );

                fn finish<E: serde::de::Error>(fields: Fields) -> Result<Self, E> {
                    Ok(Self {
                        $($required: fields.$required.ok_or_else(|| E::missing_field($required_wire))?,)+
                        $($field: fields.$field,)*
                    })
                }
            }
        };
        $crate::object::object!(@deserialize $name);
    };
    (@read $($($nullable:ident)? $wire:literal => $field:ident,)*) => {
        fn read<'de, A: serde::de::MapAccess<'de>>(
            fields: &mut Self::Fields,
            name: &str,
            map: &mut A,
        ) -> Result<bool, A::Error> {
            match name {
                $($wire => fields.$field = $crate::object::object!(@value map $($nullable)?),)*
                _ => return Ok(false),
            }
            Ok(true)
        }
    };
    (@value $map:ident nullable) => { Some($map.next_value()?) };
    (@value $map:ident) => { $map.next_value()? };
    (@deserialize $name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::object::read(deserializer)
            }
        }
    };
}
pub(crate) use object;

#[cfg(test)]
#[allow(unreachable_pub, reason = "what the macro writes is for the public types of a version")]
mod tests {
    #[derive(Debug, Default, PartialEq)]
    struct Note {
        text: Option<String>,
        class: Option<Option<i64>>,
    }
    object!(Note { "text" => text, nullable "Class" => class, });

    #[derive(Debug, PartialEq)]
    struct Letter {
        to: String,
        notes: Option<Vec<Note>>,
    }
    object!(Letter { requires { "to" => to: String, } "notes" => notes: Option<Vec<Note>>, });

    fn note(body: &str) -> Result<Note, serde_json::Error> {
        serde_json::from_str(body)
    }

    #[test]
    fn fields_are_read_by_their_names_and_others_passed_over() {
        let read = note(r#"{"other":{"text":1},"te\u0078t":"a","Class":5}"#).unwrap();
        assert_eq!(read, Note { text: Some("a".into()), class: Some(Some(5)) });
        assert_eq!(note("{}").unwrap(), Note::default());
    }

    #[test]
    fn null_is_absence_except_where_they_are_two_things() {
        assert_eq!(note(r#"{"text":null,"Class":null}"#).unwrap(), Note { text: None, class: Some(None) });
    }

    #[test]
    fn of_a_field_that_comes_twice_the_last_counts() {
        assert_eq!(note(r#"{"text":"a","text":"b"}"#).unwrap().text.as_deref(), Some("b"));
    }

    #[test]
    fn what_is_required_and_missing_is_named() {
        let letter = |body: &str| serde_json::from_str::<Letter>(body);
        let read = letter(r#"{"notes":[{"text":"a"}],"to":"b"}"#).unwrap();
        assert_eq!((read.to.as_str(), read.notes.map(|notes| notes.len())), ("b", Some(1)));
        let read = letter(r#"{"to":"b"}"#).unwrap();
        assert_eq!(read, Letter::new("b".to_owned()), "what is optional is left out");
        let error = letter(r#"{"notes":[]}"#).unwrap_err().to_string();
        assert!(error.starts_with("missing field `to`"), "{error}");
    }

    #[test]
    fn another_value_is_no_object() {
        for (body, kind) in [("[]", "sequence"), ("5", "integer `5`"), ("null", "null")] {
            let error = note(body).unwrap_err().to_string();
            assert!(error.starts_with(&format!("invalid type: {kind}, expected struct Note")), "{error}");
        }
    }

    #[test]
    fn a_value_in_memory_is_read_like_a_body() {
        let value = serde_json::json!({ "to": "b", "notes": [{ "Class": 7 }] });
        let read: Letter = serde_json::from_value(value).unwrap();
        assert_eq!(read.notes.unwrap()[0].class, Some(Some(7)));
    }
}
