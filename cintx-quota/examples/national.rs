//! National samples of five countries, age × gender × region × education, with no cell under 5, as a table in Markdown:
//! `cargo run --release -p cintx-quota --example national`. What had to be merged for it, and why.

use std::error::Error;
use std::time::Duration;

use cintx_quota::{Axis, Budget, Joint, SolveError, Table};

const AGES: [&str; 6] = ["18-24", "25-34", "35-44", "45-54", "55-64", "65+"];
const GENDERS: [&str; 2] = ["men", "women"];
const EDUCATION: [&str; 3] = ["low", "middle", "high"];
const SMALLEST_CELL: u64 = 5;

/// Regions are published counts of residents. Ages, women and education are approximations of ours, in percent of adults:
/// close to what the same offices and Eurostat publish for 2021 and 2022, some a point or two off, and no substitute for
/// looking them up before a study.
struct Country {
    name: &'static str,
    ages: [f64; 6],
    /// The women of each age.
    women: [f64; 6],
    /// Low and high education of each age.
    education: [(f64, f64); 6],
    /// Whose counts, and of which year.
    regions_from: &'static str,
    /// Neighbours next to each other.
    regions: &'static [(&'static str, f64)],
}

const COUNTRIES: [Country; 5] = [
    Country {
        name: "United Kingdom",
        ages: [10.5, 17.2, 16.2, 16.8, 15.8, 23.5],
        women: [49.0, 50.5, 51.0, 51.0, 51.0, 54.0],
        education: [(13.0, 33.0), (11.0, 55.0), (14.0, 54.0), (17.0, 45.0), (22.0, 38.0), (38.0, 28.0)],
        regions_from: "residents in thousands: censuses of 2021 (ONS, NISRA) and 2022 (National Records of Scotland)",
        regions: &[
            ("Northern Ireland", 1903.0),
            ("Scotland", 5440.0),
            ("North East", 2647.0),
            ("North West", 7417.0),
            ("Yorkshire and the Humber", 5481.0),
            ("East Midlands", 4880.0),
            ("East of England", 6335.0),
            ("London", 8800.0),
            ("South East", 9278.0),
            ("South West", 5701.0),
            ("Wales", 3107.0),
            ("West Midlands", 5951.0),
        ],
    },
    Country {
        name: "Germany",
        ages: [9.0, 15.1, 15.4, 15.4, 18.5, 26.6],
        women: [48.0, 48.5, 49.5, 50.0, 50.5, 56.0],
        education: [(30.0, 14.0), (15.0, 38.0), (15.0, 36.0), (14.0, 29.0), (14.0, 27.0), (20.0, 22.0)],
        regions_from: "residents in thousands, mean of 2018 (statistical offices of the Länder)",
        regions: &[
            ("Hamburg", 1836.0),
            ("Schleswig-Holstein", 2893.0),
            ("Mecklenburg-Vorpommern", 1610.0),
            ("Brandenburg", 2508.0),
            ("Berlin", 3629.0),
            ("Sachsen-Anhalt", 2216.0),
            ("Sachsen", 4080.0),
            ("Thüringen", 2147.0),
            ("Hessen", 6255.0),
            ("Niedersachsen", 7973.0),
            ("Bremen", 682.0),
            ("Nordrhein-Westfalen", 17922.0),
            ("Rheinland-Pfalz", 4079.0),
            ("Saarland", 992.0),
            ("Baden-Württemberg", 11046.0),
            ("Bayern", 13037.0),
        ],
    },
    Country {
        name: "France",
        ages: [10.3, 14.6, 15.6, 16.3, 15.9, 27.3],
        women: [49.0, 50.5, 51.0, 50.5, 51.5, 56.5],
        education: [(18.0, 30.0), (11.0, 50.0), (13.0, 48.0), (18.0, 38.0), (28.0, 27.0), (50.0, 18.0)],
        regions_from: "residents in thousands, 1 January 2021 (INSEE, populations légales), without overseas",
        regions: &[
            ("Hauts-de-France", 5995.0),
            ("Normandie", 3328.0),
            ("Bretagne", 3395.0),
            ("Pays de la Loire", 3854.0),
            ("Centre-Val de Loire", 2573.0),
            ("Île-de-France", 12317.0),
            ("Grand Est", 5561.0),
            ("Bourgogne-Franche-Comté", 2800.0),
            ("Auvergne-Rhône-Alpes", 8114.0),
            ("Nouvelle-Aquitaine", 6069.0),
            ("Occitanie", 6022.0),
            ("Provence-Alpes-Côte d'Azur", 5128.0),
            ("Corse", 348.0),
        ],
    },
    Country {
        name: "United States",
        ages: [11.8, 17.5, 16.6, 15.8, 16.6, 21.7],
        women: [49.0, 49.5, 50.0, 50.5, 51.5, 55.0],
        education: [(12.0, 15.0), (7.0, 40.0), (9.0, 42.0), (10.0, 38.0), (10.0, 34.0), (12.0, 33.0)],
        regions_from: "residents in thousands by division, census of 2020 (Census Bureau)",
        regions: &[
            ("New England", 15116.0),
            ("Middle Atlantic", 42493.0),
            ("South Atlantic", 66089.0),
            ("East South Central", 19402.0),
            ("West South Central", 40774.0),
            ("East North Central", 47369.0),
            ("West North Central", 21617.0),
            ("Mountain", 24919.0),
            ("Pacific", 53669.0),
        ],
    },
    Country {
        name: "Australia",
        ages: [11.3, 18.0, 17.5, 15.8, 14.9, 22.5],
        women: [49.0, 50.0, 50.5, 50.5, 51.0, 53.0],
        education: [(15.0, 18.0), (8.0, 45.0), (11.0, 46.0), (18.0, 36.0), (27.0, 29.0), (42.0, 20.0)],
        regions_from: "residents in thousands, census of 2021 (Australian Bureau of Statistics)",
        regions: &[
            ("Western Australia", 2660.0),
            ("Northern Territory", 233.0),
            ("Queensland", 5156.0),
            ("New South Wales", 8072.0),
            ("Australian Capital Territory", 454.0),
            ("Victoria", 6503.0),
            ("Tasmania", 558.0),
            ("South Australia", 1782.0),
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
    println!("| country | regions |\n|---|---|");
    for country in &COUNTRIES {
        println!("| {} | {} |", country.name, country.regions_from);
    }
    println!();
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
