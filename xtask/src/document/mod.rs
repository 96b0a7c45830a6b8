//! What import and regen share: reading a document, its grammar, the problems found in it,
//! the overlays that correct it, and the index of the imported ones.

pub(crate) mod index;
pub(crate) mod overlay;
pub(crate) mod problem;
pub(crate) mod source;
pub(crate) mod tree;
