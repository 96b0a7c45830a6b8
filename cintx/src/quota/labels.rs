//! What answer options are called: by the question library, or by what was read back.

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
    }
}

#[cfg(test)]
mod tests {
    use crate::audience::{Audience, Question};

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
