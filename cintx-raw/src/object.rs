//! Reading and writing JSON objects: one visitor for every generated type, and of each type only what is its own.
//! What the derives of `serde` write for the same was most of what the compiler had to check in this crate.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, IgnoredAny, MapAccess};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

/// Reads a field's value into its place. What a type does itself is compiled once for each of its fields, so it is
/// calls alone: no `?`, no closure.
#[inline]
pub(crate) fn fill<'de, T: Deserialize<'de>, A: MapAccess<'de>>(place: &mut T, map: &mut A) -> Result<bool, A::Error> {
    *place = map.next_value()?;
    Ok(true)
}

/// The same for a value that is there though it may be null.
#[inline]
pub(crate) fn fill_some<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    place: &mut Option<T>,
    map: &mut A,
) -> Result<bool, A::Error> {
    *place = Some(map.next_value()?);
    Ok(true)
}

/// What an object requires.
#[inline]
pub(crate) fn must<T, E: de::Error>(value: Option<T>, name: &'static str) -> Result<T, E> {
    value.ok_or_else(|| E::missing_field(name))
}

/// Writes an object. The first error stays and comes out at the end, so that a field is one call.
pub(crate) struct ObjectWriter<S: Serializer>(Result<S::SerializeStruct, S::Error>);

impl<S: Serializer> ObjectWriter<S> {
    /// Begins an object, given of each field whether it is there.
    #[inline]
    pub(crate) fn new(serializer: S, name: &'static str, fields: &[bool]) -> Self {
        Self(serializer.serialize_struct(name, fields.iter().filter(|is_there| **is_there).count()))
    }

    /// A field that is always there.
    #[inline]
    pub(crate) fn always<T: Serialize>(&mut self, name: &'static str, value: &T) {
        if let Ok(object) = &mut self.0
            && let Err(error) = object.serialize_field(name, value)
        {
            self.0 = Err(error);
        }
    }

    /// A field that is there if it has a value.
    #[inline]
    pub(crate) fn optional<T: Serialize>(&mut self, name: &'static str, value: &Option<T>) {
        match (value, &mut self.0) {
            (Some(_), _) => self.always(name, value),
            (None, Ok(object)) => {
                if let Err(error) = object.skip_field(name) {
                    self.0 = Err(error);
                }
            }
            (None, Err(_)) => {}
        }
    }

    #[inline]
    pub(crate) fn end(self) -> Result<S::Ok, S::Error> {
        self.0?.end()
    }
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

/// Reads and writes a type by the names of its fields, in the order in which they are given. `nullable` marks a field
/// that tells null from absence, `always` one that is written as null where it has no value.
/// A type that requires fields is read into a type of its own first, so it says the types of all; it has no default, and
/// is made by `new` where it is not written down in full.
macro_rules! object {
    ($name:ident { $($($mark:ident)* $wire:literal => $field:ident,)* }) => {
        impl $crate::object::Object for $name {
            const NAME: &'static str = stringify!($name);
            type Fields = Self;

            $crate::object::object!(@read $($($mark)* $wire => $field,)*);

            fn finish<E: serde::de::Error>(fields: Self) -> Result<Self, E> {
                Ok(fields)
            }
        }
        $crate::object::object!(@serde $name { $($($mark)* $wire => $field,)* });
    };
    ($name:ident {
        requires { $($required_wire:literal => $required:ident: $required_type:ty,)+ }
        writes { $($($mark:ident)? $written_wire:literal => $written:ident,)+ }
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
                        $($required: $crate::object::must(fields.$required, $required_wire)?,)+
                        $($field: fields.$field,)*
                    })
                }
            }
        };
        $crate::object::object!(@serde $name { $($($mark)? $written_wire => $written,)+ });
    };
    (@read $($($mark:ident)* $wire:literal => $field:ident,)*) => {
        fn read<'de, A: serde::de::MapAccess<'de>>(
            fields: &mut Self::Fields,
            name: &str,
            map: &mut A,
        ) -> Result<bool, A::Error> {
            match name {
                $($wire => $crate::object::object!(@value map fields.$field, $($mark)*),)*
                _ => Ok(false),
            }
        }
    };
    (@value $map:ident $place:expr, nullable $(always)?) => { $crate::object::fill_some(&mut $place, $map) };
    (@value $map:ident $place:expr, $(always)?) => { $crate::object::fill(&mut $place, $map) };
    (@is_there $value:expr, $(nullable)? always) => { true };
    (@is_there $value:expr, $(nullable)?) => { $value.is_some() };
    (@write $object:ident $wire:literal $value:expr, $(nullable)? always) => { $object.always($wire, &$value) };
    (@write $object:ident $wire:literal $value:expr, $(nullable)?) => { $object.optional($wire, &$value) };
    (@serde $name:ident { $($($mark:ident)* $wire:literal => $field:ident,)* }) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let there = [$($crate::object::object!(@is_there self.$field, $($mark)*)),*];
                let mut object = $crate::object::ObjectWriter::new(serializer, stringify!($name), &there);
                $($crate::object::object!(@write object $wire self.$field, $($mark)*);)*
                object.end()
            }
        }
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
    object!(Letter {
        requires { "to" => to: String, }
        writes { "notes" => notes, always "to" => to, }
        "notes" => notes: Option<Vec<Note>>,
    });

    #[derive(Debug, Default, PartialEq)]
    struct Answer {
        id: Option<i64>,
        note: Option<Note>,
        until: Option<Option<i64>>,
    }
    object!(Answer { always "id" => id, "note" => note, nullable always "until" => until, });

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
    fn fields_are_written_in_their_order_and_what_has_no_value_is_left_out() {
        let written = |value: serde_json::Result<String>| value.unwrap();
        let notes = vec![Note::default(), Note { text: Some("a".into()), class: Some(None) }];
        let mut letter = Letter { to: "b".into(), notes: Some(notes) };
        let text = written(serde_json::to_string(&letter));
        assert_eq!(text, r#"{"notes":[{},{"text":"a","Class":null}],"to":"b"}"#);
        assert_eq!(serde_json::from_str::<Letter>(&text).unwrap(), letter);
        letter.notes = None;
        assert_eq!(written(serde_json::to_string_pretty(&letter)), "{\n  \"to\": \"b\"\n}");
        let empty = r#"{"id":null,"until":null}"#;
        assert_eq!(written(serde_json::to_string(&Answer::default())), empty, "what is always written");
        let full = Answer { id: Some(1), note: Some(Note::default()), until: Some(Some(2)) };
        assert_eq!(written(serde_json::to_string(&full)), r#"{"id":1,"note":{},"until":2}"#);
        assert_eq!(serde_json::to_value(full).unwrap(), serde_json::json!({ "id": 1, "note": {}, "until": 2 }));
    }

    #[test]
    fn an_error_in_a_field_comes_out_at_the_end() {
        struct Full;
        impl std::io::Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("no room"))
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let error = serde_json::to_writer(Full, &Letter::new("b".to_owned())).unwrap_err();
        assert_eq!(error.to_string(), "no room");
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
