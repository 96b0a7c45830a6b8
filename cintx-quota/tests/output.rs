//! What people look at: text, CSV and SVG with long, Chinese, Arabic and combining labels; and serde.

#![allow(clippy::panic, clippy::unwrap_used)] // Helpers of tests, too, fail by panicking.

use cintx_quota::{Axis, Colours, Solution, Table, TableError};

fn languages() -> Solution {
    Table::builder()
        .axis(Axis::counts("年齢 age", [("18-34", 60), ("三十五歳以上", 40)]))
        .axis(Axis::counts("region", [("北京市", 50), ("القاهرة الكبرى", 30), ("Baden-Württemberg", 20)]))
        .exclude(["18-34", "北京市"])
        .at_most(["三十五歳以上", "القاهرة الكبرى"], 0)
        .at_least(["18-34", "Baden-Württemberg"], 0)
        .build()
        .map(|table| table.solve())
        .unwrap()
        .unwrap_or_else(|_| four_by_three())
}

fn four_by_three() -> Solution {
    Table::builder()
        .axis(Axis::counts("年齢 age", [("18-34", 60), ("三十五歳以上", 40)]))
        .axis(Axis::counts("region", [("北京市", 50), ("القاهرة", 30), ("Wu\u{308}rzburg", 20)]))
        .exclude(["18-34", "القاهرة"])
        .build()
        .unwrap()
        .solve()
        .unwrap()
}

#[test]
fn text_stands_in_columns_whatever_the_script() {
    let expected = "\
年齢 age      北京市  \u{2068}القاهرة\u{2069}  Wu\u{308}rzburg  total
18-34             43        -        17     60
三十五歳以上       7       30         3     40
total             50       30        20    100";
    assert_eq!(four_by_three().to_string(), expected);
}

#[test]
fn one_and_three_axes_are_printed_too() {
    let one = Table::builder().axis(Axis::counts("age", [("18-34", 60), ("35+", 40)])).build().unwrap();
    assert_eq!(one.solve().unwrap().to_string(), "age    total\n18-34     60\n35+       40\ntotal    100");
    let three = Table::builder()
        .axis(Axis::counts("age", [("18-34", 60), ("35+", 40)]))
        .axis(Axis::counts("gender", [("men", 50), ("women", 50)]))
        .axis(Axis::counts("region", [("North", 30), ("South", 70)]))
        .build()
        .unwrap();
    let expected = "\
age    gender  North  South  total
18-34  men         9     21     30
18-34  women       9     21     30
35+    men         6     14     20
35+    women       6     14     20
total             30     70    100";
    assert_eq!(three.solve().unwrap().to_string(), expected);
}

#[test]
fn no_label_becomes_a_formula_or_breaks_a_line() {
    let table = Table::builder()
        .axis(Axis::counts("@name", [("=cmd|' /C calc'!A0", 1), (" +1", 1), ("-2", 1), ("a \"b\"\nc", 1), ("\t=x", 1)]))
        .build()
        .unwrap();
    let solution = table.solve().unwrap();
    let csv = solution.to_csv();
    assert_eq!(
        csv,
        "'@name,count,fit\r\n'=cmd|' /C calc'!A0,1,1\r\n' +1,1,1\r\n'-2,1,1\r\n\"a \"\"b\"\"\nc\",1,1\r\n\"'\t=x\",1,1\r\n"
    );
    assert_eq!(solution.to_string().lines().count(), 7);
}

/// Every element is closed, and no label can open one.
fn check_markup(svg: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = svg;
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'), "{}", &rest[..at]);
        let end = rest[at..].find('>').unwrap() + at;
        let tag = &rest[at + 1..end];
        match (tag.strip_prefix('/'), tag.ends_with('/')) {
            (Some(name), _) => assert_eq!(open.pop(), Some(name)),
            (None, true) => {}
            (None, false) => open.push(tag.split(' ').next().unwrap()),
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty());
}

#[test]
fn a_heat_map_fits_its_headers_and_says_what_its_colours_mean() {
    let long = "People who bought a refrigerator in the last six months <&>";
    let table = Table::builder()
        .axis(Axis::counts("age", [("18-34", 60), (long, 40)]))
        .axis(Axis::counts(
            "region",
            [("Donaudampfschifffahrtsgesellschaft", 50), ("北京市朝阳区建国门外大街一号", 50)],
        ))
        .exclude(["18-34", "北京市朝阳区建国门外大街一号"])
        .build();
    let Ok(table) = table else { panic!("it can be asked for") };
    assert!(table.solve().is_err());
    for solution in [languages(), four_by_three()] {
        let cells = solution.cells().len();
        for colours in [Colours::Size, Colours::Fill(&vec![3; cells])] {
            let svg = solution.to_svg("2026 & later <draft>", colours).unwrap();
            check_markup(&svg);
            let sums = solution.labels(0).len() + solution.labels(1).len() + 1;
            let legend = svg.matches("width=\"100\"").count();
            assert_eq!(svg.matches("<rect").count(), cells + sums + 1 + legend, "cells, sums, background and legend");
            assert!(svg.contains("2026 &amp; later &lt;draft&gt;") && svg.contains("linearGradient"));
            assert!(svg.contains(">region</text>"), "what the columns are");
        }
    }
    let refused = four_by_three().to_svg("", Colours::Fill(&[1])).unwrap_err();
    assert!(matches!(refused, TableError::Length { given: 1, expected: 6, .. }));
    let one = Table::builder().axis(Axis::counts("age", [("18-34", 60), (long, 40)])).build().unwrap().solve().unwrap();
    let svg = one.to_svg("One axis", Colours::Size).unwrap();
    check_markup(&svg);
    assert!(svg.contains("&lt;&amp;&gt;") && svg.contains(">People who</text>"), "{svg}");
}

#[cfg(feature = "serde")]
#[test]
fn a_plan_can_be_kept_and_read_back() {
    let table = Table::builder()
        .axis(Axis::counts("age", [("18-34", 50), ("35+", 50)]))
        .axis(Axis::counts("region", [("North", 50), ("South", 50)]))
        .build()
        .unwrap();
    let plan = table.rebalance(&[25, 25, 25, 25], &[28, 10, 12, 9], &[]).unwrap();
    let kept = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<cintx_quota::Plan>(&kept).unwrap(), plan);
    let solution = serde_json::to_value(table.solve().unwrap()).unwrap();
    assert_eq!(solution["cells"], serde_json::json!([25, 25, 25, 25]));
    assert_eq!(solution["labels"][1][0], "North");
}
