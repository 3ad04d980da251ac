//! Forms of small trees, and random texts and places of comments.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::yaml::MAX_DEPTH;

static LINE: Shape = Shape::LINE;
static POINT: Shape = Shape {
    lines: Lines::Within(30),
    parts: Parts::Fields(&[("x", &LINE), (OTHERS, &LINE), ("y", &LINE)]),
};
static POINTS: Shape = Shape {
    lines: Lines::Each,
    parts: Parts::Each(&POINT),
};
static SHEET: Shape = Shape {
    lines: Lines::Each,
    parts: Parts::Fields(&[("name", &LINE), ("points", &POINTS)]),
};
static SHEETS: Shape = Shape {
    lines: Lines::Apart,
    parts: Parts::Each(&SHEET),
};
static BOOK: Shape = Shape {
    lines: Lines::Each,
    parts: Parts::Fields(&[
        ("book", &LINE),
        ("sheets", &SHEETS),
        ("free", &Shape::WRITTEN),
    ]),
};

fn file(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: "a.yaml".to_owned(),
        name: "a.yaml".to_owned(),
        text: text.to_owned(),
    })
}

fn written(text: &str, shape: &Shape) -> Result<String, Unformatted> {
    let file = file(text);
    let root = parse(&file).map_err(Unformatted::Mistakes)?;
    format(&file, &root, shape)
}

/// What comes of a text, and that it stays as it is from then on.
#[track_caller]
fn check(text: &str, expected: &str) {
    let once = written(text, &BOOK).unwrap();
    assert_eq!(once, expected);
    assert_eq!(written(&once, &BOOK).unwrap(), once, "a second time");
}

#[test]
fn one_content_has_one_form() {
    let form = "book: b\n\nsheets:\n  - name: one\n    points:\n      - {x: 1, z: 3, y: 2}\n\
                \n  - name: two\n    points:\n      - {x: 5}\n";
    for text in [
        form,
        "sheets: [{points: [{y: 2, z: 3, x: 1}], name: one}, {name: two, points: [{x: 5}]}]\nbook: b",
        "---\nsheets:\n- points:\n  - y:   2\n    x: 1\n    z: 3\n  name: one\n\n\n\n- name: two\n  \
         points:\n     -\n       x: 5\n\n\nbook: b\n...\n",
        "{book: b, sheets: [{name: one, points: [{x: 1, z: 3, y: 2}]},\n  {name: two, points: [\n{x: \
         5,},]}]}",
        &form.replace('\n', "\r\n"),
    ] {
        check(text, form);
    }
}

#[test]
fn a_line_that_is_too_long_becomes_several() {
    check(
        "sheets:\n  - points: [{x: a, y: bbbbbbbbbbb}, {y: bbbbbbbbbbbb, x: a}]\n",
        "sheets:\n  - points:\n      - {x: a, y: bbbbbbbbbbb}\n      - x: a\n        y: bbbbbbbbbbbb\n",
    );
}

#[test]
fn what_has_no_order_of_its_own_keeps_it() {
    check(
        "free:\n    z: 1\n    a: {y: 1,\n       b: 2}\n    m:\n    - c\n    -   - d\n        - e\n",
        "free:\n  z: 1\n  a: {y: 1, b: 2}\n  m:\n    - c\n    - - d\n      - e\n",
    );
}

#[test]
fn what_is_empty_stays_empty() {
    check(
        "free: {a: , b: [ ], c: {}, d: '', e: ~}\nbook:\nsheets:\n  -\n  - points:\n    -\n    - x:\n      y:\n        -\n",
        "book:\n\nsheets:\n  -\n\n  - points:\n      -\n      - {x: ~, y: [~]}\nfree: {a: ~, b: [], c: {}, d: \"\", e: ~}\n",
    );
}

#[test]
fn quotes_stay_and_come_where_braces_want_them() {
    check(
        "free:\n  a: 'no'\n  b: \"it's\"\n  c: 'say \"so\"'\n  d: \"\\u00e9\\n\\t'\\\"\"\n  e: folded\n    \
         text\nsheets:\n  - points:\n      - y: 1, 2 [and] {3}\n  - points: []\n",
        "sheets:\n  - points:\n      - {y: \"1, 2 [and] {3}\"}\n\n  - points: []\nfree:\n  a: \"no\"\n  \
         b: \"it's\"\n  c: 'say \"so\"'\n  d: \"é\\n\\t'\\\"\"\n  e: folded text\n",
    );
}

#[test]
fn blocks_of_text_keep_their_lines() {
    check(
        "free:\n  a: |\n      one\n\n        two\n  b: >-\n    three\n    four\n  c: |+\n    five\n\n  d: |2\n     \
         six\n",
        "free:\n  a: |\n    one\n\n      two\n  b: |-\n    three four\n  c: \"five\\n\\n\"\n\n  d: \" six\\n\"\n",
    );
}

#[test]
fn comments_stay_with_what_they_stand_at() {
    check(
        "# head\n\n\n# of the book\nbook: b   # beside\nsheets:   # all of them\n  # of the first\n  - \
         points:\n      # of a point\n      - {y: 1, # inside\n         x: 2}\n      - {x: 3} #short\n      - {x: \
         100} # long\n      # at the end of the points\n    # at the end of the sheet\n    # of the name\n    \
         name: one\n  # of the second\n\n  - name: two # there\n    # below the name\n  # below the \
         sheets\n# tail\n",
        "# head\n\n# of the book\nbook: b    # beside\n\nsheets:    # all of them\n  # of the first\n  # at \
         the end of the sheet\n  # of the name\n  - name: one\n    points:\n      # of a point\n      # \
         inside\n      - {x: 2, y: 1}\n      - {x: 3}      #short\n      - {x: 100}    # long\n      # at the end \
         of the points\n\n  # of the second\n\n  - name: two    # there\n    # below the name\n  # below the \
         sheets\n# tail\n",
    );
}

#[test]
fn comments_inside_what_becomes_one_line_stand_above_it() {
    check(
        "sheets:\n  - points:\n      - # of all\n        y: 2 # of y\n        # of x\n        x: 1 # end\n",
        "sheets:\n  - points:\n      # of all\n      # of y\n      # of x\n      - {x: 1, y: 2}    # end\n",
    );
}

#[test]
fn what_is_no_mapping_is_refused_with_its_place() {
    for text in ["", "# only this\n", "- a\n- b\n", "text", "{}"] {
        let Err(Unformatted::Mistakes(mistakes)) = written(text, &BOOK) else {
            panic!("{text:?} has a form");
        };
        let told = mistakes.to_string();
        assert!(
            told.starts_with("error[S001]: a file holds a mapping"),
            "{told}"
        );
    }
}

/// What `format` proves before it answers: each of these says something else.
#[test]
fn a_tree_that_says_something_else_is_noticed() {
    let same = |a: &str, b: &str| {
        let (a, b) = (parse(&file(a)).unwrap(), parse(&file(b)).unwrap());
        same::same(&a, &b, &BOOK)
    };
    assert!(same(
        "book: b\nfree: [1, {a: 1, b: 2}]",
        "free: [1, {a: 1, b: 2}]\nbook: \"b\""
    ));
    for other in [
        "book: c\nfree: [1, {a: 1, b: 2}]",
        "book: b",
        "book: b\nfree: [1, {a: 1, b: 2}]\nmore: 1",
        "book: b\nfree: [{a: 1, b: 2}, 1]",
        "book: b\nfree: [1, {b: 2, a: 1}]",
        "book: b\nfree: [\"1\", {a: 1, b: 2}]",
        "book: b\nfree: [1, [a, b]]",
    ] {
        assert!(!same("book: b\nfree: [1, {a: 1, b: 2}]", other), "{other}");
    }
}

/// Lines that comments and blanks are put between.
const PAGE: &[&str] = &[
    "book: b",
    "sheets:",
    "  - name: one",
    "    points:",
    "      - {y: 1,",
    "         x: 2}",
    "      - x: 3",
    "        y: 4",
    "  - points:",
    "      - x: 5",
    "    name: two",
    "free:",
    "  list:",
    "  - a",
    "  - b: [1,",
    "      2]",
    "  more: {c: d}",
];

proptest! {
    #[test]
    fn every_text_that_is_read_has_a_form_that_stays(
        text in "[-a-c:{}\\[\\]|>'\"#é\r\n ,?]{0,60}"
    ) {
        for shape in [&BOOK, &Shape::WRITTEN, &Shape::LINE] {
            match written(&text, shape) {
                Ok(once) => prop_assert_eq!(written(&once, shape), Ok(once)),
                Err(error) => prop_assert_ne!(error, Unformatted::Altered),
            }
        }
    }

    #[test]
    fn no_comment_is_lost_wherever_it_stands(
        places in prop::collection::vec((0..=PAGE.len(), 0..3, 0..12_usize), 0..8)
    ) {
        let mut text = String::new();
        for (number, line) in PAGE.iter().chain(&[""]).enumerate() {
            for (own, place) in places.iter().enumerate() {
                match place {
                    (at, 0, indent) if *at == number => {
                        text.push_str(&format!("{}# c{own}\n", " ".repeat(*indent)));
                    }
                    (at, 1, _) if *at == number => text.push('\n'),
                    _ => {}
                }
            }
            text.push_str(line);
            for (own, place) in places.iter().enumerate() {
                if let (at, 2, indent) = place && *at == number && !line.is_empty() {
                    text.push_str(&format!("{} # c{own}", " ".repeat(*indent)));
                    break;
                }
            }
            text.push('\n');
        }
        let once = written(&text, &BOOK);
        let once = once.map_err(|error| TestCaseError::fail(format!("{error:?} of\n{text}")))?;
        prop_assert_eq!(written(&once, &BOOK), Ok(once.clone()), "of\n{}\nonce\n{}", text, once);
        let plain = written(&PAGE.join("\n"), &BOOK).unwrap();
        let bare = |text: &str| -> Vec<String> {
            let lines = text.lines().map(|line| line.split('#').next().unwrap().trim_end());
            lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
        };
        prop_assert_eq!(bare(&once), bare(&plain));
    }
}

#[test]
fn depth_is_no_matter() {
    let mut text = String::from("free: ");
    text.push_str(&"[".repeat(MAX_DEPTH - 1));
    text.push_str(&"]".repeat(MAX_DEPTH - 1));
    assert_eq!(written(&text, &BOOK).unwrap(), format!("{text}\n"));
}
