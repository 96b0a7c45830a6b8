//! Interlocked quotas from targets to a table to look at: `cargo run --example quota_table`.
//! Prints the table, the same with cells excluded and bounded, a re-balancing in field, and writes CSV and SVG.

use std::error::Error;

use cintx::audience::{Audience, Interlock, Question};

fn main() -> Result<(), Box<dyn Error>> {
    let age = Question::range(42).band(18..=34, "33.33").band(35..=54, "33.33").band(55..=99, "33.34");
    let gender = Question::choice(43).option("1", 49).option("2", 51);
    let ethnicity = Question::choice(113).option("1", 60).option("2", 25).options("the others", ["3", "4"], 15);

    println!("Age × gender, 500 completes:\n");
    let table = Audience::interlock([age.clone(), gender.clone()]).quota_table(500)?;
    println!("{table}\n");

    println!("Three questions, one cell excluded, one with at least 40:\n");
    let crossed = Interlock::of([age.clone(), gender.clone(), ethnicity]).exclude([2, 1, 2]).at_least([0, 0, 1], 40);
    println!("{}\n", Audience::interlock(crossed).quota_table(1_000)?);

    println!("And where it cannot be:\n");
    let crossed = Interlock::of([age, gender]).exclude([0, 0]).at_most([0, 1], 80);
    match Audience::interlock(crossed).quota_table(500) {
        Ok(table) => println!("{table}"),
        Err(error) => println!("{error}"),
    }

    let folder = std::env::temp_dir();
    for (name, text) in [("cintx-quotas.csv", table.to_csv()), ("cintx-quotas.svg", table.to_svg())] {
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        println!("\nwritten: {}", path.display());
    }
    Ok(())
}
