//! Text to tree; refuses the parts of YAML that make files mean other than they seem.

use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, StructureStyle};

use super::code::Code;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::node::{Kind, Node, Pair, Scalar, Style};
use super::source::{SourceFile, Span};

/// Bytes of the largest file that is read.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Lists and mappings that may stand inside each other.
pub const MAX_DEPTH: usize = 24;

/// Reads one file.
///
/// # Errors
/// All anchors, aliases, tags and doubled keys; or the first place where the text is no YAML,
/// after which nothing can be told.
pub fn parse(file: &Arc<SourceFile>) -> Result<Node, Diagnostics> {
    let mut builder = Builder::new(file);
    // What stopped the reading is among the diagnostics.
    let _stopped = builder.run();
    let root = builder.root.take().unwrap_or_else(|| Node {
        span: Span::default(),
        kind: Kind::Scalar(Scalar {
            text: String::new(),
            style: Style::Plain,
        }),
    });
    builder.diagnostics.into_result(root)
}

/// Nothing more can be read; the reason has been noted.
struct Stop;

/// A list or mapping whose end has not come yet.
struct Open {
    start: usize,
    flow: bool,
    /// End of the last child so far.
    end: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping {
        pairs: Vec<Pair>,
        key: Option<(Scalar, Span)>,
    },
}

struct Builder<'a> {
    file: &'a Arc<SourceFile>,
    diagnostics: Diagnostics,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
}

impl<'a> Builder<'a> {
    fn new(file: &'a Arc<SourceFile>) -> Self {
        Self {
            file,
            diagnostics: Diagnostics::default(),
            open: Vec::new(),
            root: None,
            documents: 0,
        }
    }

    fn error(&self, code: Code, at: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.file, at, message)
    }

    fn stop(&mut self, reason: Diagnostic) -> Stop {
        self.diagnostics.push(reason);
        Stop
    }

    fn run(&mut self) -> Result<(), Stop> {
        let text = self.file.text.as_str();
        if text.len() > MAX_BYTES {
            let message = format!(
                "this file has {} bytes; at most {MAX_BYTES} are read",
                text.len()
            );
            let start = Span {
                start: 0,
                end: text.find('\n').unwrap_or(0),
            };
            return Err(self.stop(self.error(Code::Limit, start, message)));
        }
        if let Some(tab) = text.find('\t') {
            let at = Span {
                start: tab,
                end: tab + 1,
            };
            return Err(
                self.stop(self.error(Code::Forbidden, at, "a tab stands here").note(
                    "indent and separate with spaces; within double quotes write a tab as `\\t`",
                )),
            );
        }
        let options = granit_parser::options! {
            strict_indentation: true,
            disallow_directives: true,
            emit_anchor_events: true,
            emit_unresolved_aliases: true,
            emit_comments: false,
            // The builder refuses with a better message; the scanner looks ahead of it.
            flow_nesting_limit: 4 * MAX_DEPTH,
            block_nesting_limit: 4 * MAX_DEPTH,
        };
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = match event {
                Ok(event) => event,
                Err(error) => return Err(self.stop(self.syntax(&error))),
            };
            let at = self.place(&span);
            if let Some(tag) = span.tag_span() {
                let at = self.place(&tag);
                let error = self.error(Code::Forbidden, at, "tags are not used in these files");
                self.diagnostics
                    .push(error.note("a field knows what its value is: remove the tag"));
            }
            self.event(event, at)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, at: Span) -> Result<(), Stop> {
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Comment(..) => {
                Ok(())
            }
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let at = Span {
                        start: at.start,
                        end: at.end.max(at.start),
                    };
                    return Err(self.stop(
                        self.error(Code::Forbidden, at, "a second document begins here")
                            .note("one file holds one document: remove the `---`"),
                    ));
                }
                Ok(())
            }
            Event::Anchor(_, name) => {
                self.refuse_reference(at, &format!("anchor `&{name}`"));
                Ok(())
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                let text = self
                    .file
                    .text
                    .get(at.range())
                    .unwrap_or_default()
                    .to_owned();
                self.refuse_reference(at, &format!("alias `{text}`"));
                self.add(
                    at,
                    Kind::Scalar(Scalar {
                        text,
                        style: Style::Quoted,
                    }),
                )
            }
            Event::Scalar(text, style, _, _) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                self.add(
                    at,
                    Kind::Scalar(Scalar {
                        text: text.into_owned(),
                        style,
                    }),
                )
            }
            Event::SequenceStart(style, _, _) => {
                self.begin(at, style, Content::Sequence(Vec::new()))
            }
            Event::MappingStart(style, _, _) => self.begin(
                at,
                style,
                Content::Mapping {
                    pairs: Vec::new(),
                    key: None,
                },
            ),
            Event::SequenceEnd | Event::MappingEnd => self.end(at),
            other => {
                let message = format!("the YAML reader met something unforeseen: {other:?}");
                Err(self.stop(self.error(Code::Forbidden, at, message)))
            }
        }
    }

    fn refuse_reference(&mut self, at: Span, what: &str) {
        let error = self.error(
            Code::Forbidden,
            at,
            format!("{what} is not used in these files"),
        );
        self.diagnostics
            .push(error.note("write the value out; what repeats belongs into a `matrix`"));
    }

    fn begin(&mut self, at: Span, style: StructureStyle, content: Content) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} lists and mappings inside each other");
            return Err(self.stop(self.error(Code::Limit, at, message)));
        }
        let flow = style == StructureStyle::Flow;
        self.open.push(Open {
            start: at.start,
            flow,
            end: at.end,
            content,
        });
        Ok(())
    }

    fn end(&mut self, at: Span) -> Result<(), Stop> {
        let open = self
            .open
            .pop()
            .expect("the parser closes only what it has opened");
        let end = if open.flow {
            at.end.max(open.end)
        } else {
            open.end
        };
        let kind = match open.content {
            Content::Sequence(items) => Kind::Sequence(items),
            Content::Mapping { pairs, .. } => Kind::Mapping(pairs),
        };
        self.add(
            Span {
                start: open.start,
                end,
            },
            kind,
        )
    }

    /// Puts a finished value into what is open around it.
    fn add(&mut self, span: Span, kind: Kind) -> Result<(), Stop> {
        let node = Node { span, kind };
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.end = open.end.max(span.end);
        match &mut open.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { pairs, key } => match key.take() {
                Some((key, key_span)) => pairs.push(Pair {
                    key,
                    key_span,
                    value: node,
                }),
                None => return self.key(node),
            },
        }
        Ok(())
    }

    fn key(&mut self, node: Node) -> Result<(), Stop> {
        let Kind::Scalar(scalar) = node.kind else {
            let at = node.caret(&self.file.text);
            let message = format!("{} cannot be the name of a field", node.describe());
            return Err(self.stop(self.error(Code::Forbidden, at, message)));
        };
        let Some(Open {
            content: Content::Mapping { pairs, key },
            ..
        }) = self.open.last_mut()
        else {
            return Ok(());
        };
        let earlier = pairs.iter().find(|pair| pair.key.text == scalar.text);
        let earlier = earlier.map(|pair| pair.key_span);
        let text = scalar.text.clone();
        let merge = scalar.style == Style::Plain && text == "<<";
        *key = Some((scalar, node.span));
        if merge {
            self.refuse_reference(node.span, "merge key `<<`");
        } else if let Some(earlier) = earlier {
            let error = self
                .error(
                    Code::DuplicateKey,
                    node.span,
                    format!("`{text}` stands here twice"),
                )
                .label("the second one")
                .related(self.file, earlier, "the first one");
            self.diagnostics.push(error);
        }
        Ok(())
    }

    fn syntax(&self, error: &ScanError) -> Diagnostic {
        let start = error
            .marker()
            .byte_offset()
            .unwrap_or(0)
            .min(self.file.text.len());
        let rest = self.file.text.get(start..).unwrap_or_default();
        let end = start
            + rest
                .chars()
                .next()
                .map_or(0, |c| if c == '\n' { 0 } else { c.len_utf8() });
        self.error(Code::Syntax, Span { start, end }, "this is not YAML")
            .label(error.info())
            .note("nothing after this place was read")
    }

    /// The parser's span in our own terms, forced onto the text so that drawing it cannot fail.
    fn place(&self, span: &granit_parser::Span) -> Span {
        let text = &self.file.text;
        let limit = |byte: Option<usize>| {
            let mut byte = byte.unwrap_or(0).min(text.len());
            while !text.is_char_boundary(byte) {
                byte -= 1;
            }
            byte
        };
        let start = limit(span.start.byte_offset());
        Span {
            start,
            end: limit(span.end.byte_offset()).max(start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(text: &str) -> Arc<SourceFile> {
        let (path, name) = ("a.yaml".to_owned(), "a.yaml".to_owned());
        Arc::new(SourceFile {
            path,
            name,
            text: text.to_owned(),
        })
    }

    /// Each key and scalar with its text in the file, in order.
    fn places(node: &Node, text: &str, out: &mut Vec<String>) {
        match &node.kind {
            Kind::Scalar(scalar) => {
                out.push(format!("{:?} {}", scalar.style, &text[node.span.range()]));
            }
            Kind::Sequence(items) => items.iter().for_each(|item| places(item, text, out)),
            Kind::Mapping(pairs) => {
                for pair in pairs {
                    out.push(format!("key {}", &text[pair.key_span.range()]));
                    places(&pair.value, text, out);
                }
            }
        }
    }

    #[test]
    fn every_key_and_scalar_has_its_place_and_style() {
        let text = "é: [\"ü\", 12]\nsteps:\n  - {$op: doc, to: 'x'}  # a comment\nnone:\n";
        let root = parse(&file(text)).unwrap();
        let mut seen = Vec::new();
        places(&root, text, &mut seen);
        assert_eq!(
            seen,
            [
                "key é",
                "Quoted \"ü\"",
                "Plain 12",
                "key steps",
                "key $op",
                "Plain doc",
                "key to",
                "Quoted 'x'",
                "key none",
                "Plain ",
            ]
        );
        let Kind::Mapping(pairs) = &root.kind else {
            panic!("a mapping")
        };
        assert_eq!(&text[pairs[0].value.span.range()], "[\"ü\", 12]");
        assert_eq!(
            &text[pairs[1].value.caret(text).range()],
            "- {$op: doc, to: 'x'}"
        );
        assert_eq!(
            &text[root.caret(text).range()],
            "é",
            "a caret stays on one line"
        );
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&file(&nested(MAX_DEPTH))).is_ok());
        let refused = parse(&file(&nested(MAX_DEPTH + 1))).unwrap_err();
        assert_eq!(refused.iter().next().unwrap().code, Code::Limit);
        assert!(parse(&file(&nested(100_000))).is_err());
    }

    #[test]
    fn all_forbidden_parts_of_a_file_are_told() {
        let refused = parse(&file("a: &x 1\nb: *x\nc: !!str d\n<<: {e: f}\na: 2\n")).unwrap_err();
        let codes: Vec<&str> = refused.iter().map(|d| d.code.id()).collect();
        assert_eq!(codes, ["Y002", "Y002", "Y002", "Y002", "Y003"]);
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader_or_the_drawing(text in "[-a-c:{}\\[\\]&*!|>'\"#é\r\n ,?%]{0,60}") {
            if let Err(mistakes) = parse(&file(&text)) {
                prop_assert!(!mistakes.to_string().is_empty());
            }
        }
    }
}
