//! Who delivers respondents.

/// Which suppliers may send respondents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supply(pub(crate) SupplyKind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SupplyKind {
    OpenExchange,
    Only { name: String, suppliers: Vec<i64> },
}

impl Supply {
    /// The supplier that Cint has for tests.
    pub const TEST_SUPPLIER: i64 = 980;

    /// Every supplier of the exchange.
    pub fn open_exchange() -> Self {
        Self(SupplyKind::OpenExchange)
    }

    /// These suppliers and no other.
    pub fn only(name: impl Into<String>, suppliers: impl IntoIterator<Item = i64>) -> Self {
        Self(SupplyKind::Only { name: name.into(), suppliers: suppliers.into_iter().collect() })
    }

    /// Cint's test supplier and no other: nothing is bought.
    pub fn test_supplier_only() -> Self {
        Self::only("Test supplier only", [Self::TEST_SUPPLIER])
    }
}
