//! Cells that rounding left without anybody are named, and are not mistaken for cells that were excluded.

#![allow(clippy::panic, clippy::unwrap_used)] // Helpers of tests, too, fail by panicking.

use cintx_quota::{Axis, Joint, Table};

#[test]
fn cells_rounded_to_nothing_are_named_with_what_they_were_worth() {
    let table = Table::builder()
        .total(100)
        .axis(Axis::shares("age", [("young", 97.0), ("old", 2.0), ("oldest", 1.0)]))
        .axis(Axis::shares("region", [("North", 60.0), ("South", 30.0), ("West", 10.0)]))
        .exclude(["oldest", "South"])
        .build()
        .unwrap();
    let solution = table.solve().unwrap();
    assert_eq!(solution.excluded(), [vec![2, 1]]);
    let vanished = solution.rounded_to_nothing();
    let positions: Vec<&[usize]> = vanished.iter().map(|cell| cell.position.as_slice()).collect();
    let expected = solution.iter().filter(|(position, count)| *count == 0 && *position != [2, 1]);
    let expected: Vec<Vec<usize>> = expected.map(|(position, _)| position).collect();
    assert_eq!(positions, expected);
    assert!(!vanished.is_empty());
    for cell in &vanished {
        let fit = solution.fit().cells[cell.position[0] * 3 + cell.position[1]];
        assert!(cell.people > 0.0 && cell.people < 1.0 && cell.people == fit, "{cell:?}");
        assert_eq!(cell.labels, [0, 1].map(|axis| table.labels(axis)[cell.position[axis]].as_str()));
    }
    let west = vanished.iter().find(|cell| cell.labels == ["oldest", "West"]).unwrap();
    assert!(west.to_string().starts_with("oldest × West: 0.1"), "{west}");
}

#[test]
fn a_category_that_nobody_asked_for_is_not_rounded_to_nothing() {
    let table = Table::builder()
        .axis(Axis::counts("age", [("young", 10), ("old", 0)]))
        .axis(Axis::counts("region", [("North", 5), ("South", 5)]))
        .build()
        .unwrap();
    let solution = table.solve().unwrap();
    assert!(solution.rounded_to_nothing().is_empty() && solution.excluded().is_empty());
}

/// A category may be too small for the total by itself: then its cells have no part in the fit, and are named all the
/// same, with what its share of each other category is worth.
#[test]
fn cells_of_a_category_that_was_rounded_to_nothing_are_named() {
    let table = Table::builder()
        .total(100)
        .axis(Axis::shares("age", [("young", 99.6), ("oldest", 0.4), ("nobody", 0.0)]))
        .axis(Axis::shares("region", [("North", 75.0), ("South", 25.0)]))
        .build()
        .unwrap();
    let said: Vec<String> = table.solve().unwrap().rounded_to_nothing().iter().map(ToString::to_string).collect();
    let expected =
        ["oldest × North: 0.30 of a person asked for, 0 given", "oldest × South: 0.10 of a person asked for, 0 given"];
    assert_eq!(said, expected);
}

/// The same of combinations that are known together: none of their cells has a part in the fit.
#[test]
fn cells_of_a_combination_that_was_rounded_to_nothing_are_named() {
    let table = Table::builder()
        .total(100)
        .axis(Axis::labels("age", ["young", "old"]))
        .axis(Axis::labels("gender", ["men", "women"]))
        .axis(Axis::shares("region", [("North", 75.0), ("South", 25.0)]))
        .joint(Joint::shares(["age", "gender"], [50.0, 49.6, 0.4, 0.0]))
        .build()
        .unwrap();
    let said: Vec<String> = table.solve().unwrap().rounded_to_nothing().iter().map(ToString::to_string).collect();
    let expected = [
        "old × men × North: 0.30 of a person asked for, 0 given",
        "old × men × South: 0.10 of a person asked for, 0 given",
    ];
    assert_eq!(said, expected);
}
