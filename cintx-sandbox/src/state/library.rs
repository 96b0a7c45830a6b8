//! The question library: a handful of questions with their options, in
//! English and translated. Age, gender, post code, origin and ethnicity have
//! the ids that Cint publishes; the rest is the sandbox's own.

use serde::{Deserialize, Serialize};

/// What answers a question takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Single,
    Multi,
    /// A number within bounds.
    Range(i64, i64),
    /// Any text.
    Open,
}

impl Kind {
    /// As profiles say it.
    pub(crate) fn condition(self) -> &'static str {
        match self {
            Self::Single => "Single Punch",
            Self::Multi => "Multi Punch",
            Self::Range(..) => "Numeric - Open-end",
            Self::Open => "Text - Open-end",
        }
    }

    /// As the older versions say it.
    pub(crate) fn response(self) -> &'static str {
        match self {
            Self::Multi => "multi_punch",
            Self::Range(..) => "range",
            _ => "single_punch",
        }
    }
}

/// A text in English, German, French and Spanish.
pub(crate) type Text = [String; 4];

/// A question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) text: Text,
    pub(crate) kind: Kind,
    /// Code and id of its category.
    pub(crate) category: (String, i64),
    pub(crate) options: Vec<(String, Text)>,
    /// Whether it is the account's own.
    pub(crate) custom: bool,
}

type Words = [&'static str; 4];

/// A question that comes with the sandbox.
struct Standard {
    id: i64,
    name: &'static str,
    text: Words,
    kind: Kind,
    category: (&'static str, i64),
    options: &'static [(&'static str, Words)],
    custom: bool,
}

impl From<&Standard> for Question {
    fn from(standard: &Standard) -> Self {
        let text = |words: &Words| words.map(str::to_owned);
        Self {
            id: standard.id,
            name: standard.name.to_owned(),
            text: text(&standard.text),
            kind: standard.kind,
            category: (standard.category.0.to_owned(), standard.category.1),
            options: standard.options.iter().map(|(id, words)| ((*id).to_owned(), text(words))).collect(),
            custom: standard.custom,
        }
    }
}

/// The categories of the library, by code; the id is the place, from 1.
pub(crate) const CATEGORIES: &[&str] = &[
    "AIR", "ART", "AUT", "B2B", "BAN", "BEA", "BEV", "DEM", "DEV", "EDU", "ELE", "FAS", "FOO", "HOB", "HOM", "IT",
    "MED", "PER", "POL", "REC", "SUP", "TOB", "OTH",
];

const DEM: (&str, i64) = ("DEM", 8);

const YES_NO: &[(&str, Words)] = &[("1", ["Yes", "Ja", "Oui", "Sí"]), ("2", ["No", "Nein", "Non", "No"])];

/// The questions that there are where a seed file names none.
pub(crate) fn standard() -> Vec<Question> {
    STANDARD.iter().map(Question::from).collect()
}

const STANDARD: &[Standard] = &[
    Standard {
        id: 42,
        name: "AGE",
        text: ["How old are you?", "Wie alt sind Sie?", "Quel âge avez-vous ?", "¿Cuántos años tiene?"],
        kind: Kind::Range(1, 99),
        category: DEM,
        options: &[],
        custom: false,
    },
    Standard {
        id: 43,
        name: "GENDER",
        text: ["What is your gender?", "Welches Geschlecht haben Sie?", "Quel est votre sexe ?", "¿Cuál es su sexo?"],
        kind: Kind::Single,
        category: DEM,
        options: &[("1", ["Male", "Männlich", "Homme", "Hombre"]), ("2", ["Female", "Weiblich", "Femme", "Mujer"])],
        custom: false,
    },
    Standard {
        id: 45,
        name: "ZIP",
        text: [
            "What is your post code?",
            "Wie lautet Ihre Postleitzahl?",
            "Quel est votre code postal ?",
            "¿Cuál es su código postal?",
        ],
        kind: Kind::Open,
        category: DEM,
        options: &[],
        custom: false,
    },
    Standard {
        id: 46,
        name: "TOWN",
        text: [
            "Which town do you live in?",
            "In welchem Ort wohnen Sie?",
            "Dans quelle commune habitez-vous ?",
            "¿En qué localidad vive?",
        ],
        kind: Kind::Open,
        category: DEM,
        options: &[],
        custom: false,
    },
    Standard {
        id: 47,
        name: "HISPANIC",
        text: [
            "Are you of Hispanic origin?",
            "Sind Sie hispanischer Herkunft?",
            "Êtes-vous d'origine hispanique ?",
            "¿Es usted de origen hispano?",
        ],
        kind: Kind::Single,
        category: DEM,
        options: YES_NO,
        custom: false,
    },
    Standard {
        id: 113,
        name: "ETHNICITY",
        text: [
            "Which group do you belong to?",
            "Welcher Gruppe gehören Sie an?",
            "À quel groupe appartenez-vous ?",
            "¿A qué grupo pertenece?",
        ],
        kind: Kind::Single,
        category: DEM,
        options: &[
            ("1", ["First group", "Erste Gruppe", "Premier groupe", "Primer grupo"]),
            ("2", ["Second group", "Zweite Gruppe", "Deuxième groupe", "Segundo grupo"]),
            ("3", ["Another group", "Andere Gruppe", "Autre groupe", "Otro grupo"]),
        ],
        custom: false,
    },
    Standard {
        id: 9001,
        name: "PETS_AT_HOME",
        text: [
            "Which animals live with you?",
            "Welche Tiere leben bei Ihnen?",
            "Quels animaux vivent chez vous ?",
            "¿Qué animales viven con usted?",
        ],
        kind: Kind::Multi,
        category: ("HOM", 15),
        options: &[
            ("1", ["A dog", "Ein Hund", "Un chien", "Un perro"]),
            ("2", ["A cat", "Eine Katze", "Un chat", "Un gato"]),
            ("3", ["Another animal", "Ein anderes Tier", "Un autre animal", "Otro animal"]),
            ("4", ["None", "Keine", "Aucun", "Ninguno"]),
        ],
        custom: false,
    },
    Standard {
        id: 9002,
        name: "WORKING",
        text: [
            "Do you work at present?",
            "Sind Sie zurzeit berufstätig?",
            "Travaillez-vous actuellement ?",
            "¿Trabaja actualmente?",
        ],
        kind: Kind::Single,
        category: ("B2B", 4),
        options: YES_NO,
        custom: false,
    },
    Standard {
        id: 9003,
        name: "CARS_OWNED",
        text: [
            "How many cars does your household own?",
            "Wie viele Autos besitzt Ihr Haushalt?",
            "Combien de voitures possède votre foyer ?",
            "¿Cuántos coches tiene su hogar?",
        ],
        kind: Kind::Single,
        category: ("AUT", 3),
        options: &[
            ("1", ["None", "Keines", "Aucune", "Ninguno"]),
            ("2", ["One", "Eines", "Une", "Uno"]),
            ("3", ["Two or more", "Zwei oder mehr", "Deux ou plus", "Dos o más"]),
        ],
        custom: false,
    },
    Standard {
        id: 9004,
        name: "DRINKS_BOUGHT",
        text: [
            "Which drinks did you buy last month?",
            "Welche Getränke haben Sie letzten Monat gekauft?",
            "Quelles boissons avez-vous achetées le mois dernier ?",
            "¿Qué bebidas compró el mes pasado?",
        ],
        kind: Kind::Multi,
        category: ("BEV", 7),
        options: &[
            ("1", ["Coffee", "Kaffee", "Café", "Café"]),
            ("2", ["Juice", "Saft", "Jus", "Zumo"]),
            ("3", ["None of them", "Keines davon", "Aucune", "Ninguna"]),
        ],
        custom: false,
    },
    Standard {
        id: 9901,
        name: "OWN_SEGMENT",
        text: [
            "Which of our segments fits you?",
            "Welches unserer Segmente passt zu Ihnen?",
            "Lequel de nos segments vous correspond ?",
            "¿Cuál de nuestros segmentos le corresponde?",
        ],
        kind: Kind::Single,
        category: ("OTH", 23),
        options: &[
            ("1", ["Newcomer", "Neuling", "Nouveau", "Nuevo"]),
            ("2", ["Regular", "Stammkunde", "Habitué", "Habitual"]),
        ],
        custom: true,
    },
];

/// A text in a language of three letters; English where there is none.
pub(crate) fn in_language<'t>(text: &'t Text, language: &str) -> &'t str {
    let at = match language {
        "ger" | "deu" => 1,
        "fre" | "fra" => 2,
        "spa" => 3,
        _ => 0,
    };
    text.get(at).map(String::as_str).unwrap_or_default()
}
