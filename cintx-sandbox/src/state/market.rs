//! What the platform knows of the world: places and their languages,
//! industries, kinds of studies, suppliers, and the library of questions.

use super::library::{self, Question};
use serde::{Deserialize, Serialize};

/// A code and what it stands for.
pub(crate) type Coded = (&'static str, &'static str);

/// Country code, name, and languages, the preferred one first.
pub(crate) type Place = (&'static str, &'static str, &'static [Coded]);

const ENGLISH: Coded = ("eng", "English");
const FRENCH: Coded = ("fre", "French");
const GERMAN: Coded = ("ger", "German");
const SPANISH: Coded = ("spa", "Spanish");
const ARABIC: Coded = ("ara", "Arabic");
const CHINESE: Coded = ("chi", "Chinese");
const DUTCH: Coded = ("dut", "Dutch");
const PORTUGUESE: Coded = ("por", "Portuguese");

/// The places where people can be asked.
pub(crate) const PLACES: &[Place] = &[
    ("AE", "United Arab Emirates", &[ARABIC, ENGLISH]),
    ("AR", "Argentina", &[SPANISH]),
    ("AT", "Austria", &[GERMAN]),
    ("AU", "Australia", &[ENGLISH]),
    ("BE", "Belgium", &[DUTCH, FRENCH]),
    ("BR", "Brazil", &[PORTUGUESE]),
    ("CA", "Canada", &[ENGLISH, FRENCH]),
    ("CH", "Switzerland", &[GERMAN, FRENCH, ("ita", "Italian")]),
    ("CL", "Chile", &[SPANISH]),
    ("CN", "China", &[CHINESE]),
    ("CO", "Colombia", &[SPANISH]),
    ("CZ", "Czechia", &[("cze", "Czech")]),
    ("DE", "Germany", &[GERMAN]),
    ("DK", "Denmark", &[("dan", "Danish")]),
    ("EG", "Egypt", &[ARABIC]),
    ("ES", "Spain", &[SPANISH]),
    ("FI", "Finland", &[("fin", "Finnish")]),
    ("FR", "France", &[FRENCH]),
    ("GB", "United Kingdom", &[ENGLISH]),
    ("GR", "Greece", &[("gre", "Greek")]),
    ("HK", "Hong Kong", &[CHINESE, ENGLISH]),
    ("HU", "Hungary", &[("hun", "Hungarian")]),
    ("ID", "Indonesia", &[("ind", "Indonesian")]),
    ("IE", "Ireland", &[ENGLISH]),
    ("IN", "India", &[ENGLISH, ("hin", "Hindi")]),
    ("IT", "Italy", &[("ita", "Italian")]),
    ("JP", "Japan", &[("jpn", "Japanese")]),
    ("KE", "Kenya", &[ENGLISH]),
    ("KR", "South Korea", &[("kor", "Korean")]),
    ("MX", "Mexico", &[SPANISH]),
    ("MY", "Malaysia", &[ENGLISH, ("may", "Malay")]),
    ("NG", "Nigeria", &[ENGLISH]),
    ("NL", "Netherlands", &[DUTCH]),
    ("NO", "Norway", &[("nor", "Norwegian")]),
    ("NZ", "New Zealand", &[ENGLISH]),
    ("PE", "Peru", &[SPANISH]),
    ("PH", "Philippines", &[ENGLISH, ("tgl", "Tagalog")]),
    ("PL", "Poland", &[("pol", "Polish")]),
    ("PT", "Portugal", &[PORTUGUESE]),
    ("RO", "Romania", &[("rum", "Romanian")]),
    ("SA", "Saudi Arabia", &[ARABIC, ENGLISH]),
    ("SE", "Sweden", &[("swe", "Swedish"), ENGLISH]),
    ("SG", "Singapore", &[ENGLISH]),
    ("TH", "Thailand", &[("tha", "Thai")]),
    ("TR", "Turkey", &[("tur", "Turkish")]),
    ("TW", "Taiwan", &[CHINESE]),
    ("US", "United States", &[ENGLISH, SPANISH]),
    ("VN", "Vietnam", &[("vie", "Vietnamese")]),
    ("ZA", "South Africa", &[ENGLISH]),
];

/// What studies can be about.
pub(crate) const INDUSTRIES: &[Coded] = &[
    ("automotive", "Automotive"),
    ("beverages", "Beverages"),
    ("finance", "Finance"),
    ("healthcare", "Healthcare"),
    ("retail", "Retail"),
    ("technology", "Technology"),
    ("other", "Other"),
    ("sports", "Sports"),
];

/// How long people are kept out who have taken part in an industry's studies.
pub(crate) const LOCKOUTS: &[Coded] = &[
    ("no_lockout", "No lockout"),
    ("industry_7_days", "A week within the industry"),
    ("industry_30_days", "A month within the industry"),
    ("automotive", "Automotive"),
    ("beverages", "Beverages"),
    ("finance", "Finance"),
    ("healthcare", "Healthcare"),
    ("no_lock_out", "No lockout"),
];

/// The kinds of studies.
pub(crate) const STUDY_TYPES: &[Coded] = &[
    ("adhoc", "Ad hoc"),
    ("diary", "Diary"),
    ("tracker", "Tracker"),
    ("recontact", "Recontact"),
    ("internal_use", "Internal use"),
];

/// Every locale, sorted as the places are.
pub(crate) fn locales() -> impl Iterator<Item = String> {
    PLACES.iter().flat_map(|(country, _, languages)| {
        languages.iter().map(move |(language, _)| format!("{language}_{}", country.to_lowercase()))
    })
}

/// The codes of a list.
pub(crate) fn codes(list: &[Coded]) -> Vec<String> {
    list.iter().map(|(code, _)| (*code).to_owned()).collect()
}

/// A supplier of the simulated market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Supplier {
    pub(crate) id: i64,
    pub(crate) code: String,
    pub(crate) name: String,
}

/// The supplier that sends respondents for tests, where it is asked to.
pub(crate) const TEST_SUPPLIER: i64 = 980;

/// The suppliers that there are where a seed file names none.
const SUPPLIERS: &[(i64, &str, &str)] = &[
    (TEST_SUPPLIER, "TEST", "Test supplier"),
    (1101, "NORTH", "Northern Opinions"),
    (1102, "HARBOR", "Harbor Panel"),
    (1103, "MOSAIC", "Mosaic Voices"),
    (1104, "LANTERN", "Lantern Research"),
    (1105, "CEDAR", "Cedar Rewards"),
    (1106, "TIDE", "Tide Surveys"),
    (1107, "ORCHARD", "Orchard Community"),
];

/// What differs between sandboxes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Market {
    pub(crate) suppliers: Vec<Supplier>,
    pub(crate) questions: Vec<Question>,
}

impl Default for Market {
    fn default() -> Self {
        let supplier =
            |(id, code, name): &(i64, &str, &str)| Supplier { id: *id, code: (*code).into(), name: (*name).into() };
        Self { suppliers: SUPPLIERS.iter().map(supplier).collect(), questions: library::standard() }
    }
}

impl Market {
    /// The ids of all suppliers.
    pub(crate) fn supplier_ids(&self) -> impl Iterator<Item = i64> {
        self.suppliers.iter().map(|supplier| supplier.id)
    }

    /// A name for a supplier, also for one that the market does not know.
    pub(crate) fn supplier_name(&self, id: i64) -> String {
        let known = self.suppliers.iter().find(|supplier| supplier.id == id);
        known.map_or_else(|| format!("Supplier {id}"), |supplier| supplier.name.clone())
    }

    /// A question by its id.
    pub(crate) fn question(&self, id: i64) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }
}
