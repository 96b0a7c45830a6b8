//! Prints a table and draws it, with labels that are long, wide, and written from right to left:
//! `cargo run -p cintx-quota --example look > table.svg` (the text goes to standard error).

use std::error::Error;

use cintx_quota::{Axis, Colours, Table};

fn main() -> Result<(), Box<dyn Error>> {
    let table = Table::builder()
        .total(1_000)
        .axis(Axis::percentages("age", [("18-34", 30.0), ("三十五歳以上", 30.0), ("55 and older", 40.0)]))
        .axis(Axis::percentages("gender", [("men", 49.0), ("women", 51.0)]))
        .axis(Axis::percentages(
            "region",
            [
                ("北京市朝阳区", 20.0),
                ("القاهرة الكبرى", 25.0),
                ("Donaudampfschifffahrtsgesellschaft", 15.0),
                ("People who bought a refrigerator in the last six months", 40.0),
            ],
        ))
        .exclude(["55 and older", "men", "القاهرة الكبرى"])
        .build()?;
    let solution = table.solve()?;
    eprintln!("{solution}");
    let completes: Vec<u64> =
        solution.cells().iter().enumerate().map(|(cell, target)| target * (cell as u64 * 7 % 23) / 20).collect();
    let in_field = std::env::args().nth(1).is_some_and(|word| word == "fill");
    let colours = if in_field { Colours::Fill(&completes) } else { Colours::Size };
    println!("{}", solution.to_svg("Quotas of a survey: age × gender × region", colours)?);
    Ok(())
}
