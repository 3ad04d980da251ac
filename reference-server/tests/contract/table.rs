//! The form of the table: rows, what stands before a request, the request, and its answer in each
//! of the two dialects. All of it is data.

/// A header or a parameter, name and value.
pub type Pair = super::client::Pair<'static>;

/// What a row rests on, as the contract's section 0.1 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// Recorded from the service.
    Obs,
    /// Asserted by a public test suite that was written to be run against the service.
    Suite,
    /// Documented by the provider.
    Doc,
    /// Reported by a named third party, once.
    Rep,
    /// Derived from what was recorded or reported.
    Der,
    /// Read in the source of the software behind the service.
    Peer,
    /// Not known: the answer is a choice.
    Unk,
}

impl Evidence {
    pub const ALL: [Self; 7] = [
        Self::Obs,
        Self::Suite,
        Self::Doc,
        Self::Rep,
        Self::Der,
        Self::Peer,
        Self::Unk,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Obs => "OBS",
            Self::Suite => "SUITE",
            Self::Doc => "DOC",
            Self::Rep => "REP",
            Self::Der => "DER",
            Self::Peer => "PEER",
            Self::Unk => "choice",
        }
    }
}

/// One row of the contract's section 2.
#[derive(Clone, Copy)]
pub struct Row {
    pub id: &'static str,
    pub condition: &'static str,
    pub aws: Evidence,
    pub ovh: Evidence,
    /// The service of 2022 went on here, and dialect `ovh` refuses.
    pub departs: bool,
    /// S3 is reported to go on here, and dialect `aws` refuses.
    pub stricter: bool,
    pub cases: &'static [Case],
}

/// One request and its answers.
#[derive(Clone, Copy)]
pub struct Case {
    pub given: Given,
    pub ask: Request,
    pub aws: Answer,
    pub ovh: Answer,
}

/// What stands before the request. Every case has a bucket of its own; its object is `o`.
#[derive(Clone, Copy)]
pub enum Given {
    Nothing,
    /// The object, with these headers and this body.
    Object(&'static [Pair], &'static str),
    /// An object `source`, with these headers.
    Source(&'static [Pair]),
    /// The bucket blocks SSE-C.
    Blocked,
    /// The object, and then the block.
    BlockedWith(&'static [Pair]),
    /// A version under the first headers (its id is `{version}`), and one under the second.
    Versions(&'static [Pair], &'static [Pair]),
    /// A version, and the delete marker `{version}` before it.
    Marked(&'static [Pair]),
    /// An upload `{upload}` created with these headers.
    Upload(&'static [Pair]),
    /// An upload created with the first headers, its part `{tag}` sent with the second.
    Part(&'static [Pair], &'static [Pair]),
    /// A bucket whose policy denies writes that do not name `AES256` as their customer algorithm.
    Demanding,
    /// An upload and its part as in `Part`, and then that policy.
    PartThenDemanding(&'static [Pair], &'static [Pair]),
    /// A `source` with the first headers, an upload created with the second.
    SourceAndUpload(&'static [Pair], &'static [Pair]),
    /// An object of one part, created with the first headers, its part and its end with the second.
    Completed(&'static [Pair], &'static [Pair]),
    /// An object of two parts: 5 MiB of `a`, then nine bytes.
    TwoParts(&'static [Pair]),
}

/// A request. `{bucket}`, `{upload}`, `{version}`, `{etag}` and `{tag}` are filled in.
#[derive(Clone, Copy)]
pub struct Request {
    pub method: &'static str,
    pub path: &'static str,
    pub query: &'static [Pair],
    pub headers: &'static [Pair],
    pub body: &'static str,
    pub sent: Sent,
}

/// How a request is signed and sent.
#[derive(Clone, Copy)]
pub enum Sent {
    /// Over TLS, all headers signed.
    Signed,
    /// The signature in a header covers these only.
    Covering(&'static [&'static str]),
    /// A presigned URL whose signature covers these.
    Presigned(&'static [&'static str]),
    /// A presigned URL for all headers, of which these do not arrive.
    Without(&'static [&'static str]),
    /// A presigned URL for all headers, of which one arrives with another value.
    Changed(&'static str, &'static str),
    /// Not over TLS.
    Plain,
    /// Not over TLS, as a presigned URL.
    PlainUrl,
    /// As a form that stores `o`, with these fields, all in its policy but for the named ones. The
    /// headers of the request are headers of the POST.
    Form(&'static [Pair], &'static [&'static str]),
}

impl Request {
    pub const fn query(mut self, query: &'static [Pair]) -> Self {
        self.query = query;
        self
    }

    pub const fn with(mut self, headers: &'static [Pair]) -> Self {
        self.headers = headers;
        self
    }

    pub const fn body(mut self, body: &'static str) -> Self {
        self.body = body;
        self
    }

    pub const fn sent(mut self, sent: Sent) -> Self {
        self.sent = sent;
        self
    }
}

const fn request(method: &'static str, path: &'static str, headers: &'static [Pair]) -> Request {
    Request {
        method,
        path,
        query: &[],
        headers,
        body: "",
        sent: Sent::Signed,
    }
}

pub const OBJECT: &str = "/{bucket}/o";

pub const fn on_bucket(method: &'static str, query: &'static [Pair]) -> Request {
    request(method, "/{bucket}", &[]).query(query)
}

/// A form with these fields, of which the policy does not cover some.
pub const fn form(fields: &'static [Pair], uncovered: &'static [&'static str]) -> Request {
    on_bucket("POST", &[]).sent(Sent::Form(fields, uncovered))
}

pub const fn put(headers: &'static [Pair]) -> Request {
    request("PUT", OBJECT, headers).body(TEXT)
}

pub const fn get(headers: &'static [Pair]) -> Request {
    request("GET", OBJECT, headers)
}

pub const fn head(headers: &'static [Pair]) -> Request {
    request("HEAD", OBJECT, headers)
}

pub const fn delete(headers: &'static [Pair]) -> Request {
    request("DELETE", OBJECT, headers)
}

pub const fn post(headers: &'static [Pair]) -> Request {
    request("POST", OBJECT, headers)
}

/// A copy, with `x-amz-copy-source` among the headers.
pub const fn copy(headers: &'static [Pair]) -> Request {
    request("PUT", OBJECT, headers)
}

/// What a header of an answer must say; `None`: it must not be there.
pub type Shown = (&'static str, Option<&'static str>);

/// An answer.
#[derive(Clone, Copy)]
pub enum Answer {
    Served {
        status: u16,
        shows: &'static [Shown],
        /// What the body contains.
        holds: &'static [&'static str],
        /// What the body is.
        body: Option<&'static str>,
        /// How reads of the object with these headers are answered afterwards.
        reads: &'static [(&'static [Pair], u16)],
    },
    Refused(Refused),
}

/// A refusal under the short name of the contract's section 0.3.
#[derive(Clone, Copy)]
pub struct Refused {
    pub name: &'static str,
    pub status: u16,
    pub code: &'static str,
    /// `…` stands for text that the request decides.
    pub message: &'static str,
    /// `ArgumentName` and `ArgumentValue`.
    pub argument: Option<Shown>,
}

impl Answer {
    pub const fn showing(self, more: &'static [Shown]) -> Self {
        match self {
            Self::Served {
                status,
                holds,
                body,
                reads,
                shows: _,
            } => Self::Served {
                status,
                shows: more,
                holds,
                body,
                reads,
            },
            Self::Refused(_) => self,
        }
    }

    pub const fn holding(self, more: &'static [&'static str]) -> Self {
        match self {
            Self::Served {
                status,
                shows,
                body,
                reads,
                holds: _,
            } => Self::Served {
                status,
                shows,
                holds: more,
                body,
                reads,
            },
            Self::Refused(_) => self,
        }
    }

    pub const fn with_body(self, text: &'static str) -> Self {
        match self {
            Self::Served {
                status,
                shows,
                holds,
                reads,
                body: _,
            } => Self::Served {
                status,
                shows,
                holds,
                body: Some(text),
                reads,
            },
            Self::Refused(_) => self,
        }
    }

    pub const fn read_by(self, more: &'static [(&'static [Pair], u16)]) -> Self {
        match self {
            Self::Served {
                status,
                shows,
                holds,
                body,
                reads: _,
            } => Self::Served {
                status,
                shows,
                holds,
                body,
                reads: more,
            },
            Self::Refused(_) => self,
        }
    }

    /// The refusal with an `ArgumentValue`.
    pub const fn value(self, shown: &'static str) -> Self {
        match self {
            Self::Refused(mut refused) => {
                refused.argument = match refused.argument {
                    Some((name, _)) => Some((name, Some(shown))),
                    None => None,
                };
                Self::Refused(refused)
            }
            Self::Served { .. } => self,
        }
    }
}

pub const fn served(status: u16) -> Answer {
    Answer::Served {
        status,
        shows: &[],
        holds: &[],
        body: None,
        reads: &[],
    }
}

pub const fn row(
    id: &'static str,
    condition: &'static str,
    (aws, ovh): (Evidence, Evidence),
    cases: &'static [Case],
) -> Row {
    Row {
        id,
        condition,
        aws,
        ovh,
        departs: false,
        stricter: false,
        cases,
    }
}

impl Row {
    pub const fn departing(mut self) -> Self {
        self.departs = true;
        self
    }

    pub const fn stricter(mut self) -> Self {
        self.stricter = true;
        self
    }
}

pub const fn case(given: Given, ask: Request, aws: Answer, ovh: Answer) -> Case {
    Case {
        given,
        ask,
        aws,
        ovh,
    }
}

/// A case with one answer in both dialects.
pub const fn same(given: Given, ask: Request, answer: Answer) -> Case {
    case(given, ask, answer, answer)
}

/// The body of every object here; its MD5 is in the contract's appendix C.
pub const TEXT: &str = "test_data";
