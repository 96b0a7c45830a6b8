//! National samples of five countries, age × gender × region × education, with no cell under 5, as a table in Markdown:
//! `cargo run --release -p cintx-quota --example national`. What had to be merged for it, and why.

use std::error::Error;
use std::time::Duration;

use cintx_quota::{Axis, Budget, Joint, SolveError, Table};

const AGES: [&str; 6] = ["18-24", "25-34", "35-44", "45-54", "55-64", "65+"];
const GENDERS: [&str; 2] = ["men", "women"];
const EDUCATION: [&str; 3] = ["low", "middle", "high"];
const SMALLEST_CELL: u64 = 5;

/// Adults of a country, in approximate shares: percent. They are close to what the statistical offices publish, and no
/// substitute for looking it up before a study.
struct Country {
    name: &'static str,
    ages: [f64; 6],
    /// The women of each age.
    women: [f64; 6],
    /// Low and high education of each age.
    education: [(f64, f64); 6],
    /// Neighbours next to each other.
    regions: &'static [(&'static str, f64)],
}

const COUNTRIES: [Country; 5] = [
    Country {
        name: "United Kingdom",
        ages: [10.5, 17.2, 16.2, 16.8, 15.8, 23.5],
        women: [49.0, 50.5, 51.0, 51.0, 51.0, 54.0],
        education: [(13.0, 33.0), (11.0, 55.0), (14.0, 54.0), (17.0, 45.0), (22.0, 38.0), (38.0, 28.0)],
        regions: &[
            ("Northern Ireland", 2.8),
            ("Scotland", 8.1),
            ("North East", 4.0),
            ("North West", 11.1),
            ("Yorkshire and the Humber", 8.2),
            ("East Midlands", 7.3),
            ("East of England", 9.5),
            ("London", 13.1),
            ("South East", 13.9),
            ("South West", 8.5),
            ("Wales", 4.6),
            ("West Midlands", 8.9),
        ],
    },
    Country {
        name: "Germany",
        ages: [9.0, 15.1, 15.4, 15.4, 18.5, 26.6],
        women: [48.0, 48.5, 49.5, 50.0, 50.5, 56.0],
        education: [(30.0, 14.0), (15.0, 38.0), (15.0, 36.0), (14.0, 29.0), (14.0, 27.0), (20.0, 22.0)],
        regions: &[
            ("Hamburg", 2.2),
            ("Schleswig-Holstein", 3.5),
            ("Mecklenburg-Vorpommern", 1.9),
            ("Brandenburg", 3.1),
            ("Berlin", 4.5),
            ("Sachsen-Anhalt", 2.6),
            ("Sachsen", 4.8),
            ("Thüringen", 2.5),
            ("Hessen", 7.6),
            ("Niedersachsen", 9.7),
            ("Bremen", 0.8),
            ("Nordrhein-Westfalen", 21.5),
            ("Rheinland-Pfalz", 4.9),
            ("Saarland", 1.2),
            ("Baden-Württemberg", 13.4),
            ("Bayern", 15.9),
        ],
    },
    Country {
        name: "France",
        ages: [10.3, 14.6, 15.6, 16.3, 15.9, 27.3],
        women: [49.0, 50.5, 51.0, 50.5, 51.5, 56.5],
        education: [(18.0, 30.0), (11.0, 50.0), (13.0, 48.0), (18.0, 38.0), (28.0, 27.0), (50.0, 18.0)],
        regions: &[
            ("Hauts-de-France", 9.2),
            ("Normandie", 5.1),
            ("Bretagne", 5.2),
            ("Pays de la Loire", 5.9),
            ("Centre-Val de Loire", 3.9),
            ("Île-de-France", 18.8),
            ("Grand Est", 8.5),
            ("Bourgogne-Franche-Comté", 4.3),
            ("Auvergne-Rhône-Alpes", 12.4),
            ("Nouvelle-Aquitaine", 9.2),
            ("Occitanie", 9.2),
            ("Provence-Alpes-Côte d'Azur", 7.8),
            ("Corse", 0.5),
        ],
    },
    Country {
        name: "United States",
        ages: [11.8, 17.5, 16.6, 15.8, 16.6, 21.7],
        women: [49.0, 49.5, 50.0, 50.5, 51.5, 55.0],
        education: [(12.0, 15.0), (7.0, 40.0), (9.0, 42.0), (10.0, 38.0), (10.0, 34.0), (12.0, 33.0)],
        regions: &[
            ("New England", 4.6),
            ("Middle Atlantic", 12.8),
            ("South Atlantic", 20.0),
            ("East South Central", 5.9),
            ("West South Central", 12.3),
            ("East North Central", 14.3),
            ("West North Central", 6.5),
            ("Mountain", 7.5),
            ("Pacific", 16.2),
        ],
    },
    Country {
        name: "Australia",
        ages: [11.3, 18.0, 17.5, 15.8, 14.9, 22.5],
        women: [49.0, 50.0, 50.5, 50.5, 51.0, 53.0],
        education: [(15.0, 18.0), (8.0, 45.0), (11.0, 46.0), (18.0, 36.0), (27.0, 29.0), (42.0, 20.0)],
        regions: &[
            ("Western Australia", 10.5),
            ("Northern Territory", 0.9),
            ("Queensland", 20.3),
            ("New South Wales", 31.7),
            ("Australian Capital Territory", 1.8),
            ("Victoria", 25.6),
            ("Tasmania", 2.2),
            ("South Australia", 7.0),
        ],
    },
];

impl Country {
    /// Percent of all adults in each combination of age and gender.
    fn by_age_and_gender(&self) -> Vec<f64> {
        let ages = self.ages.iter().zip(&self.women);
        ages.flat_map(|(age, women)| [age * (100.0 - women) / 100.0, age * women / 100.0]).collect()
    }

    fn by_age_and_education(&self) -> Vec<f64> {
        let ages = self.ages.iter().zip(&self.education);
        ages.flat_map(|(age, (low, high))| [*low, 100.0 - low - high, *high].map(|part| age * part / 100.0)).collect()
    }

    fn table(&self, goal: u64, joint: bool) -> Result<Table, Box<dyn Error>> {
        let (genders, education) = (self.by_age_and_gender(), self.by_age_and_education());
        let builder = Table::builder().total(goal);
        let region = Axis::shares("region", self.regions.iter().copied());
        Ok(if joint {
            builder
                .axis(Axis::labels("age", AGES))
                .axis(Axis::labels("gender", GENDERS))
                .axis(region)
                .axis(Axis::labels("education", EDUCATION))
                .joint(Joint::shares(["age", "gender"], genders))
                .joint(Joint::shares(["age", "education"], education))
        } else {
            builder
                .axis(Axis::shares("age", AGES.into_iter().zip(self.ages)))
                .axis(Axis::shares("gender", GENDERS.into_iter().zip(sums(&genders, 2))))
                .axis(region)
                .axis(Axis::shares("education", EDUCATION.into_iter().zip(sums(&education, 3))))
        }
        .build()?)
    }
}

/// The sums of each place of the rows.
fn sums(shares: &[f64], width: usize) -> Vec<f64> {
    (0..width).map(|place| shares.iter().skip(place).step_by(width).sum()).collect()
}

/// What stands in the way of a smallest cell, in the words of the proof.
fn why(country: &Country, goal: u64, joint: bool) -> Result<String, Box<dyn Error>> {
    let table = country.table(goal, joint)?;
    // As many as there are may be wanted of every cell: the smallest categories are what stops it first.
    let smallest = table.largest_smallest_cell()?;
    let cells = table.shape().cells() as u64;
    let least = (0..table.axes()).flat_map(|axis| {
        let targets = table.targets(axis).map(|targets| targets.counts.clone()).unwrap_or_default();
        let others = cells / targets.len().max(1) as u64;
        targets.into_iter().zip(table.labels(axis).to_vec()).map(move |(count, label)| (count, others, label))
    });
    let tightest = least.min_by_key(|(count, others, _)| *count * 1_000 / others.max(&1));
    let reason =
        tightest.map_or_else(String::new, |(count, others, label)| format!("{label}: {count} in {others} cells"));
    Ok(format!("{smallest} ({reason})"))
}

fn row(country: &Country, goal: u64, joint: bool) -> Result<String, Box<dyn Error>> {
    let budget = Budget::unlimited().time(Duration::from_secs(60));
    let table = country.table(goal, joint)?.within(&budget);
    let before = table.shape().cells();
    let merged = table.merge_for(SMALLEST_CELL, &["region", "age", "education"])?;
    let solution = match merged.table.solve() {
        Err(SolveError::Infeasible(proof)) => return Err(format!("{}: {proof}", country.name).into()),
        solved => solved?,
    };
    let merges: Vec<String> = merged.merges.iter().map(ToString::to_string).collect();
    let merges = if merges.is_empty() { "nothing".to_owned() } else { merges.join("; ") };
    let fewest = if merged.proved_fewest { "" } else { " (one by one)" };
    let smallest = solution.cells().iter().min().copied().unwrap_or(0);
    Ok(format!(
        "| {} | {goal} | {} | {before} | {} | {merges}{fewest} | {} | {smallest} | {:.1} |",
        country.name,
        if joint { "age × gender, age × education" } else { "none" },
        why(country, goal, joint)?,
        solution.cells().len(),
        solution.deviation(),
    ))
}

fn main() -> Result<(), Box<dyn Error>> {
    println!(
        "| country | people | joint margins | cells | smallest cell possible, and why | merged | cells after \
         | smallest | farthest from the fit |"
    );
    println!("|{}", "---|".repeat(9));
    for country in &COUNTRIES {
        for (goal, joint) in [(1_000, false), (1_000, true), (2_500, false), (2_500, true)] {
            println!("{}", row(country, goal, joint)?);
        }
    }
    Ok(())
}
