//! What answer options are called: by the question library, or by what was read back.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::QuotaTable;
use crate::audience::Condition;
use crate::library::LibraryQuestion;

impl QuotaTable {
    /// The same table with the names that the question library has for its questions and answer options: `Male`, not
    /// `option 1`. Names that targets were given stay.
    ///
    /// ```no_run
    /// # async fn run(cint: cintx::Client<cintx::V2025_12_18>, table: cintx::quota::QuotaTable)
    /// #     -> Result<(), cintx::Error> {
    /// let library = cint.questions("eng_gb").ids([42, 43]).stream().collect().await?;
    /// println!("{}", table.labelled(&library));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn labelled(mut self, library: &[LibraryQuestion]) -> Self {
        let of = |id: i64| library.iter().find(|question| question.id == Some(id));
        for axis in &mut self.axes {
            if let Some(question) = axis.question.and_then(of) {
                axis.name = question.name.clone().or_else(|| axis.name.clone());
            }
        }
        self.rename(|question, option| {
            let option = of(question)?.options.iter().find(|known| known.code == option)?;
            option.text.clone().filter(|text| !text.trim().is_empty())
        });
        self
    }

    /// Names for answer options, where each target of a question gets one of its own.
    pub(crate) fn rename(&mut self, name_of: impl Fn(i64, &str) -> Option<String>) {
        let before: Vec<Vec<String>> = self.axes.iter().map(|axis| axis.labels.clone()).collect();
        let part = |(question, condition): &(i64, Condition)| match condition {
            Condition::Option(option) => name_of(*question, option).unwrap_or_else(|| condition.label()),
            other => other.label(),
        };
        for axis in &mut self.axes {
            let label = |(label, conditions): (&String, &Vec<(i64, Condition)>)| {
                let plain: Vec<String> = conditions.iter().map(|(_, condition)| condition.label()).collect();
                match plain.join(", ") == *label {
                    true => conditions.iter().map(part).collect::<Vec<_>>().join(", "),
                    false => label.clone(),
                }
            };
            let labels: Vec<String> = axis.labels.iter().zip(&axis.conditions).map(label).collect();
            if labels.iter().enumerate().all(|(at, label)| !labels[..at].contains(label)) {
                axis.labels = labels;
            }
        }
        self.rename_in_warnings(&before);
    }

    /// Warnings name cells, targets, and combinations of targets that are known together.
    fn rename_in_warnings(&mut self, before: &[Vec<String>]) {
        if self.warnings.is_empty() {
            return;
        }
        let mut names: HashMap<String, Option<String>> = HashMap::new();
        for chosen in 1_usize..1 << before.len() {
            let mut pairs = vec![(String::new(), String::new())];
            let axes = before.iter().zip(&self.axes).enumerate();
            for (_, (old, axis)) in axes.filter(|(number, _)| chosen >> number & 1 == 1) {
                let join = |start: &str, label: &str| match start {
                    "" => label.to_owned(),
                    start => format!("{start} × {label}"),
                };
                let mut longer = Vec::with_capacity(pairs.len() * old.len());
                for (one, other) in &pairs {
                    let labels = old.iter().zip(&axis.labels);
                    longer.extend(labels.map(|(old, new)| (join(one, old), join(other, new))));
                }
                pairs = longer;
            }
            for (old, new) in pairs {
                // Two questions may have a target of the same name: which is meant is not known.
                match names.entry(old) {
                    Entry::Occupied(mut known) if known.get().as_ref() != Some(&new) => drop(known.insert(None)),
                    Entry::Occupied(_) => {}
                    Entry::Vacant(open) => drop(open.insert(Some(new))),
                }
            }
        }
        for warning in &mut self.warnings {
            if let Some(label) = warning.label_mut()
                && let Some(Some(name)) = names.get(label)
            {
                label.clone_from(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::audience::{Audience, Question};

    #[test]
    fn warnings_follow_the_names() {
        let age = Question::range(42).band(18..=34, 49).band(35..=74, 48).band(75..=99, 3);
        let region = Question::choice(5).option("1", 90).option("2", 10);
        let mut table = Audience::interlock([age, region]).quota_table(100).unwrap();
        table.warnings.push(crate::quota::QuotaWarning::GivesWay { label: "option 1".to_owned(), from: 90, to: 89 });
        table.rename(|_, option| Some(["North", "South"][usize::from(option == "2")].to_owned()));
        let said: Vec<String> = table.warnings().iter().map(ToString::to_string).collect();
        assert_eq!(said[0], "75-99 × South is worth 0.3 completes and gets none");
        assert!(said[1].starts_with("North gets 89 instead of 90"), "{said:?}");
        assert!(!table.to_string().contains("option"), "{table}");
    }

    #[test]
    fn options_are_called_what_they_are_and_given_names_stay() {
        let gender = Question::choice(43).option("1", 49).option("2", 51);
        let ethnicity = Question::choice(113).option("1", 60).options("the others", ["2", "3"], 40);
        let table = Audience::interlock([gender, ethnicity]).quota_table(100).unwrap();
        let mut called = table.clone();
        called.rename(|question, option| Some(format!("{question}/{option}")));
        assert_eq!(called.axes()[0].labels, ["43/1", "43/2"]);
        assert_eq!(called.axes()[1].labels, ["113/1", "the others"]);
        // One name for two options names neither.
        called = table;
        called.rename(|_, _| Some("the same".to_owned()));
        assert_eq!(called.axes()[0].labels, ["option 1", "option 2"]);
    }
}
