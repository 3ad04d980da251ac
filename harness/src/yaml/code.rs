//! The kinds of mistakes in input files, each with a stable code, its meaning, and what to do.

/// Defines the codes and the list of all of them in one place, so that none can be left out.
macro_rules! codes {
    ($($name:ident $code:literal $means:literal $remedy:literal)*) => {
        /// What kind of mistake it is: stable, so that it can be looked up.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $means] $name,)*
        }

        impl Code {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as it is printed.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// A sentence: what is wrong.
            #[must_use]
            pub const fn means(self) -> &'static str {
                match self { $(Self::$name => $means),* }
            }

            /// A sentence: what to do next.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy),* }
            }

            /// The word by which the sources raise it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

codes! {
    Unreadable "F001"
        "A file or folder cannot be read."
        "Check its path and permissions; a catalogue is a folder with outcomes.yaml, suites and dialects."
    Syntax "Y001"
        "The text is not YAML."
        "The caret stands where reading stopped; often a quote, a colon or the indentation of a line above it is at fault."
    Forbidden "Y002"
        "It is YAML, but a part of it that these files do not use, such as anchors, tags or a second document."
        "Write the value out in full."
    DuplicateKey "Y003"
        "One mapping has the same key twice."
        "Keep one of the two."
    Limit "Y004"
        "The file is larger or deeper than is read."
        "Split it into several files, or make it flatter."
    WrongKind "S001"
        "Another kind of value is meant here: a mapping, a list, a text or a number."
        "The message says which; quote a text that looks like a number."
    MissingField "S002"
        "A field that must be there is not."
        "Add it; scenarios/README.md and scenario.schema.json list the fields."
    UnknownField "S003"
        "Nobody knows this field, so what it says would be ignored."
        "Correct its name; the nearest known one is suggested if there is one."
    BadValue "S004"
        "The value is outside its closed list, its range or its form."
        "The message lists or describes what may stand there."
    UnknownName "S005"
        "A name is used that nothing declares: an outcome, a key, a body, an axis, a fragment or a dialect."
        "Declare it, or correct it to a name that is."
    Unused "S006"
        "Something is declared and never used, so a check that was meant may be missing."
        "Use it or remove it."
    SetTwice "S007"
        "A field is set twice, by a step and a fragment or by two fragments, and neither wins."
        "Set it in one place."
    Operation "S008"
        "A step has no operation, several, or one that this version does not know."
        "Give each step exactly one verb, such as put, get or head."
    Unbound "S009"
        "A $name is used that nothing sets before this step."
        "Capture it in an earlier step, or make it an axis of the matrix."
    Taken "S010"
        "An id, a suite's name or a trial's name is taken by another."
        "Choose another; names are how results of two runs are compared."
    NoControl "L001"
        "A case expects a refusal and has no served control, so it would also pass if everything were refused."
        "Add a step, or a cell of the matrix, that differs only in what is right and expects to be served."
    NoSource "L002"
        "A requirement has no source that carries its level."
        "Cite the document, recording or issue that it rests on, or lower the level."
    Title "L003"
        "A title is no plain sentence about the promise."
        "Say what a service does or does not do, in one sentence without status codes."
    SameRequests "L004"
        "Two cells send the same requests and want the same answers, so one of them tests nothing."
        "Remove one, or let them differ in what their names say."
    NoEvidence "O001"
        "A dialect gives an answer or a fact without evidence."
        "Add the recording, document, source or issue that shows it."
    Contradiction "O002"
        "An answer contradicts its outcome, or another answer of the same dialect."
        "Compare it with the outcome's class and floor in outcomes.yaml."
}
