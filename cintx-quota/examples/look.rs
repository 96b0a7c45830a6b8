//! Prints tables and draws them, with labels that are long, wide, and written from right to left:
//! `cargo run -p cintx-quota --example look FOLDER` writes SVGs to a folder; the text goes to standard output.

use std::error::Error;
use std::path::PathBuf;

use cintx_quota::{Axis, Colours, Solution, Table};

const LONG: &str = "People who bought a refrigerator in the last six months";

fn three_axes() -> Result<Solution, Box<dyn Error>> {
    let regions =
        [("北京市朝阳区", 20.0), ("القاهرة الكبرى", 25.0), ("Donaudampfschifffahrtsgesellschaft", 15.0), (LONG, 40.0)];
    let table = Table::builder()
        .total(1_000)
        .axis(Axis::percentages("age", [("18-34", 30.0), ("三十五歳以上", 30.0), ("55 and older", 40.0)]))
        .axis(Axis::percentages("gender", [("men", 49.0), ("women", 51.0)]))
        .axis(Axis::percentages("region", regions))
        .exclude(["55 and older", "men", "القاهرة الكبرى"]);
    Ok(table.build()?.solve()?)
}

fn arabic_and_chinese() -> Result<Solution, Box<dyn Error>> {
    let regions = [("القاهرة", 400), ("الإسكندرية والساحل الشمالي", 350), ("صعيد مصر", 250)];
    let ages = [("١٨-٣٤", 500), ("北京市朝阳区建国门外大街一号及周边地区", 300), (LONG, 200)];
    Ok(Table::builder()
        .axis(Axis::counts("العمر", ages))
        .axis(Axis::counts("المنطقة الجغرافية للمشارك", regions))
        .build()?
        .solve()?)
}

fn one_axis() -> Result<Solution, Box<dyn Error>> {
    Ok(Table::builder()
        .axis(Axis::counts("age", [("18-34", 300), (LONG, 699), ("Mecklenburg-Vorpommern", 1)]))
        .build()?
        .solve()?)
}

fn wide() -> Result<Solution, Box<dyn Error>> {
    let ages = (0..6).map(|at| (format!("{}-{}", 18 + 8 * at, 25 + 8 * at), 1.0 + f64::from(at % 3)));
    let states = (0..16).map(|at| (format!("State {at}"), 1.0 + f64::from(at * 7 % 5)));
    Ok(Table::builder()
        .total(12_000)
        .axis(Axis::shares("age", ages))
        .axis(Axis::shares("st", states))
        .build()?
        .solve()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("which folder?")?);
    let tables = [("three", three_axes()?), ("arabic", arabic_and_chinese()?), ("one", one_axis()?), ("wide", wide()?)];
    for (name, solution) in tables {
        println!("{solution}\n");
        let came = |(cell, target): (usize, &u64)| target * (cell as u64 * 7 % 23) / 20;
        let completes: Vec<u64> = solution.cells().iter().enumerate().map(came).collect();
        for (kind, colours) in [("size", Colours::Size), ("fill", Colours::Fill(&completes))] {
            let svg = solution.to_svg("Quotas of a survey: 年齢 × gender × المنطقة", colours)?;
            std::fs::write(folder.join(format!("{name}-{kind}.svg")), svg)?;
        }
    }
    Ok(())
}
