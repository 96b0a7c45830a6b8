//! The judge itself: every schema of every document compiles, and known
//! requests are accepted or refused at the right place.

use cintx_sandbox::contract::Contract;

#[test]
fn every_schema_of_every_document_compiles() {
    for (date, count) in [("2024-12-02", 140), ("2025-02-17", 149), ("2025-12-18", 158)] {
        let contract = Contract::for_version(date).unwrap();
        assert_eq!(contract.operations().len(), count, "{date}");
        assert_eq!(contract.broken_schemas(), Vec::<String>::new(), "{date}");
    }
}
