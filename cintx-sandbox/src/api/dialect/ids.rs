//! Ids that versions spell differently: the older ones show as a UUID what is
//! kept as a ULID, the same number in another form.

use crate::version::Version;

/// The UUID of a ULID; anything else as it is.
pub(crate) fn uuid_of(id: &str) -> String {
    ulid::Ulid::from_string(id).map_or_else(|_| id.to_owned(), |ulid| uuid::Uuid::from_u128(ulid.0).to_string())
}

/// An id as the oldest version shows it, the only one that does so for
/// webhooks and supply templates.
pub(crate) fn shown(version: Version, id: &str) -> String {
    if version == Version::First { uuid_of(id) } else { id.to_owned() }
}

/// The id under which something is kept, from either form.
pub(crate) fn kept(given: &str) -> String {
    uuid::Uuid::try_parse(given).map_or_else(|_| given.to_owned(), |id| ulid::Ulid(id.as_u128()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_lead_to_the_same() {
        let id = "01JP0M57XAWSMNPSW5M62A035H";
        assert_eq!(kept(&shown(Version::First, id)), id);
        assert_eq!(kept(&shown(Version::Third, id)), id);
        assert_eq!(shown(Version::Second, id), id);
    }
}
