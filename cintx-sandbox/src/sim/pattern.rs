//! Text that matches a regular expression of the kind found in the documents:
//! literals, classes, groups, alternatives, the usual repetitions.

use crate::sim::rng::Rng;
use std::iter::Peekable;
use std::str::Chars;

/// Text that matches, or `None` for a construct that is not understood.
pub(crate) fn instance(pattern: &str, rng: &mut Rng) -> Option<String> {
    let mut maker = Maker { chars: pattern.chars().peekable(), rng };
    let text = maker.alternatives()?;
    maker.chars.peek().is_none().then_some(text)
}

struct Maker<'p, 'r> {
    chars: Peekable<Chars<'p>>,
    rng: &'r mut Rng,
}

impl Maker<'_, '_> {
    /// The first alternative is as good as any.
    fn alternatives(&mut self) -> Option<String> {
        let mut first = None;
        loop {
            let one = self.sequence()?;
            first.get_or_insert(one);
            if self.chars.next_if_eq(&'|').is_none() {
                return first;
            }
        }
    }

    fn sequence(&mut self) -> Option<String> {
        let mut text = String::new();
        while let Some(&c) = self.chars.peek() {
            match c {
                '|' | ')' => break,
                '^' | '$' => {
                    self.chars.next();
                }
                _ => {
                    let atom = self.atom()?;
                    for _ in 0..self.repetition()? {
                        match &atom {
                            Atom::Text(own) => text.push_str(own),
                            Atom::Class(class) => {
                                let at = self.rng.below(class.len() as u64) as usize;
                                text.push(*class.get(at)?);
                            }
                        }
                    }
                }
            }
        }
        Some(text)
    }

    fn atom(&mut self) -> Option<Atom> {
        match self.chars.next()? {
            '(' => {
                if self.chars.next_if_eq(&'?').is_some() {
                    self.chars.next_if_eq(&':')?;
                }
                let inner = self.alternatives()?;
                self.chars.next_if_eq(&')')?;
                Some(Atom::Text(inner))
            }
            '[' => self.class().map(Atom::Class),
            '.' => Some(Atom::Class(vec!['a'])),
            '\\' => self.escape().map(Atom::Class),
            c => Some(Atom::Text(c.to_string())),
        }
    }

    fn escape(&mut self) -> Option<Vec<char>> {
        Some(match self.chars.next()? {
            'd' => ('0'..='9').collect(),
            'w' => ('a'..='z').collect(),
            's' => vec![' '],
            c if c.is_ascii_alphanumeric() => return None,
            c => vec![c],
        })
    }

    fn class(&mut self) -> Option<Vec<char>> {
        if self.chars.peek() == Some(&'^') {
            return None;
        }
        let mut class = Vec::new();
        loop {
            match self.chars.next()? {
                ']' => return (!class.is_empty()).then_some(class),
                '\\' => class.extend(self.escape()?),
                '-' if !class.is_empty() && self.chars.peek() != Some(&']') => {
                    let low = *class.last()?;
                    let high = self.chars.next()?;
                    class.extend((low..=high).skip(1));
                }
                c => class.push(c),
            }
        }
    }

    fn repetition(&mut self) -> Option<usize> {
        let count = match self.chars.peek() {
            Some('*') => 2,
            Some('+') => 2,
            Some('?') => 1,
            Some('{') => {
                self.chars.next();
                let mut digits = String::new();
                let mut least = None;
                loop {
                    match self.chars.next()? {
                        '}' => break,
                        ',' => least = digits.parse().ok(),
                        c if least.is_none() => digits.push(c),
                        _ => {}
                    }
                }
                let count = least.or_else(|| digits.parse().ok())?;
                self.lazy();
                return Some(count);
            }
            _ => return Some(1),
        };
        self.chars.next();
        self.lazy();
        Some(count)
    }

    fn lazy(&mut self) {
        self.chars.next_if_eq(&'?');
    }
}

enum Atom {
    Text(String),
    Class(Vec<char>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_of_the_documents_gets_an_instance() {
        let mut patterns = std::collections::BTreeSet::new();
        fn walk(node: &serde_json::Value, into: &mut std::collections::BTreeSet<String>) {
            match node {
                serde_json::Value::Object(map) => {
                    if let Some(serde_json::Value::String(pattern)) = map.get("pattern") {
                        into.insert(pattern.clone());
                    }
                    map.values().for_each(|value| walk(value, into));
                }
                serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, into)),
                _ => {}
            }
        }
        for date in crate::api::documents::dates() {
            walk(&serde_json::from_str(crate::api::documents::json(date).unwrap()).unwrap(), &mut patterns);
        }
        assert!(patterns.len() > 5);
        let mut rng = Rng::new(1);
        for pattern in patterns {
            let text = instance(&pattern, &mut rng).unwrap_or_else(|| panic!("{pattern}"));
            let schema = serde_json::json!({"pattern": pattern});
            assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&text.clone().into()), "{pattern}: {text}");
        }
    }
}
