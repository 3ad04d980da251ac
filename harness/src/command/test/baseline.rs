//! The baseline: faults that are known, each with an issue and an expiry, which fail no run as long
//! as they stay as they were.
//!
//! Nothing is hidden by it: a verdict is never rewritten, a leak cannot be listed, and an entry
//! that is no longer true makes the run fail with an exit code of its own.

use std::path::Path;
use std::sync::Arc;

use reports::record::{CaseRecord, Known};
use reports::signature::signature;
use reports::verdict::Verdict;

use crate::command::Failure;
use crate::scenario::definition::Trial;
use crate::yaml::{self, Code, Node, Reader, SourceFile};

/// What may be listed. A leak may not, and there is nothing to excuse about the rest.
const LISTED: [(&str, Verdict); 4] = [
    ("fail", Verdict::Fail),
    ("error", Verdict::Error),
    ("blocked", Verdict::Blocked),
    ("deviates", Verdict::Deviates),
];

/// Known faults of one target.
#[derive(Debug, Default)]
pub(super) struct Baseline {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// A trial's name; `*` stands for any label of an axis.
    trial: String,
    verdict: Verdict,
    signature: String,
    issue: String,
    /// The last day on which it holds, `2027-03-01`.
    until: String,
    /// The first trial that is as it should be, although it is listed.
    fixed: Option<String>,
    /// Whether a trial is broken as it says.
    is_heard: bool,
    /// The first trial that is broken as another entry says.
    told_by_another: Option<String>,
}

impl Baseline {
    /// Reads a baseline file.
    ///
    /// # Errors
    /// Every mistake in it, drawn with line and caret; or that it cannot be read.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let file = SourceFile::read(path)?;
        let root = yaml::parse(&file)?;
        let mut reader = Reader::new(&file);
        let entries = decode(&root, &mut reader);
        Ok(reader.finish().into_result(Self { entries })?)
    }

    /// Says of a trial what the baseline says: a fault that is known no longer counts.
    pub(super) fn apply(&mut self, case: &mut CaseRecord, today: &str) {
        let own = self.entries.iter_mut();
        let mut own: Vec<&mut Entry> = own
            .filter(|entry| matches(&entry.trial, &case.name))
            .collect();
        if own.is_empty() || case.verdict == Verdict::Unsupported {
            // Whether it still is as it was, nobody has found out.
            return;
        }
        let signature = signature(case);
        let is_met = matches!(case.verdict, Verdict::Pass | Verdict::Observed);
        let mut speaks = None;
        for (at, entry) in own.iter_mut().enumerate() {
            let same =
                case.verdict == entry.verdict && signature.as_ref() == Some(&entry.signature);
            entry.is_heard |= same;
            if is_met {
                entry.fixed.get_or_insert_with(|| case.name.clone());
            }
            // An entry that still holds goes before one that has expired.
            if same && (speaks.is_none() || !entry.has_expired(today)) {
                speaks = Some(at);
            }
        }
        let others = own.iter_mut().enumerate();
        for (_, other) in others.filter(|(at, _)| speaks.is_some_and(|speaks| speaks != *at)) {
            other
                .told_by_another
                .get_or_insert_with(|| case.name.clone());
        }
        let entry = &*own[speaks.unwrap_or_default()];
        let standing = match speaks {
            Some(_) if entry.has_expired(today) => "expired",
            Some(_) => {
                case.counts = false;
                "known"
            }
            None if is_met => "fixed",
            None => "changed",
        };
        case.known = Some(Known {
            standing: standing.to_owned(),
            issue: entry.issue.clone(),
            until: entry.until.clone(),
        });
    }

    /// What is no longer true of it, a sentence each.
    #[must_use]
    pub(super) fn out_of_date(&self, trials: &[Arc<Trial>], today: &str) -> Vec<String> {
        let told = self.entries.iter().filter_map(|entry| {
            let name = &entry.trial;
            let exists = trials.iter().any(|trial| matches(name, &trial.name));
            let why = if !exists {
                "no trial has this name".to_owned()
            } else if entry.has_expired(today) {
                format!("it expired on {}", entry.until)
            } else if let Some(fixed) = &entry.fixed {
                format!("{fixed} is as it should be now")
            } else if let (false, Some(told)) = (entry.is_heard, &entry.told_by_another) {
                format!("{told} is broken in the way that another entry lists")
            } else {
                return None;
            };
            Some(format!(
                "{name}: {why}; remove the entry, or renew it ({})",
                entry.issue
            ))
        });
        told.collect()
    }
}

impl Entry {
    fn has_expired(&self, today: &str) -> bool {
        // Dates of this form are in the order of their texts.
        self.until.as_str() < today
    }
}

fn decode(root: &Node, reader: &mut Reader<'_>) -> Vec<Entry> {
    let Some(mut fields) = reader.fields(root, "a baseline") else {
        return Vec::new();
    };
    let name = fields.required("baseline", reader);
    name.and_then(|node| reader.text(node, "`baseline`"));
    let known = fields.required("known", reader);
    fields.finish(reader);
    let known = known.and_then(|node| reader.list(node, "`known`"));
    let known = known.unwrap_or_default();
    known
        .iter()
        .filter_map(|node| entry(node, reader))
        .collect()
}

fn entry(node: &Node, reader: &mut Reader<'_>) -> Option<Entry> {
    let mut fields = reader.fields(node, "an entry of a baseline")?;
    let trial = fields.required("trial", reader);
    let verdict = fields.required("verdict", reader);
    let signature = fields.required("signature", reader);
    let issue = fields.required("issue", reader);
    let until = fields.required("until", reader);
    fields.finish(reader);
    let trial = trial.and_then(|node| {
        let text = reader.text(node, "`trial`")?;
        let pattern = stars_stand_for_labels(text);
        reader.or_note(pattern.map(|()| text.to_owned()), node)
    });
    let verdict = verdict.and_then(|node| {
        if reader.word(node, "`verdict`")? == "leak" {
            let message = "a leak cannot be known: it counts whatever is listed";
            let error = reader.error_at(Code::BadValue, node, message);
            reader.push(error);
            return None;
        }
        reader.choice(node, "`verdict`", &LISTED)
    });
    let signature = signature.and_then(|node| reader.text(node, "`signature`"));
    let issue = issue.and_then(|node| reader.text(node, "`issue`"));
    let until = until.and_then(|node| {
        let text = reader.word(node, "`until`")?;
        let date = text.parse::<jiff::civil::Date>().ok();
        let date = date.filter(|date| date.to_string() == text);
        let date = date.ok_or_else(|| format!("`{text}` is no date; write it as 2027-03-01"));
        reader.or_note(date, node)
    });
    Some(Entry {
        trial: trial?,
        verdict: verdict?,
        signature: signature?.to_owned(),
        issue: issue?.to_owned(),
        until: until?.to_string(),
        fixed: None,
        is_heard: false,
        told_by_another: None,
    })
}

fn stars_stand_for_labels(pattern: &str) -> Result<(), String> {
    let mut rest = pattern.split('*');
    let before = rest.next().unwrap_or_default();
    let mut whole = before.ends_with('=') || before == pattern;
    let mut parts = rest.peekable();
    while let Some(part) = parts.next() {
        let begins = part.starts_with([',', ']']);
        let ends = parts.peek().is_none() || part.ends_with('=');
        whole &= begins && ends;
    }
    if whole {
        Ok(())
    } else {
        Err("`*` stands for a whole label only, as in `suite::case[axis=*]`".to_owned())
    }
}

/// Whether a name is the pattern's, in which `*` stands for one label.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(rest) = name.strip_prefix(before) else {
        return false;
    };
    let label = rest.find([',', ']']).unwrap_or(rest.len());
    matches(after, &rest[label..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: &str = "2026-11-28";

    fn entry(trial: &str, signature: &str, until: &str) -> Entry {
        Entry {
            trial: trial.to_owned(),
            verdict: Verdict::Fail,
            signature: signature.to_owned(),
            issue: format!("issue of {signature}"),
            until: until.to_owned(),
            fixed: None,
            is_heard: false,
            told_by_another: None,
        }
    }

    /// A trial that ended so, without any step: its signature is always the same.
    fn case(name: &str, verdict: Verdict) -> CaseRecord {
        let text = serde_json::json!({
            "name": name, "verdict": verdict, "counts": true, "suite": "a", "id": "b",
            "level": "must", "title": "", "at": {"file": "", "line": 1, "column": 1},
            "sources": [], "digest": "", "ms": 0, "attempts": 1,
        });
        serde_json::from_value(text).unwrap()
    }

    const SEEN: &str = "no answer that could be judged";

    #[test]
    fn every_entry_of_a_trial_is_heard() {
        let standing = |entries: Vec<Entry>, verdict| {
            let mut baseline = Baseline { entries };
            let mut case = case("a::b[x=1]", verdict);
            baseline.apply(&mut case, TODAY);
            let known = case.known.unwrap();
            (known.standing, known.issue, case.counts, baseline)
        };
        let star = || entry("a::b[x=*]", "another", "2999-01-01");
        let own = |until| entry("a::b[x=1]", SEEN, until);
        let (said, issue, counts, baseline) =
            standing(vec![star(), own("2999-01-01")], Verdict::Fail);
        assert_eq!((said.as_str(), counts), ("known", false));
        assert!(issue.ends_with(SEEN), "{issue}");
        // What the other entry says is no longer so.
        assert_eq!(
            baseline.entries[0].told_by_another.as_deref(),
            Some("a::b[x=1]")
        );
        assert!(baseline.entries[1].is_heard && baseline.entries[1].told_by_another.is_none());
        let (said, ..) = standing(vec![own("2020-01-01"), own("2999-01-01")], Verdict::Fail);
        assert_eq!(said, "known", "one entry has expired, the other holds");
        let (said, _, counts, _) = standing(vec![star(), own("2020-01-01")], Verdict::Fail);
        assert_eq!((said.as_str(), counts), ("expired", true));
        let (said, _, counts, _) = standing(vec![star(), star()], Verdict::Fail);
        assert_eq!((said.as_str(), counts), ("changed", true));
        let (said, _, _, baseline) = standing(vec![star(), own("2999-01-01")], Verdict::Pass);
        assert_eq!(said, "fixed");
        assert!(baseline.entries.iter().all(|entry| entry.fixed.is_some()));
    }

    #[test]
    fn an_entry_that_another_one_replaced_is_out_of_date() {
        let trial = Arc::clone(
            crate::scenario::catalog::Catalog::embedded()
                .unwrap()
                .trials()
                .first()
                .unwrap(),
        );
        let listed = vec![
            entry(&trial.name, "another", "2999-01-01"),
            entry(&trial.name, SEEN, "2999-01-01"),
        ];
        let mut baseline = Baseline { entries: listed };
        baseline.apply(&mut case(&trial.name, Verdict::Fail), TODAY);
        let told = baseline.out_of_date(&[trial], TODAY);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("another entry lists"), "{told:?}");
    }

    #[test]
    fn a_star_stands_for_one_label() {
        assert!(matches("a::b[x=*,y=1]", "a::b[x=anything,y=1]"));
        assert!(matches("a::b[x=*,y=*]", "a::b[x=1,y=2]"));
        assert!(!matches("a::b[x=*,y=1]", "a::b[x=1,y=2]"));
        assert!(!matches("a::b[x=*]", "a::b[x=1,y=2]"));
        assert!(matches("a::b", "a::b"));
        assert!(!matches("a::b", "a::bc"));
        for wrong in ["a::*", "*", "a::b[*]", "a::b[x=a*]", "a::b[x=*b]"] {
            assert!(stars_stand_for_labels(wrong).is_err(), "{wrong}");
        }
        for right in ["a::b", "a::b[x=*]", "a::b[x=*,y=1,z=*]"] {
            assert!(stars_stand_for_labels(right).is_ok(), "{right}");
        }
    }
}
