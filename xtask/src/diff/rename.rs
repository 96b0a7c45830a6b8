//! Which of what is gone came back under another name, and why that is believed.
//! A guess without evidence is none: both are then listed, as gone and as new.

use heck::ToSnakeCase as _;

/// A candidate: the name, its evidence from elsewhere, and whether its type is the same.
pub(super) struct Candidate<'a> {
    pub(super) name: &'a str,
    pub(super) same_type: bool,
    pub(super) same_duty: bool,
}

/// Words that name a kind of value and not what it is about: two dates of one object are not the same date.
const GENERIC: [&str; 14] =
    ["amount", "at", "code", "count", "date", "id", "ids", "list", "name", "number", "status", "time", "type", "value"];

/// The evidence that one name replaces another; nothing where there is too little. With others gone or new beside them
/// (`alone` is false), a name has to share a word that tells, or be a part of the other, and it is required as before.
/// `elsewhere`: the same two names are known to be one in another place.
pub(super) fn evidence(old: &str, candidate: &Candidate<'_>, alone: bool, elsewhere: bool) -> Vec<String> {
    if !candidate.same_type {
        return Vec::new();
    }
    let mut evidence = vec!["the type is the same".to_owned()];
    let shared = shared_words(old, candidate.name);
    if !shared.is_empty() {
        evidence.push(format!("both names have `{}`", shared.join("`, `")));
    }
    if candidate.same_duty {
        evidence.push("both are required, or neither is".to_owned());
    }
    if alone {
        evidence.push("one is gone here and one is new".to_owned());
    }
    // The whole of one name in the other says more than a word that both have.
    let (words, others) = (words(old), words(candidate.name));
    let whole = [(&words, &others), (&others, &words)].iter().any(|(part, all)| part.iter().all(|it| all.contains(it)));
    let telling = whole || shared.iter().any(|word| !GENERIC.contains(&word.as_str()));
    let enough = match alone {
        true => !shared.is_empty() || candidate.same_duty,
        false => candidate.same_duty && (telling || elsewhere),
    };
    if elsewhere && !alone {
        evidence.push("they are one elsewhere".to_owned());
    }
    if enough { evidence } else { Vec::new() }
}

fn words(name: &str) -> Vec<String> {
    name.to_snake_case().split('_').map(str::to_owned).collect()
}

/// The words that two names share; small ones say nothing.
pub(super) fn shared_words(old: &str, new: &str) -> Vec<String> {
    let new = words(new);
    let telling =
        |word: &String| word.len() > 2 && new.contains(word) && !["and", "for", "the"].contains(&word.as_str());
    words(old).into_iter().filter(telling).collect()
}

/// Pairs what is gone with what is new, the strongest evidence first. Between two that are as likely nobody can choose.
pub(super) fn pairs<'a>(
    gone: &[&'a str],
    new: &[&'a str],
    judge: &dyn Fn(&'a str, &'a str) -> Vec<String>,
) -> Vec<(&'a str, &'a str, Vec<String>)> {
    let mut found: Vec<(&str, &str, Vec<String>)> = Vec::new();
    for old in gone {
        for new in new {
            let evidence = judge(old, new);
            if !evidence.is_empty() {
                found.push((old, new, evidence));
            }
        }
    }
    let strength = |(old, new, evidence): &(&str, &str, Vec<String>)| (evidence.len(), shared_words(old, new).len());
    found.sort_by_key(|pair| (std::cmp::Reverse(strength(pair)), pair.0, pair.1));
    let mut pairs: Vec<(&str, &str, Vec<String>)> = Vec::new();
    while let Some(pair) = found.first().cloned() {
        let meets = |other: &(&str, &str, Vec<String>)| other.0 == pair.0 || other.1 == pair.1;
        let rivals = found.iter().skip(1).filter(|other| meets(other) && strength(other) == strength(&pair));
        let taken: Vec<(&str, &str)> = std::iter::once(&pair).chain(rivals).map(|(old, new, _)| (*old, *new)).collect();
        found.retain(|(old, new, _)| !taken.iter().any(|taken| taken.0 == *old || taken.1 == *new));
        if taken.len() == 1 {
            pairs.push(pair);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_needs_a_type_and_a_reason() {
        let candidate = |same_type, same_duty| Candidate { name: "completes_goal", same_type, same_duty };
        assert_eq!(evidence("filling_goal", &candidate(true, true), false, false).len(), 3);
        assert!(evidence("filling_goal", &candidate(true, false), false, false).is_empty(), "not required as before");
        assert!(evidence("filling_goal", &candidate(false, true), true, true).is_empty(), "another type");
        assert!(evidence("name", &candidate(true, true), false, false).is_empty(), "no word in common");
        assert!(!evidence("name", &candidate(true, true), true, false).is_empty(), "nothing else is gone or new");
    }

    #[test]
    fn a_kind_of_value_is_no_reason() {
        let date = Candidate { name: "create_date", same_type: true, same_duty: true };
        assert!(evidence("end_date", &date, false, false).is_empty(), "every date is a date");
        assert!(!evidence("date", &date, false, false).is_empty(), "the name has a word more");
        assert!(!evidence("end_date", &date, false, true).is_empty(), "they are one elsewhere");
        assert!(!evidence("end_date", &date, true, false).is_empty(), "nothing else is gone or new");
    }

    #[test]
    fn each_name_is_in_one_pair() {
        let judge = |old: &str, new: &str| shared_words(old, new);
        let names = |gone: &[&'static str], new: &[&'static str]| -> Vec<(&'static str, &'static str)> {
            pairs(gone, new, &judge).iter().map(|(old, new, _)| (*old, *new)).collect()
        };
        assert_eq!(
            names(&["filling_goal", "total_goal"], &["completes_goal", "total_goal_sum"]),
            [("total_goal", "total_goal_sum"), ("filling_goal", "completes_goal")]
        );
        assert_eq!(names(&["filling_goal"], &["completes_goal", "starts_goal"]), [], "nobody can choose");
        assert_eq!(names(&["filling_goal", "quota_goal"], &["completes_goal"]), [], "nobody can choose");
    }
}
