//! The names that a step may use, and which of them are used.

use std::collections::BTreeSet;

use super::definition::Location;
use super::document::Suite;
use crate::oracle::Outcomes;
use crate::yaml::{Code, Node, Reader, Span};

/// What outcomes and dialects there are; no outcomes where their own file has mistakes, so that one
/// mistake there is not repeated at each step.
#[derive(Debug, Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) outcomes: Option<&'a Outcomes>,
    pub(super) dialects: &'a BTreeSet<String>,
}

/// The names of one suite.
#[derive(Debug)]
pub(super) struct Names<'a> {
    pub(super) world: World<'a>,
    suite: &'a Suite,
    used_keys: BTreeSet<String>,
    used_bodies: BTreeSet<String>,
}

impl<'a> Names<'a> {
    pub(super) const fn new(suite: &'a Suite, world: World<'a>) -> Self {
        Self {
            world,
            suite,
            used_keys: BTreeSet::new(),
            used_bodies: BTreeSet::new(),
        }
    }

    /// A declared customer key.
    pub(super) fn key(&mut self, node: &Node, reader: &mut Reader<'_>) -> Option<String> {
        let name = reader.text(node, "a key's name")?;
        if !self.suite.keys.contains_key(name) {
            let message = format!("key `{name}` is not declared");
            let known = self.suite.keys.keys().map(String::as_str);
            reader.unknown(Code::UnknownName, node.span, message, name, known);
            return None;
        }
        self.used_keys.insert(name.to_owned());
        Some(name.to_owned())
    }

    /// A declared body.
    pub(super) fn body(&mut self, node: &Node, reader: &mut Reader<'_>) -> Option<String> {
        let name = reader.text(node, "a body's name")?;
        if !self.suite.bodies.contains_key(name) {
            let message = format!("body `{name}` is not declared");
            let known = self.suite.bodies.keys().map(String::as_str);
            reader.unknown(Code::UnknownName, node.span, message, name, known);
            return None;
        }
        self.used_bodies.insert(name.to_owned());
        Some(name.to_owned())
    }

    /// An outcome of `outcomes.yaml`.
    pub(super) fn outcome(&self, node: &Node, reader: &mut Reader<'_>) -> Option<String> {
        let name = reader.text(node, "an outcome")?;
        if let Some(outcomes) = self.world.outcomes.filter(|all| all.get(name).is_none()) {
            let message = format!("outcome `{name}` is not in `outcomes.yaml`");
            reader.unknown(
                Code::UnknownName,
                node.span,
                message,
                name,
                outcomes.names(),
            );
            return None;
        }
        Some(name.to_owned())
    }

    /// Notes what was declared and never used; for a suite without other mistakes.
    pub(super) fn unused(&self, reader: &mut Reader<'_>) {
        let keys = self
            .suite
            .keys
            .iter()
            .filter(|(name, _)| !self.used_keys.contains(*name));
        let keys = keys.map(|(name, (_, at))| ("key", name, *at));
        let bodies = self
            .suite
            .bodies
            .iter()
            .filter(|(name, _)| !self.used_bodies.contains(*name));
        let bodies = bodies.map(|(name, (_, at))| ("body", name, *at));
        for (what, name, at) in keys.chain(bodies) {
            let error = reader.error(Code::Unused, at, format!("{what} `{name}` is never used"));
            reader.push(error.note("remove it, or use it"));
        }
    }
}

/// The place as trials carry it.
pub(super) fn location(at: Span, reader: &Reader<'_>) -> Location {
    let (line, column) = reader.file().line_column(at);
    Location {
        file: reader.file().name.clone(),
        line,
        column,
    }
}
