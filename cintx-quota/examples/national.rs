//! National samples of five countries, age × gender × region × education, with no cell under 5, as a table in Markdown:
//! `cargo run --release -p cintx-quota --example national`. What had to be merged for it, and why.

use std::error::Error;
use std::time::Duration;

use cintx_quota::{Axis, Budget, Joint, SolveError, Table};

const AGES: [&str; 5] = ["25-34", "35-44", "45-54", "55-64", "65+"];
const GENDERS: [&str; 2] = ["men", "women"];
const EDUCATION: [&str; 3] = ["low", "middle", "high"];
const SMALLEST_CELL: u64 = 5;

/// Where ages, gender and education are from, of each country.
const PEOPLE_FROM: &str = "thousands of 25 and more in 2010: Barro and Lee, Educational Attainment Data, version 2.2";

/// Published counts of people, in thousands.
struct Country {
    name: &'static str,
    men: [f64; 5],
    women: [f64; 5],
    /// Of each age: secondary education not completed, completed, and those who have begun a tertiary one.
    education: [[f64; 3]; 5],
    /// Whose counts, and of which year.
    regions_from: &'static str,
    /// All residents, also those who are younger; neighbours next to each other.
    regions: &'static [(&'static str, f64)],
}

const COUNTRIES: [Country; 5] = [
    Country {
        name: "United Kingdom",
        men: [3892.0, 4192.0, 4214.0, 3620.0, 4330.0],
        women: [3791.0, 4363.0, 4340.0, 3774.0, 5650.0],
        education: [
            [1092.0, 3627.0, 2964.0],
            [1481.0, 4220.0, 2854.0],
            [2089.0, 4078.0, 2387.0],
            [2935.0, 2907.0, 1553.0],
            [5725.0, 2731.0, 1524.0],
        ],
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
        name: "Italy",
        men: [3456.0, 4667.0, 4307.0, 3672.0, 5121.0],
        women: [3337.0, 4582.0, 4347.0, 3853.0, 7168.0],
        education: [
            [1944.0, 3441.0, 1408.0],
            [3711.0, 4080.0, 1459.0],
            [4174.0, 3441.0, 1040.0],
            [4628.0, 2094.0, 803.0],
            [10208.0, 1506.0, 576.0],
        ],
        regions_from: "residents in thousands, 1 January 2017 (Istat)",
        regions: &[
            ("Valle d'Aosta", 127.0),
            ("Piemonte", 4393.0),
            ("Liguria", 1565.0),
            ("Lombardia", 10019.0),
            ("Trentino-Alto Adige", 1063.0),
            ("Veneto", 4908.0),
            ("Friuli-Venezia Giulia", 1218.0),
            ("Emilia-Romagna", 4449.0),
            ("Toscana", 3742.0),
            ("Umbria", 889.0),
            ("Marche", 1538.0),
            ("Lazio", 5898.0),
            ("Abruzzo", 1322.0),
            ("Molise", 310.0),
            ("Campania", 5839.0),
            ("Puglia", 4064.0),
            ("Basilicata", 570.0),
            ("Calabria", 1965.0),
            ("Sicilia", 5057.0),
            ("Sardegna", 1653.0),
        ],
    },
    Country {
        name: "France",
        men: [3930.0, 4156.0, 4180.0, 3926.0, 4315.0],
        women: [3781.0, 4173.0, 4323.0, 4143.0, 6085.0],
        education: [
            [1253.0, 3152.0, 3306.0],
            [1907.0, 3611.0, 2811.0],
            [2819.0, 3836.0, 1849.0],
            [3573.0, 3022.0, 1475.0],
            [6984.0, 2433.0, 983.0],
        ],
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
        men: [21467.0, 20768.0, 22104.0, 17466.0, 16925.0],
        women: [20889.0, 20730.0, 22829.0, 18737.0, 23009.0],
        education: [
            [2086.0, 13728.0, 26542.0],
            [2632.0, 13020.0, 25846.0],
            [2552.0, 16586.0, 25795.0],
            [2018.0, 12860.0, 21325.0],
            [4645.0, 17229.0, 18060.0],
        ],
        regions_from: "residents in thousands by division, census of 2020 (Census Bureau)",
        regions: &[
            ("New England", 15116.0),
            ("Middle Atlantic", 42493.0),
            ("South Atlantic", 66090.0),
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
        men: [1488.0, 1493.0, 1468.0, 1252.0, 1309.0],
        women: [1460.0, 1548.0, 1527.0, 1285.0, 1594.0],
        education: [
            [466.0, 1169.0, 1313.0],
            [665.0, 1135.0, 1241.0],
            [936.0, 1009.0, 1050.0],
            [1003.0, 773.0, 761.0],
            [1168.0, 876.0, 859.0],
        ],
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
    /// How many there are of each age.
    fn by_age(&self) -> [f64; 5] {
        std::array::from_fn(|age| self.men[age] + self.women[age])
    }

    /// How many there are of each combination of age and gender.
    fn by_age_and_gender(&self) -> Vec<f64> {
        self.men.iter().zip(&self.women).flat_map(|(men, women)| [*men, *women]).collect()
    }

    /// The same with education, whose thousands are rounded on their own.
    fn by_age_and_education(&self) -> Vec<f64> {
        let ages = self.by_age().into_iter().zip(&self.education);
        ages.flat_map(|(age, parts)| parts.map(|part| age * part / parts.iter().sum::<f64>())).collect()
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
                .axis(Axis::shares("age", AGES.into_iter().zip(self.by_age())))
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
    println!("Ages, gender and education: {PEOPLE_FROM}.\n");
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
