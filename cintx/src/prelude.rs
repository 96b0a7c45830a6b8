//! The names that most programs need, in one import: `use cintx::prelude::*`. The client and its versions, the values
//! of a draft, and its audience.

pub use crate::audience::{Audience, Condition, Question, Share};
pub use crate::client::{Client, Credentials};
pub use crate::error::{Error, ErrorKind, Outcome};
pub use crate::supply::Supply;
pub use crate::types::{IncidenceRate, LengthOfInterview, Locale, Money};
pub use crate::version::Version;
pub use crate::version::markers::*;
