//! Which of what is gone came back under another name, and why that is believed.
//! A guess without evidence is none: both are then listed, as gone and as new.

use heck::ToSnakeCase as _;

/// A candidate: the name, its evidence from elsewhere, and whether its type is the same.
pub(super) struct Candidate<'a> {
    pub(super) name: &'a str,
    pub(super) same_type: bool,
    pub(super) same_duty: bool,
}

/// The evidence that one name replaces another; nothing where there is too little.
pub(super) fn evidence(old: &str, candidate: &Candidate<'_>, alone: bool) -> Vec<String> {
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
    let enough = !shared.is_empty() || alone && candidate.same_duty;
    if enough { evidence } else { Vec::new() }
}

/// The words that two names share; small ones say nothing.
pub(super) fn shared_words(old: &str, new: &str) -> Vec<String> {
    let words = |name: &str| -> Vec<String> { name.to_snake_case().split('_').map(str::to_owned).collect() };
    let new = words(new);
    let telling =
        |word: &String| word.len() > 2 && new.contains(word) && !["and", "for", "the"].contains(&word.as_str());
    words(old).into_iter().filter(telling).collect()
}

/// Pairs what is gone with what is new, the strongest evidence first.
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
    found.sort_by_key(|(old, new, evidence)| (std::cmp::Reverse(evidence.len()), *old, *new));
    let mut pairs: Vec<(&str, &str, Vec<String>)> = Vec::new();
    for (old, new, evidence) in found {
        if !pairs.iter().any(|(taken_old, taken_new, _)| *taken_old == old || *taken_new == new) {
            pairs.push((old, new, evidence));
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
        assert_eq!(evidence("filling_goal", &candidate(true, true), false).len(), 3);
        assert!(evidence("filling_goal", &candidate(false, true), true).is_empty(), "another type");
        assert!(evidence("name", &candidate(true, true), false).is_empty(), "no word in common");
        assert!(!evidence("name", &candidate(true, true), true).is_empty(), "nothing else is gone or new");
    }

    #[test]
    fn each_name_is_in_one_pair() {
        let judge = |old: &str, new: &str| shared_words(old, new);
        let pairs = pairs(&["filling_goal", "total_goal"], &["completes_goal", "total_goal_sum"], &judge);
        let names: Vec<(&str, &str)> = pairs.iter().map(|(old, new, _)| (*old, *new)).collect();
        assert_eq!(names, [("total_goal", "total_goal_sum"), ("filling_goal", "completes_goal")]);
    }
}
