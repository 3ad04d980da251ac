//! What the other cells of a matrix tell about one that broke: which axis decides.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::CaseRecord;
use crate::verdict::Verdict;

/// Most labels of an axis that are named one by one.
const LABELS: usize = 4;
/// Axes of a case that are looked at; with more of them the neighbours alone are told.
const MAX_AXES: usize = 8;

/// The trials of a run, each beside those of the same case.
pub struct Siblings<'a> {
    /// By suite and case.
    cases: BTreeMap<(&'a str, &'a str), Vec<&'a CaseRecord>>,
}

/// A trial among its siblings, as far as they were judged.
struct Family<'a> {
    own: &'a CaseRecord,
    /// With the own one among them.
    broken: Vec<&'a CaseRecord>,
    held: Vec<&'a CaseRecord>,
}

impl<'a> Siblings<'a> {
    #[must_use]
    pub fn of(cases: impl IntoIterator<Item = &'a CaseRecord>) -> Self {
        let mut families: BTreeMap<_, Vec<&CaseRecord>> = BTreeMap::new();
        for case in cases {
            let key = (case.suite.as_str(), case.id.as_str());
            families.entry(key).or_default().push(case);
        }
        Self { cases: families }
    }

    /// What the siblings of a broken trial say, in one sentence without a full stop, such as `only
    /// cells with body=empty break (2 of 4); with body=small they hold`. Names the fewest axes that
    /// tell the broken cells from the others, or else what the nearest cells did. `None` of a trial
    /// that did not break, or that has no sibling that was judged.
    #[must_use]
    pub fn note(&self, case: &'a CaseRecord) -> Option<String> {
        let all = self.cases.get(&(case.suite.as_str(), case.id.as_str()))?;
        let family = Family::of(case, all)?;
        let (broken, judged) = (family.broken.len(), family.judged());
        if family.held.is_empty() {
            return Some(format!(
                "all {judged} cells of this case break: no axis tells them apart"
            ));
        }
        let explanations = family.explanations();
        let told = match explanations.as_slice() {
            [one] => family.only(one),
            [] => None,
            several => Some(family.either(several)),
        };
        Some(told.unwrap_or_else(|| {
            format!("{broken} of {judged} cells break; {}", family.neighbours())
        }))
    }
}

impl<'a> Family<'a> {
    /// Cells that keep the class are told from those that do not, unless the own one keeps it and
    /// deviates. What was not judged tells nothing.
    fn of(own: &'a CaseRecord, all: &[&'a CaseRecord]) -> Option<Self> {
        let breaks = |case: &CaseRecord| match (case.verdict, own.verdict) {
            (Verdict::Leak | Verdict::Fail, _) => Some(true),
            (Verdict::Deviates, of_own) => Some(of_own == Verdict::Deviates),
            (Verdict::Pass, _) => Some(false),
            (Verdict::Error | Verdict::Blocked | Verdict::Unsupported | Verdict::Observed, _) => {
                None
            }
        };
        let axes = |case: &CaseRecord| -> Vec<String> {
            case.cells.iter().map(|(axis, _)| axis.clone()).collect()
        };
        let like = |case: &&&CaseRecord| axes(case) == axes(own);
        let with = |wanted| {
            let found = all.iter().filter(like).copied();
            found.filter(|case| breaks(case) == Some(wanted)).collect()
        };
        let family = Self {
            own,
            broken: with(true),
            held: with(false),
        };
        (breaks(own) == Some(true) && family.judged() > 1).then_some(family)
    }

    fn judged(&self) -> usize {
        self.broken.len() + self.held.len()
    }

    fn axes(&self) -> usize {
        self.own.cells.len()
    }

    /// All smallest sets of axes whose labels alone tell the broken cells from the others.
    fn explanations(&self) -> Vec<Vec<usize>> {
        if self.axes() > MAX_AXES {
            return Vec::new();
        }
        let mut sets: Vec<Vec<usize>> = (1..1_usize << self.axes())
            .map(|set| {
                (0..self.axes())
                    .filter(|axis| set >> axis & 1 == 1)
                    .collect()
            })
            .filter(|axes: &Vec<usize>| {
                let labels = |cases: &[&CaseRecord]| -> BTreeSet<Vec<String>> {
                    cases.iter().map(|case| labels(case, axes)).collect()
                };
                labels(&self.broken).is_disjoint(&labels(&self.held))
            })
            .collect();
        let fewest = sets.iter().map(Vec::len).min().unwrap_or(0);
        sets.retain(|axes| axes.len() == fewest);
        sets
    }

    /// Names the one set of axes that tells the cells apart; `None` where it takes a list of cells.
    fn only(&self, axes: &[usize]) -> Option<String> {
        let sets: Vec<Vec<&str>> = axes
            .iter()
            .map(|axis| of_axis(&self.broken, *axis))
            .collect();
        let own: BTreeSet<_> = self.broken.iter().map(|case| labels(case, axes)).collect();
        let product: usize = sets.iter().map(Vec::len).product();
        if own.len() != product {
            return None;
        }
        let named = axes
            .iter()
            .zip(&sets)
            .map(|(axis, set)| self.named(*axis, set));
        let named: Vec<String> = named.collect();
        let held = match axes {
            [axis] => format!(
                "with {} they hold",
                self.named(*axis, &of_axis(&self.held, *axis))
            ),
            _ => "the others hold".to_owned(),
        };
        Some(format!(
            "only cells with {} break ({} of {}); {held}",
            named.join(" and "),
            self.broken.len(),
            self.judged()
        ))
    }

    /// Names every axis that could be it.
    fn either(&self, sets: &[Vec<usize>]) -> String {
        let named = sets.iter().map(|axes| {
            let own = axes
                .iter()
                .map(|axis| self.named(*axis, &[&self.own.cells[*axis].1]));
            own.collect::<Vec<_>>().join(" and ")
        });
        let named: Vec<String> = named.collect();
        format!(
            "{} of {} cells break: {}, no cell tells which",
            self.broken.len(),
            self.judged(),
            named.join(" or ")
        )
    }

    /// What the cells did that differ in one label.
    fn neighbours(&self) -> String {
        let beside = |cases: &[&CaseRecord]| -> Vec<String> {
            let axes = 0..self.axes();
            let near = axes.filter_map(|axis| {
                let differs = |case: &&&CaseRecord| {
                    let pairs = case.cells.iter().zip(&self.own.cells).enumerate();
                    let mut other = pairs.filter(|(_, (a, b))| a != b).map(|(at, _)| at);
                    other.next() == Some(axis) && other.next().is_none()
                };
                let near: Vec<&CaseRecord> = cases.iter().filter(differs).copied().collect();
                (!near.is_empty()).then(|| self.named(axis, &of_axis(&near, axis)))
            });
            near.collect()
        };
        let mut told = Vec::new();
        for (cases, word) in [(&self.held, "holds"), (&self.broken, "breaks")] {
            let near = beside(cases);
            if !near.is_empty() {
                told.push(format!("with {} it {word}", near.join(" or ")));
            }
        }
        if told.is_empty() {
            told.push("no cell that differs in one label was judged".to_owned());
        }
        told.join(", ")
    }

    /// `body=empty, small`.
    fn named(&self, axis: usize, labels: &[&str]) -> String {
        let first: Vec<&str> = labels.iter().take(LABELS).copied().collect();
        let more = labels.len().saturating_sub(LABELS);
        let more = if more == 0 {
            String::new()
        } else {
            format!(" and {more} more")
        };
        format!("{}={}{more}", self.own.cells[axis].0, first.join(", "))
    }
}

fn labels(case: &CaseRecord, axes: &[usize]) -> Vec<String> {
    axes.iter()
        .map(|axis| case.cells[*axis].1.clone())
        .collect()
}

/// The labels that some cells have on an axis, each once, in the order of the cells.
fn of_axis<'a>(cases: &[&'a CaseRecord], axis: usize) -> Vec<&'a str> {
    let mut labels: Vec<&str> = Vec::new();
    for case in cases {
        let label = case.cells[axis].1.as_str();
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `op=get,body=empty fail`.
    fn case(line: &str) -> CaseRecord {
        let (cells, verdict) = line.rsplit_once(' ').unwrap();
        let cells = cells.split(',').filter_map(|cell| cell.split_once('='));
        let cells = cells.map(|(axis, label)| (axis.to_owned(), label.to_owned()));
        let verdict = Verdict::ALL.into_iter().find(|one| one.word() == verdict);
        CaseRecord {
            name: line.to_owned(),
            cells: cells.collect(),
            ..CaseRecord::bare("get", "wrong-key", verdict.unwrap())
        }
    }

    /// What the siblings of the first one say.
    #[track_caller]
    fn check(lines: &[&str], expected: Option<&str>) {
        let mut cases: Vec<CaseRecord> = lines.iter().map(|line| case(line)).collect();
        // Another case with the same axes is no sibling.
        let mut other = case("op=get,body=empty pass");
        other.id = "right-key".to_owned();
        cases.push(other);
        let note = Siblings::of(&cases).note(&cases[0]);
        assert_eq!(note.as_deref(), expected);
    }

    #[test]
    fn one_axis_is_named_where_it_tells_the_cells_apart() {
        check(
            &[
                "op=head,body=empty fail",
                "op=head,body=small pass",
                "op=get,body=empty leak",
                "op=get,body=small pass",
                "op=get,body=large pass",
            ],
            Some("only cells with body=empty break (2 of 5); with body=small, large they hold"),
        );
        check(
            &["op=head fail", "op=get pass"],
            Some("only cells with op=head break (1 of 2); with op=get they hold"),
        );
    }

    #[test]
    fn two_axes_are_named_where_neither_does() {
        check(
            &[
                "op=head,body=empty fail",
                "op=head,body=small pass",
                "op=get,body=empty pass",
                "op=get,body=small pass",
            ],
            Some("only cells with op=head and body=empty break (1 of 4); the others hold"),
        );
        check(
            &[
                "op=head,body=empty,style=path fail",
                "op=head,body=one,style=path fail",
                "op=head,body=small,style=path pass",
                "op=get,body=empty,style=path pass",
                "op=get,body=one,style=path pass",
                "op=get,body=small,style=path pass",
                "op=get,body=small,style=vhost pass",
            ],
            Some("only cells with op=head and body=empty, one break (2 of 7); the others hold"),
        );
    }

    #[test]
    fn no_axis_is_blamed_that_the_cells_do_not_tell_from_another() {
        check(
            &["op=head,body=empty fail", "op=get,body=small pass"],
            Some("1 of 2 cells break: op=head or body=empty, no cell tells which"),
        );
        check(
            &["op=head,body=empty fail", "op=get,body=small fail"],
            Some("all 2 cells of this case break: no axis tells them apart"),
        );
    }

    #[test]
    fn cells_without_a_pattern_are_told_by_the_nearest() {
        check(
            &[
                "op=head,body=empty fail",
                "op=head,body=small pass",
                "op=get,body=empty pass",
                "op=get,body=small fail",
            ],
            Some("2 of 4 cells break; with op=get or body=small it holds"),
        );
        check(
            &[
                "op=head,body=b fail",
                "op=head,body=a fail",
                "op=head,body=c pass",
                "op=get,body=b pass",
                "op=get,body=a pass",
                "op=get,body=c fail",
            ],
            Some("3 of 6 cells break; with op=get or body=c it holds, with body=a it breaks"),
        );
    }

    #[test]
    fn what_was_not_judged_tells_nothing() {
        check(&["op=head fail"], None);
        check(&["op=head fail", "op=get blocked", "op=put observed"], None);
        check(&["op=head pass", "op=get fail"], None);
        check(&["op=head blocked", "op=get pass"], None);
        check(&["op=head fail", "op=get,style=vhost pass"], None);
    }

    #[test]
    fn a_deviation_keeps_the_class_that_a_failure_breaks() {
        check(
            &["op=head fail", "op=get deviates"],
            Some("only cells with op=head break (1 of 2); with op=get they hold"),
        );
        check(
            &["op=head deviates", "op=get fail"],
            Some("all 2 cells of this case break: no axis tells them apart"),
        );
    }

    #[test]
    fn long_lists_of_labels_are_cut_and_many_axes_are_not_searched() {
        let lines: Vec<String> = (0..9)
            .map(|n| format!("n={n} {}", if n == 0 { "fail" } else { "pass" }))
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        check(
            &lines,
            Some("only cells with n=0 break (1 of 9); with n=1, 2, 3, 4 and 4 more they hold"),
        );
        let wide = |last: &str, axes: usize| {
            let cells: Vec<String> = (1..axes).map(|n| format!("a{n}=x")).collect();
            format!("{},last={last}", cells.join(","))
        };
        let told = |axes| [wide("a", axes) + " fail", wide("b", axes) + " pass"];
        let widest = told(MAX_AXES);
        check(
            &[&widest[0], &widest[1]],
            Some("only cells with last=a break (1 of 2); with last=b they hold"),
        );
        let wider = told(MAX_AXES + 1);
        check(
            &[&wider[0], &wider[1]],
            Some("1 of 2 cells break; with last=b it holds"),
        );
    }
}
