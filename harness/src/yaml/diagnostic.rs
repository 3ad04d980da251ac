//! Mistakes in input files, drawn the way compilers draw theirs.
//!
//! A reader collects every mistake of every file in one [`Diagnostics`] and shows them together:
//! who fixes one typo should not find the next one only in the next run.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::code::Code;
use super::source::{SourceFile, Span};

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    /// Lower case, no full stop: what is wrong.
    pub message: String,
    /// Where; `None` for a file that could not be read at all.
    pub at: Option<(Arc<SourceFile>, Span)>,
    /// Stands beside the caret, such as ``did you mean `expect`?``.
    pub label: String,
    /// Other places that have to do with it, each with its own words.
    pub related: Vec<(Arc<SourceFile>, Span, String)>,
    /// What to do, or why it matters.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// A mistake at a place.
    #[must_use]
    pub fn new(code: Code, file: &Arc<SourceFile>, at: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            at: Some((Arc::clone(file), at)),
            label: String::new(),
            related: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A mistake that has no place in a text.
    #[must_use]
    pub fn outside(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            at: None,
            label: String::new(),
            related: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The same with words beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The same with one more line of advice.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same with one more place.
    #[must_use]
    pub fn related(mut self, file: &Arc<SourceFile>, at: Span, label: impl Into<String>) -> Self {
        self.related.push((Arc::clone(file), at, label.into()));
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = Level::ERROR
            .primary_title(self.message.as_str())
            .id(self.code.id());
        let mut group = annotate_snippets::Group::with_title(title);
        if let Some((file, span)) = &self.at {
            let mut primary = AnnotationKind::Primary.span(span.range());
            if !self.label.is_empty() {
                primary = primary.label(self.label.as_str());
            }
            let mut snippet = Snippet::source(file.text.as_str())
                .path(file.path.as_str())
                .annotation(primary);
            for (_, span, label) in self.related.iter().filter(|(other, _, _)| other == file) {
                snippet = snippet.annotation(
                    AnnotationKind::Context
                        .span(span.range())
                        .label(label.as_str()),
                );
            }
            group = group.element(snippet);
            for (other, span, label) in self.related.iter().filter(|(other, _, _)| other != file) {
                group = group.element(
                    Snippet::source(other.text.as_str())
                        .path(other.path.as_str())
                        .annotation(
                            AnnotationKind::Context
                                .span(span.range())
                                .label(label.as_str()),
                        ),
                );
            }
        }
        for note in &self.notes {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        f.write_str(&Renderer::plain().render(&[group]))
    }
}

/// All mistakes of all files, in the order of their places; never empty when it is an `Err`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostic {
    /// The same with its place in words, and no line of the file: of one that may hold a credential
    /// by mistake.
    fn without_lines(self) -> Self {
        let Some((file, span)) = self.at else {
            return self;
        };
        let (line, column) = file.line_column(span);
        let label = Some(self.label).filter(|label| !label.is_empty());
        Self {
            message: format!("{}:{line}:{column}: {}", file.path, self.message),
            at: None,
            label: String::new(),
            related: Vec::new(),
            notes: label.into_iter().chain(self.notes).collect(),
            code: self.code,
        }
    }
}

impl Diagnostics {
    /// All of them without a line of their file.
    #[must_use]
    pub fn without_lines(self) -> Self {
        Self(self.0.into_iter().map(Diagnostic::without_lines).collect())
    }

    /// Adds one mistake.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Whether there is no mistake.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many mistakes there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The mistakes, ordered by file and place.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Takes over another reader's mistakes.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// `value` when there is no mistake; otherwise the mistakes, ordered by file and place.
    ///
    /// # Errors
    /// Every mistake collected so far.
    pub fn into_result<T>(mut self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort_by(|a, b| {
            let place = |d: &Diagnostic| {
                d.at.as_ref()
                    .map(|(file, span)| (file.path.clone(), span.start, span.end))
            };
            place(a)
                .cmp(&place(b))
                .then(a.code.cmp(&b.code))
                .then(a.message.cmp(&b.message))
        });
        // A step is decoded once for each cell of its matrix; its mistake is still one.
        self.0.dedup();
        Err(self)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
